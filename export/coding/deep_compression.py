"""Deep Compression: zeros left out, weights shared, and what is left coded by frequency.

A matrix is stored as three things: the gap before each weight that is not zero, the number of
the shared value that the weight has, and the shared values themselves. Gaps and numbers are
Huffman coded. Vectors (biases, normalisation) are few and stay as they are.

    4 bytes  magic "GKDC", uint8 version
    uint16   tensors; for each of them
             uint8 length and UTF-8 name, uint8 axes, uint32 size of each,
             uint8 kind: 0 = plain float32; 1 = uint16 shared values (float32), gaps, numbers;
             2 = two float32 values and one bit for each weight, the first bit highest

A gap above 254 is written as 255, which moves on by 255 weights without placing one.

References
----------
Han, Mao, Dally, "Deep Compression: compressing deep neural networks with pruning, trained
quantization and Huffman coding", ICLR 2016.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from genrekit.arrays import Float32
from genrekit.errors import ArtifactError, ConfigError

from . import huffman

_MAGIC, _VERSION = b"GKDC", 1
_FAR = 255  # the gap that places no weight
_MAX_VALUES = 1 << 26
_PLAIN, _SHARED, _BITS = 0, 1, 2
_ROUNDS = 30  # of k-means; the codebooks here settle within 20


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stages:
    """Bytes after each stage, as the paper counts them.

    Parameters
    ----------
    dense : int
        Every number as float32.
    pruned : int
        Weights that are not zero as float32, with a one-byte gap each.
    shared : int
        Their numbers in as few whole bits as the codebook needs, gaps and codebook.
    coded : int
        The whole file, Huffman coded.
    """

    dense: int
    pruned: int
    shared: int
    coded: int


def share_weights(weights: Float32, n_values: int) -> Float32:
    """Replace the weights that are not zero by the nearest of a few shared values.

    Parameters
    ----------
    weights : float32, any shape
    n_values : int
        Shared values, 1..256.

    Returns
    -------
    float32, same shape
        Zeros stay zero.

    References
    ----------
    Lloyd's k-means from values spread evenly over the range, which the paper found best:
    few but large weights matter.
    """
    if not 1 <= n_values <= 256:
        raise ConfigError(f"n_values={n_values}: must be 1..256")
    kept = weights[weights != 0]
    if not kept.size:
        return weights.copy()
    centres = np.linspace(kept.min(), kept.max(), n_values)
    for _ in range(_ROUNDS):
        # In one dimension the nearest centre is found between the midpoints.
        nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, kept)
        counts = np.bincount(nearest, minlength=n_values)
        sums = np.bincount(nearest, kept, minlength=n_values)
        centres = np.sort(np.where(counts > 0, sums / np.maximum(counts, 1), centres))
    nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, kept)
    shared = np.zeros_like(weights)
    # A centre of exactly zero would turn a kept weight into one that was left out.
    shared[weights != 0] = np.where(centres == 0, 1e-12, centres).astype(np.float32)[nearest]
    return shared


def store(tensors: Mapping[str, Float32]) -> bytes:
    """Write tensors whose matrices hold at most 256 different values besides zero.

    A matrix of two values and no zero takes one bit for each weight, as BinaryConnect counts.

    Raises
    ------
    ConfigError
        If a matrix holds more: share its weights first.
    """
    parts = [_MAGIC, struct.pack("<BH", _VERSION, len(tensors))]
    for name, tensor in tensors.items():
        parts.append(struct.pack("<B", len(name.encode())) + name.encode())
        parts.append(struct.pack(f"<B{tensor.ndim}I", tensor.ndim, *tensor.shape))
        if tensor.ndim < 2:
            parts.append(struct.pack("<B", _PLAIN) + tensor.astype("<f4").tobytes())
            continue
        gaps, numbers, values = _split(tensor, name)
        if len(values) == 2 and len(numbers) == tensor.size:
            parts.append(struct.pack("<B", _BITS) + values.astype("<f4").tobytes())
            parts.append(np.packbits(numbers).tobytes())
            continue
        parts.append(struct.pack("<BH", _SHARED, len(values)) + values.astype("<f4").tobytes())
        parts.append(huffman.encode(gaps, _FAR + 1))
        parts.append(huffman.encode(numbers, max(1, len(values))))
    return b"".join(parts)


def restore(data: bytes) -> dict[str, Float32]:
    """Read what `store` wrote: exactly the same tensors.

    Raises
    ------
    ArtifactError
        If it is not such a file, truncated, or larger than 2**26 values unpacked.
    """
    if data[:4] != _MAGIC:
        raise ArtifactError("not a file of compressed weights")
    try:
        version, count = struct.unpack_from("<BH", data, 4)
        if version != _VERSION:
            raise ArtifactError(f"compressed weights: version {version}, this reads {_VERSION}")
        tensors, place = {}, 7
        for _ in range(count):
            name, tensor, place = _read_tensor(data, place)
            tensors[name] = tensor
    except (struct.error, ValueError, IndexError) as error:
        raise ArtifactError(f"compressed weights: truncated or damaged: {error}") from error
    return tensors


def stages(tensors: Mapping[str, Float32]) -> Stages:
    """Count the bytes of pruned and shared tensors after each stage."""
    pruned = shared = 0
    for name, tensor in tensors.items():
        if tensor.ndim < 2:
            pruned, shared = pruned + 4 * tensor.size, shared + 4 * tensor.size
            continue
        gaps, numbers, values = _split(tensor, name)
        pruned += 4 * len(numbers) + len(gaps)
        bits = max(1, math.ceil(math.log2(max(2, len(values)))))
        shared += -(-bits * len(numbers) // 8) + len(gaps) + 4 * len(values)
    return Stages(
        dense=sum(4 * tensor.size for tensor in tensors.values()),
        pruned=pruned,
        shared=shared,
        coded=len(store(tensors)),
    )


def _split(
    tensor: Float32, name: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Take a matrix apart into gaps, numbers and values."""
    flat = tensor.ravel()
    places = np.flatnonzero(flat)
    values, numbers = np.unique(flat[places], return_inverse=True)
    if len(values) > 256:
        raise ConfigError(f"{name}: {len(values)} different weights, at most 256: share them first")
    gaps = np.diff(places, prepend=-1) - 1
    steps = gaps // _FAR  # of 255 weights each, before the gap itself
    coded = np.full(len(gaps) + int(steps.sum()), _FAR, np.uint8)
    coded[np.arange(len(gaps)) + np.cumsum(steps)] = gaps % _FAR
    return coded, numbers.astype(np.uint8), values


