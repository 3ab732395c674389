"""Models that a solver fits at once."""
