"""Default model: the artifact inside the wheel, for commands that are given no `--model`."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ArtifactError

DEFAULT_MODEL = Path(__file__).with_name("models") / "default.onnx"


def choose_model(given: str | os.PathLike[str] | None) -> Path:
    """Return the model that was asked for, else the packaged one.

    Raises
    ------
    ArtifactError
        If none was asked for and this installation has none.
    """
    if given is not None:
        return Path(given)
    if not DEFAULT_MODEL.is_file():
        raise ArtifactError(
            "this installation has no default model: name one with --model, made by "
            "'genrekit export'"
        )
    return DEFAULT_MODEL
