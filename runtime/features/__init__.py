"""Features of audio in NumPy, and one table of their kinds."""
