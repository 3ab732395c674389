"""Size, latency, memory and accuracy, measured and shown."""
