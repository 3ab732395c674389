"""Solved models: fitted at once to all windows instead of step by step.

What the solver finds is written into the buffers of a torch module made of plain arithmetic. So
a support vector machine, boosted trees and nearest neighbours are saved, judged, exported and
run on a device as any network is.
"""

from __future__ import annotations

import abc
from typing import Any

import numpy as np
import torch
from torch import nn

from genrekit.runtime.arrays import Float32, Int64
from genrekit.runtime.errors import ConfigError, DataError

from .batch import Batch
from .torch_learner import TorchLearner


class SolvedModel(nn.Module, abc.ABC):
    """A module whose buffers a solver fills; their sizes depend on the training data."""

    def __init__(self, n_labels: int) -> None:
        super().__init__()
        self.n_labels = n_labels

    @abc.abstractmethod
    def solve(self, windows: Float32, labels: Int64) -> None:
        """Fit to all windows at once.

        Parameters
        ----------
        windows : float32, shape (n, values)
        labels : int64, shape (n,)
        """

    def fill(self, **arrays: Any) -> None:
        """Set buffers by name."""
        for name, array in arrays.items():
            setattr(self, name, torch.from_numpy(np.ascontiguousarray(array)))

    def count(self) -> int:
        """Count the numbers that were learned."""
        return sum(buffer.numel() for buffer in self.buffers(recurse=False))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        for name, buffer in list(self.named_buffers(recurse=False)):
            given = state_dict.get(prefix + name)
            if given is not None and given.ndim == buffer.ndim:
                setattr(self, name, torch.empty_like(given))
        super()._load_from_state_dict(state_dict, prefix, *rest)


class SolvingLearner(TorchLearner):
    """Implements `Learner` for a solved model: an epoch's batches are one problem.

    Batches are collected; the first question about the model has the problem solved. Choices
    that a solver makes at random come from the epoch's seed.

    Parameters
    ----------
    model : SolvedModel
    device : torch.device
        Where the model is judged; solvers run on the CPU.
    """

    def __init__(self, model: SolvedModel, device: torch.device) -> None:
        super().__init__(model, 0.0, device)
        self._solved = model
        self._batches: list[Batch] = []

    def begin_epoch(self, seed: int) -> None:
        """Seed the solver and forget the batches of the epoch before."""
        super().begin_epoch(seed)
        self._batches = []

    def step(self, batch: Batch, learning_rate: float) -> float:  # noqa: ARG002 - nothing descends
        """Collect a batch; the loss is known to the solver alone and is given as 0."""
        self._batches.append(batch)
        return 0.0

    def logits(self, inputs: tuple[Float32, ...]) -> Float32:
        """Judge windows: float32, shape (n, labels)."""
        self._solve()
        return super().logits(inputs)

    def parameters(self) -> int:
        """Count the numbers that were learned."""
        self._solve()
        return self._solved.count()

    def weights(self) -> bytes:
        """Serialise the model."""
        self._solve()
        return super().weights()

    def checkpoint(self, note: str) -> bytes:
        """Serialise the model and a note."""
        self._solve()
        return super().checkpoint(note)

    def _solve(self) -> None:
        if not self._batches:
            return
        windows = np.concatenate([batch.inputs[0] for batch in self._batches])
        targets = np.concatenate([batch.targets for batch in self._batches])
        self._batches = []
        missing = sorted(set(range(targets.shape[1])) - set(targets.argmax(axis=1).tolist()))
        if missing:
            raise DataError(f"no training window has label {missing[0]}")
        self._solved.solve(windows, targets.argmax(axis=1).astype(np.int64))


def vector_size(inputs: Any) -> int:
    """Return the number of values of the one vector that a solved model takes.

    Raises
    ------
    ConfigError
        If the inputs are anything else.
    """
    if len(inputs) != 1 or inputs[0].layout != "vector":
        raise ConfigError("this model takes one vector of features, no images and no series")
    return int(inputs[0].shape[0])
