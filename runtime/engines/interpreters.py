"""Interpreters: the TFLite interpreter class of each package that has one, bare of our checks."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable
from typing import Any

# Engine, as in `registry.ENGINES` -> module and path of the class in it.
INTERPRETERS = {
    "litert": ("ai_edge_litert.interpreter", "Interpreter"),
    "tflite-runtime": ("tflite_runtime.interpreter", "Interpreter"),
    "tensorflow": ("tensorflow", "lite.Interpreter"),
}


def load_interpreter(engine: str) -> Callable[..., Any]:
    """Import the package of one of `INTERPRETERS` and return its class."""
    module, path = INTERPRETERS[engine]
    if engine == "tensorflow":
        prepare_tensorflow()
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    made: Callable[..., Any] = found
    return made


def prepare_tensorflow() -> None:
    """Make TensorFlow quiet, and safe beside PyTorch; call it before TensorFlow is imported.

    torchvision loads triton, whose LLVM crashes when it is loaded after TensorFlow's.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.suppress(ImportError):
        importlib.import_module("triton")
