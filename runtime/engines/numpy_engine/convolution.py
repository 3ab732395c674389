"""Kernels: convolution and pooling in NumPy, over arrays that are channels-last in memory.

Every array has the axes of its graph, (windows, channels, rows, columns), yet a convolution
lays its output out channels-last and returns a transposed view. NumPy's elementwise functions
keep that order, so that one layer's output is the next one's input without a copy, and the
patches of a convolution are copied in runs of `kernel width x channels`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...arrays import Float32
from ..graphs.onnx.sliding import Sliding

Kernel: TypeAlias = Callable[..., Float32]

# Floats of one block of patches, 512 KiB: half of it was 1.4 times slower over ResNet18's
# convolutions, twice of it no faster.
_BLOCK = 1 << 17


def make_convolution(weight: Float32, bias: Float32, sliding: Sliding, groups: int) -> Kernel:
    """Prepare a two-dimensional convolution; the weights are laid out once.

    Parameters
    ----------
    weight : float32, shape (outputs, channels // groups, rows, columns)
    bias : float32, shape (outputs,)
    sliding : Sliding
    groups : int

    Returns
    -------
    callable
        float32 (windows, channels, height, width) to (windows, outputs, height, width).
    """
    outputs, depth = weight.shape[:2]
    if depth == 1 and outputs == groups:
        taps = np.ascontiguousarray(weight[:, 0].transpose(1, 2, 0))
        return lambda x: _depthwise(x, taps, bias, sliding)
    each = outputs // groups
    # (groups, rows * columns * depth, each): what a patch, flattened, is multiplied with.
    matrices = np.ascontiguousarray(
        weight.reshape(groups, each, depth, -1).transpose(0, 3, 2, 1)
    ).reshape(groups, -1, each)
    if groups == 1:
        return lambda x: _convolve(x, matrices[0], bias, sliding)

    def grouped(x: Float32) -> Float32:
        parts = [
            _convolve(
                x[:, group * depth : (group + 1) * depth],
                matrices[group],
                bias[group * each : (group + 1) * each],
                sliding,
            )
            for group in range(groups)
        ]
        return np.concatenate(parts, axis=1)

    return grouped


def max_pool(x: Float32, sliding: Sliding) -> Float32:
    """Take the maximum under each kernel, first down the rows, then along the columns."""
    padded = _pad(x, sliding, -np.inf)
    height, width = sliding.output(x.shape[2:])
    rows = _fold(padded, 1, sliding, height, np.maximum)
    return _fold(rows, 2, sliding, width, np.maximum).transpose(0, 3, 1, 2)


def average_pool(x: Float32, sliding: Sliding, *, count_padding: bool) -> Float32:
    """Take the mean under each kernel; of the input's own values only, or of padding too."""
    height, width = sliding.output(x.shape[2:])

    def total(values: Float32) -> Float32:
        rows = _fold(_pad(values, sliding, 0.0), 1, sliding, height, np.add)
        return _fold(rows, 2, sliding, width, np.add).transpose(0, 3, 1, 2)

    if count_padding:
        count = np.float32(np.prod(sliding.kernel))
        return total(x) / count
    return total(x) / total(np.ones((1, 1, *x.shape[2:]), np.float32))


def spatial_mean(x: Float32) -> Float32:
    """Average over rows and columns, kept as axes of size 1."""
    channels_last = x.transpose(0, 2, 3, 1)
    mean = channels_last.reshape(len(x), -1, x.shape[1]).mean(axis=1)
    kept: Float32 = mean[:, :, None, None]
    return kept


def _pad(x: Float32, sliding: Sliding, fill: float) -> Float32:
    """Return the padded input, channels-last and contiguous."""
    channels_last = x.transpose(0, 2, 3, 1)
    if not any(sliding.before + sliding.after):
        return np.ascontiguousarray(channels_last)
    windows, height, width, channels = channels_last.shape
    (top, left), (bottom, right) = sliding.before, sliding.after
    shape = (windows, top + height + bottom, left + width + right, channels)
    padded = np.full(shape, fill, np.float32)
    padded[:, top : top + height, left : left + width] = channels_last
    return padded


def _fold(x: Float32, axis: int, sliding: Sliding, size: int, ufunc: np.ufunc) -> Float32:
    """Combine the taps of the kernel along one axis of a channels-last array."""
    stride, dilation = sliding.strides[axis - 1], sliding.dilations[axis - 1]
    total: Float32 | None = None
    for tap in range(sliding.kernel[axis - 1]):
        start = tap * dilation
        index = [slice(None)] * 4
        index[axis] = slice(start, start + stride * (size - 1) + 1, stride)
        part = x[tuple(index)]
        total = part.copy() if total is None else ufunc(total, part, out=total)
    return x if total is None else total


def _convolve(x: Float32, matrix: Float32, bias: Float32, sliding: Sliding) -> Float32:
    windows, outputs = len(x), matrix.shape[1]
    height, width = sliding.output(x.shape[2:])
    padded = _pad(x, sliding, 0.0)
    out = np.empty((windows, height, width, outputs), np.float32)
    if sliding.kernel == (1, 1):
        (down, across) = sliding.strides
        points = padded[:, ::down, ::across].reshape(-1, x.shape[1])
        np.matmul(points, matrix, out=out.reshape(-1, outputs))
    else:
        _multiply_patches(padded, matrix, sliding, out)
    out += bias
    return out.transpose(0, 3, 1, 2)


def _multiply_patches(padded: Float32, matrix: Float32, sliding: Sliding, out: Float32) -> None:
    """Copy patches of some rows into one matrix, multiply, go on: all of it stays in cache."""
    windows, height, width, outputs = out.shape
    depth = len(matrix)
    at_once = min(height, max(1, _BLOCK // (width * depth)))
    patches = np.empty((at_once * width, depth), np.float32)
    view = _patches(padded, sliding, height, width)
    for window in range(windows):
        for row in range(0, height, at_once):
            block = view[window, row : row + at_once]
            rows = len(block) * width
            np.copyto(patches[:rows].reshape(block.shape), block)
            product = out[window, row : row + at_once].reshape(rows, outputs)
            np.matmul(patches[:rows], matrix, out=product)


def _depthwise(x: Float32, taps: Float32, bias: Float32, sliding: Sliding) -> Float32:
    """Convolve each channel with its own kernel of `taps`, (rows, columns, channels)."""
    height, width = sliding.output(x.shape[2:])
    patches = _patches(_pad(x, sliding, 0.0), sliding, height, width)
    # einsum multiplies and adds in one pass over the channels: twice as fast as two ufuncs.
    out: Float32 = np.einsum("nhwijc,ijc->nhwc", patches, taps)
    out += bias
    return out.transpose(0, 3, 1, 2)


def _patches(padded: Float32, sliding: Sliding, height: int, width: int) -> Float32:
    """View a channels-last array as (windows, height, width, kernel rows, columns, channels)."""
    by_window, by_row, by_column, by_channel = padded.strides
    return as_strided(
        padded,
        (len(padded), height, width, *sliding.kernel, padded.shape[3]),
        (
            by_window,
            by_row * sliding.strides[0],
            by_column * sliding.strides[1],
            by_row * sliding.dilations[0],
            by_column * sliding.dilations[1],
            by_channel,
        ),
        writeable=False,
    )
