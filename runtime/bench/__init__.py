"""Bench: what a model costs on this machine, in bytes, time and memory, under stated conditions."""
