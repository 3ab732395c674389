"""Conversion to .onnx and .tflite."""
