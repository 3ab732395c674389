"""One file that holds a model and its card: reading, writing, and those in the wheel."""
