"""Nearest neighbour: the genre of the most similar training window; a control, not a model.

Where it does well on segments of tracks that it knows and badly on tracks that it does not, it
has found the same recording again: so would any other model.
"""

from __future__ import annotations

import numpy as np
import torch

from genrekit.arrays import Float32, Int64
from genrekit.artifact.sections import InputSpec

from .closed_form import ClosedFormModel, vector_size


class NearestNeighbour(ClosedFormModel):
    """Logits are minus the squared Euclidean distance to each genre's nearest window.

    Parameters
    ----------
    n_values, n_labels : int

    References
    ----------
    Cover, Hart: "Nearest neighbor pattern classification", IEEE Transactions on Information
    Theory 13(1), 1967.
    """

    examples: torch.Tensor

    def __init__(self, n_values: int, n_labels: int) -> None:
        super().__init__(n_labels)
        self.register_buffer("examples", torch.zeros(n_labels, 1, n_values))

    def solve(self, windows: Float32, labels: Int64) -> None:
        """Keep every window, genre by genre; the shorter lists repeat themselves."""
        longest = int(np.bincount(labels).max())
        by_label = [windows[labels == label] for label in range(self.n_labels)]
        self.fill(examples=np.stack([own[np.arange(longest) % len(own)] for own in by_label]))

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Compute logits, shape (windows, labels)."""
        n_labels, longest, n_values = self.examples.shape
        flat = self.examples.reshape(-1, n_values)
        squares = (windows * windows).sum(dim=1, keepdim=True) + (flat * flat).sum(dim=1)
        distance = squares - 2.0 * windows @ flat.T
        return -distance.reshape(-1, n_labels, longest).amin(dim=2)


def nearest_neighbour(inputs: tuple[InputSpec, ...], n_labels: int) -> NearestNeighbour:
    """Build a nearest-neighbour classifier for one vector."""
    return NearestNeighbour(vector_size(inputs), n_labels)
