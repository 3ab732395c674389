"""The search for the smallest candidate that keeps the accuracy."""
