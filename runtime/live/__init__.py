"""A microphone: sound sources, the listener, its display and its service."""
