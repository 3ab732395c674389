"""Harmonic-percussive source separation."""
