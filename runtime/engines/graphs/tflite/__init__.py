"""Graphs of .tflite files: operators, values and shapes."""
