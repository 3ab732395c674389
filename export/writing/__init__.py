"""Cards, the comparison before and after, and artifacts written only when verified."""
