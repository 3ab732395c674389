"""Sparsity: where the stored values of a sparse TFLite tensor stand in the dense one.

A tensor is stored level by level in `traversal_order`. A dense level lists every coordinate of
its dimension; a compressed one (CSR) lists, for each entry of the level above, the coordinates
`indices[segments[e] : segments[e + 1]]`. Dimensions beyond the tensor's rank walk inside
blocks; `block_map` says which dimension each of them splits.

References
----------
tensorflow/lite/schema/schema.fbs, SparsityParameters;
tensorflow/lite/kernels/internal/utils/sparsity_format_converter.cc.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import ArtifactError

MAX_DENSE = 1 << 20  # elements of one tensor once it is dense: a layer of 1024 x 1024


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One level of storage; a dense one has no `segments` and `indices`."""

    dense_size: int
    segments: NDArray[Any] | None
    indices: NDArray[Any] | None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Sparsity:
    """How a sparse tensor is stored."""

    traversal_order: tuple[int, ...]
    block_map: tuple[int, ...]
    levels: tuple[Level, ...]


def locate_values(sparsity: Sparsity, shape: tuple[int, ...], count: int) -> NDArray[np.intp]:
    """Return the flat position of each stored value in the dense tensor.

    Parameters
    ----------
    sparsity : Sparsity
    shape : tuple of int
        Of the dense tensor.
    count : int
        Stored values.

    Returns
    -------
    intp, shape (count,)

    Raises
    ------
    ArtifactError
        If the description is not that of `count` values inside `shape`.
    """
    rank, levels = len(shape), sparsity.levels
    order, block_map = sparsity.traversal_order, sparsity.block_map
    if sorted(order) != list(range(rank + len(block_map))) or len(levels) != len(order):
        raise ArtifactError("sparsity: its traversal order does not fit the tensor")
    if len(set(block_map)) != len(block_map) or not all(0 <= axis < rank for axis in block_map):
        raise ArtifactError("sparsity: its block map does not fit the tensor")
    if math.prod(shape) > MAX_DENSE:
        raise ArtifactError(f"sparsity: {math.prod(shape)} elements once dense, over {MAX_DENSE}")
    by_axis = dict(zip(order, levels, strict=True))
    block = [1] * rank
    for number, axis in enumerate(block_map):
        block[axis] = by_axis[rank + number].dense_size
    if any(size < 1 or full % size for full, size in zip(shape, block, strict=True)):
        raise ArtifactError("sparsity: its blocks do not divide the tensor")
    # Every level has at most as many entries as there are values or segments in the file.
    limit = max([count, *(len(level.segments) for level in levels if level.segments is not None)])
    strides = [math.prod(shape[axis + 1 :]) for axis in range(rank)]
    entries = np.zeros(1, np.intp)
    place = np.zeros(1, np.intp)
    for axis, level in zip(order, levels, strict=True):
        inner = axis >= rank
        whole = block_map[axis - rank] if inner else axis
        size = block[whole] if inner else shape[whole] // block[whole]
        parent, entries, coordinate = _descend(level, entries, size, limit)
        step = strides[whole] * (1 if inner else block[whole])
        place = place[parent] + coordinate * step
    if len(place) != count or not np.array_equal(entries, np.arange(count)):
        raise ArtifactError(f"sparsity: describes {len(place)} values, {count} are stored")
    return place


def _descend(
    level: Level, entries: NDArray[np.intp], size: int, limit: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Expand each entry by one level: index of its parent, its number, its coordinate."""
    if level.segments is None or level.indices is None:
        if level.dense_size != size or len(entries) * size > limit:
            raise ArtifactError(f"sparsity: a dense level of {level.dense_size} does not fit")
        parent = np.repeat(np.arange(len(entries)), size)
        coordinate = np.tile(np.arange(size), len(entries))
        return parent, entries[parent] * size + coordinate, coordinate
    segments = level.segments.astype(np.intp)
    indices = level.indices.astype(np.intp)
    lengths = np.diff(segments)
    if len(segments) != len(entries) + 1 or segments[0] != 0 or (lengths < 0).any():
        raise ArtifactError("sparsity: the segments of a compressed level do not fit")
    if segments[-1] != len(indices) or len(indices) > limit:
        raise ArtifactError("sparsity: the indices of a compressed level do not fit")
    if len(indices) and not (indices.min() >= 0 and indices.max() < size):
        raise ArtifactError(f"sparsity: an index outside 0..{size - 1}")
    parent = np.repeat(np.arange(len(entries)), lengths)
    return parent, np.arange(len(indices)), indices
