"""Documents: the JSON files of a run folder, strict both ways."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from genrekit.errors import DataError
from genrekit.files import read_bounded, write_whole
from genrekit.strict_json import decode, encode, parse_json

from ..data.datasets import DataSource
from ..data.splits import Split
from ..evaluation.results import Evaluation
from ..hyperparameters import Hyperparameters
from ..inputs.representation import Representation

SCHEMA_VERSION = 1
MAX_DOCUMENT_BYTES = 1 << 26

ASKED = "run.json"
HISTORY = "history.json"
METRICS = "metrics.json"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunSettings:
    """Everything that decides the outcome of a training.

    Parameters
    ----------
    schema : int
        Version of this document.
    genrekit : str
        The kit's version.
    model : str
        Name of the architecture.
    data : DataSource
        Where the tracks lie.
    split : Split
        Which tracks do what.
    excluded : dict of str to str
        Tracks left out, with the reason: unreadable, as a rule.
    labels : tuple of str
        Genres, in the order of the logits.
    representation : Representation
        What the model sees; its normalisation was measured on the training tracks.
    seed : int
        Of the split, the initial weights and every random choice in training.
    hyperparameters : Hyperparameters
    deployable : bool
        Whether the runtime can compute the model's inputs from audio.
    """

    schema: int
    genrekit: str
    model: str
    data: DataSource
    split: Split
    excluded: dict[str, str]
    labels: tuple[str, ...]
    representation: Representation
    seed: int
    hyperparameters: Hyperparameters
    deployable: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    """What came out of a training.

    Parameters
    ----------
    parameters : int
        Trainable numbers of the model.
    epochs, best_epoch : int
        Epochs trained, and which of them (from 1) gave the weights.
    seconds : float
        Time spent in training, over all sittings.
    valid, test : Evaluation
    """

    parameters: int
    epochs: int
    best_epoch: int
    seconds: float
    valid: Evaluation
    test: Evaluation


def read_settings(folder: Path) -> RunSettings | None:
    """Read `run.json`; None if there is none.

    Raises
    ------
    DataError
        If it is of another version of the kit's schema.
    ConfigError
        If it breaks the schema.
    """
    path = folder / ASKED
    if not path.exists():
        return None
    document = read_document(path)
    version = document.get("schema") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise DataError(f"{path}: schema {version}, this genrekit reads {SCHEMA_VERSION}")
    return decode(RunSettings, document, str(path))


def read_document(path: Path) -> Any:
    """Read a JSON document of a run."""
    return parse_json(read_bounded(path, MAX_DOCUMENT_BYTES), str(path))


def write_document(path: Path, value: Any) -> None:
    """Write a dataclass or JSON value, indented for people."""
    text = json.dumps(encode(value), indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(path, text + "\n")


def differences(old: RunSettings, new: RunSettings) -> list[str]:
    """Name the settings that differ, with both values, shortened."""
    return [
        f"{name} ({_short(before)} then, {_short(after)} now)"
        for name, before, after in _leaves(encode(old), encode(new), "")
        if before != after and name != "genrekit"
    ]


def _leaves(old: Any, new: Any, name: str) -> list[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        prefix = f"{name}." if name else ""
        return [leaf for key in old for leaf in _leaves(old[key], new[key], prefix + key)]
    return [(name, old, new)]


def _short(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"{len(value)} entries"
    return f"{value!s:.60}"
