"""Teaching: a genre model from a handful of songs, on the device itself, with NumPy alone."""
