"""The engine that needs no wheel: NumPy alone."""
