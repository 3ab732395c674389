"""Interpreters: the TFLite interpreter class of each package that has one, bare of our checks."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

# Engine, as in `engines.ENGINES` -> module and path of the class in it.
_CLASSES = {
    "litert": ("ai_edge_litert.interpreter", "Interpreter"),
    "tflite-runtime": ("tflite_runtime.interpreter", "Interpreter"),
    "tensorflow": ("tensorflow", "lite.Interpreter"),
}
INTERPRETERS = tuple(_CLASSES)


def load_interpreter(engine: str) -> Callable[..., Any]:
    """Import the package of one of `INTERPRETERS` and return its class."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    module, path = _CLASSES[engine]
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    made: Callable[..., Any] = found
    return made
