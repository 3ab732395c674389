"""Decoding and resampling: from a file to mono float32 samples."""
