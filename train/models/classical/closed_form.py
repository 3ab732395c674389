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

from genrekit.arrays import Float32, Int64
from genrekit.errors import ConfigError


class ClosedFormModel(nn.Module, abc.ABC):
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
