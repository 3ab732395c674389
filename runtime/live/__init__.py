"""Live: a microphone or a stream, heard for months, and what it says shown as it goes."""
