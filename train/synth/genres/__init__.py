"""Ten genres as data."""
