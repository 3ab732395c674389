"""Fewer bits: calibration, static quantization, quantization-aware training."""
