"""Exact reduction of musicnn: filters whose weights have decayed to nothing are folded away.

A convolution filter of zeros gives one number whatever it hears: its bias through the ReLU and
the batch norm. Nine tenths of the front end of the Million Song network are such filters. Their
numbers go into the layers that read them, and the network computes what it did before.

A convolution pads with zeros, not with those numbers, so that the first and last frames differ.
That is kept by one channel of ones in their place: a filter of zeros with the bias 1.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from genrekit.arrays import Float32, Float64, Int64

_DEAD = 1e-4  # sum of a filter's magnitudes; those that live have over 0.04
_EPSILON = 1e-3  # of the batch norms
FRONT = 5  # branches of the front end


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Convolution:
    """A convolution, its ReLU and the batch norm behind it.

    Parameters
    ----------
    weight : float64
        Shape (filters, bands, frames) in the front end, (filters, channels, frames) behind it.
    bias, scale, shift : float64, shape (filters,)
        The layer gives `scale * relu(conv + bias) + shift`.
    """

    weight: Float64
    bias: Float64
    scale: Float64
    shift: Float64

    def constants(self) -> Float64:
        """Return what each filter gives where its weights are nothing."""
        return self.scale * np.maximum(self.bias, 0.0) + self.shift

    def living(self) -> Int64:
        """Return the filters that hear anything."""
        return np.flatnonzero(np.abs(self.weight).sum(axis=(1, 2)) > _DEAD)

    def kept(self, filters: Int64) -> Convolution:
        """Return the layer with these filters alone, in this order."""
        return Convolution(
            weight=self.weight[filters],
            bias=self.bias[filters],
            scale=self.scale[filters],
            shift=self.shift[filters],
        )

    def with_ones(self) -> Convolution:
        """Return the layer with one more filter, which always gives 1."""
        nothing = np.zeros((1, *self.weight.shape[1:]))
        one, zero = np.ones(1), np.zeros(1)
        return Convolution(
            weight=np.concatenate([self.weight, nothing]),
            bias=np.concatenate([self.bias, one]),
            scale=np.concatenate([self.scale, one]),
            shift=np.concatenate([self.shift, zero]),
        )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Reduced:
    """The network without its dead filters.

    Parameters
    ----------
    scale, shift : float
        Of the input's batch norm.
    front : tuple of Convolution
        Five branches over (bands, frames); the maximum over the bands follows each.
    middle : tuple of Convolution
        Three layers over the channels; the second and third add what they were given.
    carry : float64, shape (filters of the second, channels of the first)
        Which channels of the first middle layer the second adds to itself.
    pool_scale : float64, shape (pooled,)
        Of the pooled values, maxima first and means behind them.
    dense_weight : float64, shape (pooled, 200)
    dense_bias, embedding_scale, embedding_shift : float64, shape (200,)
    tag_weight : float64, shape (200, tags)
    tag_bias : float64, shape (tags,)
    """

    scale: float
    shift: float
    front: tuple[Convolution, ...]
    middle: tuple[Convolution, ...]
    carry: Float64
    pool_scale: Float64
    dense_weight: Float64
    dense_bias: Float64
    embedding_scale: Float64
    embedding_shift: Float64
    tag_weight: Float64
    tag_bias: Float64


def reduce_musicnn(tensors: dict[str, Float32]) -> Reduced:
    """Fold every dead filter of a musicnn network into what reads it.

    Parameters
    ----------
    tensors : dict of str to float32
        As `load_musicnn` returns them.
    """
    w = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    scale, shift = _norm(w, 0)
    front = [_front(w, i) for i in range(FRONT)]
    living = [branch.living() for branch in front]
    first, second, third = (_middle(w, i) for i in range(3))
    live_1 = first.living()

    # What the first middle layer reads: the living channels, then ones for all constants.
    ends = np.cumsum([len(branch.bias) for branch in front])
    starts = [end - len(branch.bias) for end, branch in zip(ends, front, strict=True)]
    alive = np.concatenate([own + start for own, start in zip(living, starts, strict=True)])
    values = np.concatenate([branch.constants() for branch in front])
    kept = first.kept(live_1)
    middle_1 = dataclasses.replace(kept, weight=_folded(kept.weight, alive, values)).with_ones()
    # The second reads the living filters of the first, then ones; it adds its input to itself.
    constants_1 = first.constants()
    size = len(second.bias)
    carry = np.zeros((size, len(live_1) + 1))
    carry[live_1, np.arange(len(live_1))] = 1.0
    fixed = np.setdiff1d(np.arange(size), live_1)
    carry[fixed, -1] = constants_1[fixed]
    middle_2 = dataclasses.replace(second, weight=_folded(second.weight, live_1, constants_1))

    # The dense layer reads maximum and mean of each channel in turn; here all maxima come first.
    factor, offset = _norm(w, 9)
    dense = w["dense/kernel"]
    bias = w["dense/bias"] + offset @ dense
    rows = (factor[:, None] * dense).reshape(-1, 2, dense.shape[1])
    total = len(values)
    dead_front = np.setdiff1d(np.arange(total), alive)
    bias = bias + values[dead_front] @ rows[dead_front].sum(axis=1)
    dead_1 = np.setdiff1d(np.arange(size), live_1)
    bias = bias + constants_1[dead_1] @ rows[total + dead_1].sum(axis=1)
    none = np.zeros((1, 2, dense.shape[1]))  # the dense layer has no use for ones
    order = np.concatenate([rows[alive], none, rows[total + live_1], none, rows[total + size :]])
    weight = np.concatenate([order[:, 0], order[:, 1]])
    # Rows differ a thousandfold: their size is kept apart, so that 8 bits are enough for the rest.
    pool_scale = np.abs(weight).max(axis=1)
    pool_scale[pool_scale == 0.0] = 1.0
    embedding_scale, embedding_shift = _norm(w, 10)
    branches = [branch.kept(own) for branch, own in zip(front, living, strict=True)]
    return Reduced(
        scale=float(scale[0]),
        shift=float(shift[0]),
        front=(*branches[:-1], branches[-1].with_ones()),
        middle=(middle_1, middle_2, third),
        carry=carry,
        pool_scale=pool_scale,
        dense_weight=weight / pool_scale[:, None],
        dense_bias=bias,
        embedding_scale=embedding_scale,
        embedding_shift=embedding_shift,
        tag_weight=w["dense_1/kernel"],
        tag_bias=w["dense_1/bias"],
    )


def _folded(weight: Float64, alive: Int64, values: Float64) -> Float64:
    """Keep the living input channels; those that are constant become one channel of ones."""
    dead = np.setdiff1d(np.arange(weight.shape[1]), alive)
    ones = np.einsum("fct,c->ft", weight[:, dead], values[dead])
    return np.concatenate([weight[:, alive], ones[:, None]], axis=1)


def _front(w: dict[str, Float64], index: int) -> Convolution:
    kernel = w[f"conv2d_{index}/kernel" if index else "conv2d/kernel"]  # (frames, bands, 1, n)
    return _layer(w, index, kernel[:, :, 0].transpose(2, 1, 0))


def _middle(w: dict[str, Float64], index: int) -> Convolution:
    kernel = w[f"conv2d_{FRONT + index}/kernel"]  # (frames, channels, 1, filters)
    return _layer(w, FRONT + index, kernel[:, :, 0].transpose(2, 1, 0))


def _layer(w: dict[str, Float64], index: int, weight: Float64) -> Convolution:
    scale, shift = _norm(w, index + 1)
    bias = w[f"conv2d_{index}/bias" if index else "conv2d/bias"]
    return Convolution(weight=weight, bias=bias, scale=scale, shift=shift)


def _norm(w: dict[str, Float64], index: int) -> tuple[Float64, Float64]:
    """Return a batch norm as factor and offset."""
    name = f"batch_normalization_{index}" if index else "batch_normalization"
    factor = w[f"{name}/gamma"] / np.sqrt(w[f"{name}/moving_variance"] + _EPSILON)
    return factor, w[f"{name}/beta"] - w[f"{name}/moving_mean"] * factor
