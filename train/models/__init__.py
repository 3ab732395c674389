"""Models, and one table of them."""
