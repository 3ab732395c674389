"""Features against librosa's."""
