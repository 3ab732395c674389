"""Coding of weights as in the literature: Deep Compression, BinaryConnect."""
