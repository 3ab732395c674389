"""Engine: whatever runs a model's graph, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ..arrays import Float32
from ..artifact.card import Card
from ..errors import EngineError


class Engine(Protocol):
    """A loaded model.

    Attributes
    ----------
    name : str
        As in `registry.ENGINES`.
    """

    name: str

    def run(self, inputs: Mapping[str, Float32]) -> Float32:
        """Compute logits.

        Parameters
        ----------
        inputs : mapping of str to float32, shape (windows, ...)
            One tensor per input of the card, any number of windows.

        Returns
        -------
        float32, shape (windows, labels)

        Raises
        ------
        EngineError
            If the engine fails, or the model gives something else than the card says.
        """
        ...

    def outputs(self, inputs: Mapping[str, Float32]) -> dict[str, Float32]:
        """Compute everything that the card names: logits, embedding, strangeness.

        Returns
        -------
        dict of str to float32, each of shape (windows, values)
            By the names of the graph's outputs.

        Raises
        ------
        EngineError
            As `run`.
        """
        ...


def checked_output(output: Any, rows: int, name: str, card: Card, path: object) -> Float32:
    """Return an engine's output as float32, its shape and values checked.

    Raises
    ------
    EngineError
        If it is not what the card says, or not finite.
    """
    array = np.asarray(output, dtype=np.float32)
    if array.ndim != 2 or len(array) != rows:
        raise EngineError(f"{path}: output {array.shape}, must be ({rows}, values)")
    if name == card.output and array.shape[1] != len(card.labels):
        raise EngineError(f"{path}: output {array.shape}, its card has {len(card.labels)} labels")
    if not np.isfinite(array).all():
        raise EngineError(f"{path}: the model gave a value that is not finite")
    return array


def brief(error: Exception) -> str:
    """Return the last line of an engine's own message."""
    lines = str(error).strip().splitlines()
    return lines[-1][:300] if lines else type(error).__name__
