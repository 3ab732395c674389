"""Folders of songs: finding, worker processes, result files."""
