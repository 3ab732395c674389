"""What runs on the device: NumPy and the standard library only."""
