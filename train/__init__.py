"""Data sets, models and training (PyTorch, TensorFlow, librosa as judge)."""
