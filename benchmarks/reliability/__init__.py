"""Kills, full disks and hostile files: what survives."""
