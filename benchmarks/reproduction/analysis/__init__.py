"""Figures, distances and checks beside the reproduced systems."""
