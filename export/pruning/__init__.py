"""Removing weights, neurons and channels."""