def _read_tensor(data: bytes, place: int) -> tuple[str, Float32, int]:
    length = data[place]
    name = data[place + 1 : place + 1 + length].decode()
    place += 1 + length
    axes = data[place]
    shape = struct.unpack_from(f"<{axes}I", data, place + 1)
    place += 1 + 4 * axes
    size, kind = math.prod(shape), data[place]
    if size > _MAX_VALUES or kind not in (_PLAIN, _SHARED, _BITS):
        raise ArtifactError(f"compressed weights: {name!r:.60} of {size} values, kind {kind}")
    place += 1
    if kind == _PLAIN:
        flat = np.frombuffer(data, "<f4", size, place).astype(np.float32)
        return name, flat.reshape(shape), place + 4 * size
    if kind == _BITS:
        both = np.frombuffer(data, "<f4", 2, place).astype(np.float32)
        packed = np.frombuffer(data, np.uint8, -(-size // 8), place + 8)
        flat = both[np.unpackbits(packed, count=size)]
        return name, flat.reshape(shape), place + 8 + len(packed)
    (n_values,) = struct.unpack_from("<H", data, place)
    values = np.frombuffer(data, "<f4", n_values, place + 2)
    place += 2 + 4 * n_values
    gaps, used = huffman.decode(data[place:])
    numbers, used_too = huffman.decode(data[place + used :])
    ends = np.cumsum(gaps.astype(np.int64) + (gaps != _FAR))[gaps != _FAR] - 1
    if len(ends) != len(numbers) or (len(ends) and ends[-1] >= size):
        raise ArtifactError(f"compressed weights: {name!r:.60}: gaps and numbers disagree")
    flat = np.zeros(size, np.float32)
    flat[ends] = values[numbers]
    return name, flat.reshape(shape), place + used + used_too
