"""The machine: hardware, sensors, and what else runs on it."""
