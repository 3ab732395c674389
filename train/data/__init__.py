"""Data sets: finding, checking, splitting; GTZAN and its faults."""
