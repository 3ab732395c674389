"""Metrics, and the scores of tracks."""
