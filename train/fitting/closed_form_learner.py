"""Closed-form learner: the training loop's interface to a model that a solver fits at once."""

from __future__ import annotations

import numpy as np
import torch

from genrekit.arrays import Float32
from genrekit.errors import DataError

from ..inputs.minibatch import Batch
from ..models.classical.closed_form import ClosedFormModel
from .torch_learner import TorchLearner


class ClosedFormLearner(TorchLearner):
    """Implements `Learner` for a solved model: an epoch's batches are one problem.

    Batches are collected; the first question about the model has the problem solved. Choices
    that a solver makes at random come from the epoch's seed.

    Parameters
    ----------
    model : ClosedFormModel
    device : torch.device
        Where the model is judged; solvers run on the CPU.
    """

    def __init__(self, model: ClosedFormModel, device: torch.device) -> None:
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
