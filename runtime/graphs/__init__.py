"""Graphs: operators of .onnx and .tflite files, read and checked before an engine sees them."""
