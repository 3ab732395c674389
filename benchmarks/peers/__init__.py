"""The same task by other packages, side by side."""
