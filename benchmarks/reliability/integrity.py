"""Wholeness: whether a file can be read to its end, and what a folder of results holds."""

from __future__ import annotations

import csv
import hashlib
import importlib
import json
import wave
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from genrekit.artifact.container import read_artifact
from genrekit.files import is_unfinished

# Of a result: how long something took, and when it was.
_VOLATILE = {"seconds", "created", "evaluations", "latency_ms", "train_s", "machine"}
_PNG_END = b"IEND\xaeB`\x82"


def find_files(folder: Path) -> Iterator[Path]:
    """Yield the files that a user sees as results, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not is_unfinished(path.name):
            yield path


def find_leftovers(folder: Path) -> list[Path]:
    """Return unfinished files, which have names of their own."""
    return [path for path in folder.rglob(".*") if is_unfinished(path.name)]


def is_whole(path: Path) -> bool:
    """Tell whether a file is complete; a journal of rows may end in a torn one.

    Raises
    ------
    KeyError
        If this module knows no way to tell for files of this kind.
    """
    try:
        return _CHECKS[path.suffix](path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, wave.Error):
        return False


def read_rows(path: Path) -> list[Any]:
    """Return the rows of a results file; a torn last one is left out."""
    if path.suffix == ".parquet":
        parquet = importlib.import_module("pyarrow.parquet")
        return list(parquet.read_table(path).to_pylist())
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    whole = text[: text.rfind("\n") + 1]
    if path.suffix == ".csv":
        return list(csv.DictReader(whole.splitlines()))
    return [json.loads(line) for line in whole.splitlines()]


def snapshot(folder: Path) -> dict[str, str]:
    """Describe what a folder holds, but for times: a digest of each file by its name."""
    return {str(path.relative_to(folder)): _digest(path) for path in find_files(folder)}


def _digest(path: Path) -> str:
    if path.suffix in _ROWS:
        rows = sorted(json.dumps(_settled(row), sort_keys=True) for row in read_rows(path))
        content = "\n".join(rows).encode()
    elif path.suffix == ".json":
        content = json.dumps(_settled(json.loads(path.read_bytes())), sort_keys=True).encode()
    else:
        content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _settled(value: Any) -> Any:
    """Return a JSON value without what differs from run to run."""
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items() if key not in _VOLATILE}
    if isinstance(value, list):
        return [_settled(item) for item in value]
    return value


def _has_single_rows(path: Path) -> bool:
    names = [row["file"] for row in read_rows(path)]
    return len(names) == len(set(names))


def _is_archive(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return archive.testzip() is None


def _is_sound(path: Path) -> bool:
    with wave.open(str(path), "rb") as sound:
        size = sound.getnframes() * sound.getsampwidth() * sound.getnchannels()
        return len(sound.readframes(sound.getnframes())) == size > 0


def _is_array(path: Path) -> bool:
    return bool(np.load(path, allow_pickle=False).size)


def _is_json(path: Path) -> bool:
    return json.loads(path.read_bytes()) is not None


_ROWS = {".jsonl", ".csv", ".parquet"}
_CHECKS: dict[str, Callable[[Path], bool]] = {
    **dict.fromkeys(_ROWS, _has_single_rows),
    ".json": _is_json,
    ".md": lambda path: path.read_text("utf-8").endswith("\n"),
    ".npy": _is_array,
    ".npz": _is_archive,
    **dict.fromkeys((".pt", ".weights", ".checkpoint", ".best"), _is_archive),
    ".png": lambda path: path.read_bytes().endswith(_PNG_END),
    ".wav": _is_sound,
    ".onnx": lambda path: read_artifact(path).size > 0,
    ".tflite": lambda path: read_artifact(path).size > 0,
}
