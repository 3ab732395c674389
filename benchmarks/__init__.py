"""What it costs and what it is worth: speed, accuracy, reliability, reports."""
