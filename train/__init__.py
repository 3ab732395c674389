"""Datasets, splits, models, fitting and metrics: what a PC does before the export."""
