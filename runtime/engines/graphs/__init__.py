"""Graphs of models, read and bounded before any engine sees them."""
