"""From tracks to batches: what a model sees, cached and augmented."""
