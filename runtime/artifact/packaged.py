"""Packaged models: the artifacts inside the wheel, each chosen by its name."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ArtifactError

DEFAULT = "default"
# Name -> what it is for. A new packaged model is a file in `models` and a line here.
PURPOSES = {
    DEFAULT: "ten genres, on weights that know music",
    "tags": "fifty tags, several a song",
    "tiny": "ten genres, the smallest, learned from a few hundred pictures",
}


def packaged_models() -> dict[str, Path]:
    """Return the packaged models that this installation has, by name."""
    folder = Path(__file__).with_name("models")
    paths = {name: folder / f"{name}.onnx" for name in PURPOSES}
    return {name: path for name, path in paths.items() if path.is_file()}


def choose_model(given: str | os.PathLike[str] | None) -> Path:
    """Return the model that was asked for, by file or packaged name, else the default.

    Raises
    ------
    ArtifactError
        If none was asked for and this installation has none.
    """
    packaged = packaged_models()
    if given is not None:
        path = Path(given)
        return packaged.get(str(given), path) if not path.exists() else path
    if DEFAULT not in packaged:
        raise ArtifactError(
            "this installation has no default model: name one with --model, made by "
            "'genrekit export'"
        )
    return packaged[DEFAULT]
