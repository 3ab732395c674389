"""Artifact: one file that holds a model and its card, read as if it were hostile."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Literal

from ..errors import ArtifactError
from ..files import read_bounded, write_whole
from . import onnx_file
from .card import Card, parse_card

MAX_ARTIFACT_BYTES = 1 << 30

Format = Literal["onnx", "tflite"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A checked model file.

    Parameters
    ----------
    path : Path
        Where it was read from.
    format : {"onnx", "tflite"}
    model : bytes
        The model without the card, its SHA-256 equal to the card's.
    card : Card
    size : int
        Bytes of the whole file.
    """

    path: Path
    format: Format
    model: bytes
    card: Card
    size: int


def read_artifact(path: str | os.PathLike[str]) -> Artifact:
    """Read a model file, its hashes checked before any engine sees a byte of it.

    Raises
    ------
    ArtifactError
        If it is truncated, altered, not a model, or has no card.
    FileError
        If it cannot be read or is over 1 GiB.
    """
    source = Path(path)
    data = read_bounded(source, MAX_ARTIFACT_BYTES)
    try:
        kind = detect_format(data)
        if kind == "onnx":
            model, text = onnx_file.split(data)
        else:
            from . import tflite_file  # it imports zipfile, which an .onnx need not wait for

            model, text = tflite_file.split(data)
        if text is None:
            raise ArtifactError(
                "no genrekit card in it: truncated, or not made by 'genrekit export'"
            )
        card = parse_card(text)
        if hashlib.sha256(model).hexdigest() != card.model_sha256:
            raise ArtifactError(
                "the model's SHA-256 does not match its card: corrupt; copy it again, or, if "
                "another tool saved it anew, take the file that genrekit wrote"
            )
    except ArtifactError as error:
        raise ArtifactError(f"{source}: {error}") from error
    return Artifact(path=source, format=kind, model=model, card=card, size=len(data))


def read_card(path: str | os.PathLike[str]) -> Card:
    """Read the card of a model file, checked as `read_artifact` checks it.

    Raises
    ------
    ArtifactError, FileError
    """
    return read_artifact(path).card


def write_artifact(path: str | os.PathLike[str], model: bytes, card: Card) -> Artifact:
    """Seal `card` for `model`, join both and write them whole; the suffix must fit the model.

    Raises
    ------
    ArtifactError
        If the suffix is not the format's.
    FileError
        If it cannot be written.
    """
    target = Path(path)
    kind = detect_format(model)
    if target.suffix != f".{kind}":
        raise ArtifactError(f"{target}: an {kind} model must be named *.{kind}")
    sealed = card.sealed(model)
    text = sealed.to_json().encode("utf-8")
    if kind == "onnx":
        data = onnx_file.join(model, text)
    else:
        from . import tflite_file

        data = tflite_file.join(model, text, sealed.labels)
    write_whole(target, data)
    return Artifact(path=target, format=kind, model=model, card=sealed, size=len(data))


# How files begin that people take for models, or get in place of one.
_NO_MODELS = {
    b"version https://git-lfs": "a Git LFS pointer, not the file itself: run 'git lfs pull'",
    b"<": "a web page or XML, not a model: a download that went wrong?",
    b"{": "JSON, not a model",
    b"\x89PNG": "a PNG picture, not a model",
    b"\xff\xd8\xff": "a JPEG picture, not a model",
    b"GIF8": "a GIF picture, not a model",
    b"%PDF": "a PDF document, not a model",
    b"PK\x03\x04": "a ZIP archive (a .pt or .keras file is one), not .onnx or .tflite",
    b"\x1f\x8b": "a gzip archive, not a model: unpack it first",
    b"\x89HDF": "an HDF5 file (Keras), not .onnx or .tflite: export it",
    b"RIFF": "a WAV song, not a model",
    b"ID3": "an MP3 song, not a model",
    b"fLaC": "a FLAC song, not a model",
    b"OggS": "an Ogg song, not a model",
    b"\x80\x04": "a Python pickle, which is never opened",
    b"\x80\x02": "a Python pickle, which is never opened",
}


def detect_format(data: bytes) -> Format:
    """Tell a TFLite flatbuffer by its identifier; everything else must parse as ONNX.

    Raises
    ------
    ArtifactError
        If it is something else that is easily told.
    """
    if not data:
        raise ArtifactError("the file is empty")
    for beginning, what in _NO_MODELS.items():
        if data.startswith(beginning):
            raise ArtifactError(what)
    return "tflite" if data[4:8] == b"TFL3" else "onnx"
