"""Music composed by rule, for demos and tests."""
