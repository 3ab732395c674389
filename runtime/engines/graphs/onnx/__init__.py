"""Graphs of .onnx files: operators, values and shapes."""
