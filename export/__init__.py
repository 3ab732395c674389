"""From a trained run to one small file, verified."""
