"""The compression results: candidates on unseen tracks, and the literature."""
