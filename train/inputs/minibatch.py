"""Batch: windows and what they should give, as a learner takes them."""

from __future__ import annotations

from typing import NamedTuple

from genrekit.arrays import Float32


class Batch(NamedTuple):
    """Windows and what they should give.

    `inputs` holds one array, shape (n, *spec.shape), for each of the model's inputs; `targets`
    are probabilities, float32, shape (n, labels).
    """

    inputs: tuple[Float32, ...]
    targets: Float32
