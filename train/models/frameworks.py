"""Frameworks: tf_keras and torchvision, imported where they are used, each with its guard."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genrekit.engines.interpreters import prepare_tensorflow
from genrekit.errors import DependencyError


def import_keras() -> Any:
    """Import tf_keras with TensorFlow quiet; return the module."""
    # Read at TensorFlow's import: Keras 2 for tensorflow-model-optimization.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    if "tf_keras" not in sys.modules:
        prepare_tensorflow()
        with _silent_stderr():
            importlib.import_module("tf_keras")
    return sys.modules["tf_keras"]


def import_torchvision() -> Any:
    """Import torchvision.

    Raises
    ------
    DependencyError
        If it was built for another torch.
    """
    try:
        import torchvision
    except RuntimeError as error:  # "operator torchvision::nms does not exist"
        raise DependencyError(
            "torchvision was built for another torch; install both from one index: "
            "pip install --force-reinstall torch torchvision"
        ) from error
    return torchvision


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Drop what C++ writes before its logging listens to any setting ("no GPU here")."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as sink:
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
