"""Bytes installed, and licences."""
