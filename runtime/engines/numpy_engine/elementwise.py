"""Elementwise kernels: each takes arrays and `out`, an array to overwrite or None.

They are made once, with all their numbers in float32: a Python float would do with NumPy 2,
but a float64 scalar would make NumPy 1 and 2 differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ...arrays import Float32

Kernel: TypeAlias = Callable[..., Float32]


def quantise(factor: float, low: float, high: float) -> Kernel:
    """Multiply, round half to even and clip: real numbers to centred integers."""
    by, lowest, highest = np.float32(factor), np.float32(low), np.float32(high)

    def kernel(x: Float32, out: Float32 | None) -> Float32:
        if by != 1.0:
            x = out = np.multiply(x, by, out=out)
        rounded: Float32 = np.rint(x, out=out)
        return np.clip(rounded, lowest, highest, out=rounded)

    return kernel


def clip(low: float, high: float) -> Kernel:
    """Clip to an interval, which may be open at either end."""
    lowest, highest = np.float32(low), np.float32(high)
    if np.isposinf(highest):
        return lambda x, out: np.maximum(x, lowest, out=out)
    return lambda x, out: np.clip(x, lowest, highest, out=out)


def scale(factor: Float32 | float) -> Kernel:
    """Multiply with one number, or with an array that broadcasts."""
    by = np.asarray(factor, np.float32)
    return lambda x, out: np.multiply(x, by, out=out)


def shift(offset: Float32 | float) -> Kernel:
    """Add one number, or an array that broadcasts."""
    plus = np.asarray(offset, np.float32)
    return lambda x, out: np.add(x, plus, out=out)


def affine(factor: Float32 | float, offset: Float32 | float) -> Kernel:
    """Multiply, then add; either number may differ by channel."""
    by, plus = np.asarray(factor, np.float32), np.asarray(offset, np.float32)

    def kernel(x: Float32, out: Float32 | None) -> Float32:
        product: Float32 = np.multiply(x, by, out=out)
        product += plus
        return product

    return kernel


def add_scaled(factor: float) -> Kernel:
    """Add two arrays, the second one multiplied."""
    by = np.float32(factor)

    def kernel(x: Float32, y: Float32, out: Float32 | None) -> Float32:
        return np.add(x, y if by == 1.0 else y * by, out=out)

    return kernel


def hard_sigmoid(slope: float, offset: float) -> Kernel:
    """Clip a line to 0..1."""
    line = affine(slope, offset)
    zero, one = np.float32(0.0), np.float32(1.0)

    def kernel(x: Float32, out: Float32 | None) -> Float32:
        y = line(x, out)
        return np.clip(y, zero, one, out=y)

    return kernel


def hard_swish(scale: float) -> Kernel:
    """X * hard_sigmoid(scale * x / 6 + 1 / 2): keeps the scale of x."""
    gate = hard_sigmoid(scale / 6.0, 0.5)
    return lambda x, out: np.multiply(x, gate(x, None), out=out)


def leaky_relu(slope: float) -> Kernel:
    """Multiply what is below 0."""
    by = np.float32(slope)
    return lambda x, out: np.add(np.maximum(x, 0.0), by * np.minimum(x, 0.0), out=out)


def sigmoid(x: Float32, out: Float32 | None) -> Float32:
    """1 / (1 + exp(-x)), as (1 + tanh(x / 2)) / 2, which cannot overflow."""
    y: Float32 = np.multiply(x, np.float32(0.5), out=out)
    np.tanh(y, out=y)
    y += np.float32(1.0)
    y *= np.float32(0.5)
    return y


def softmax(x: Float32, axis: int) -> Float32:
    """exp(x) over its sum along an axis."""
    y: Float32 = np.exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return y


def log_softmax(x: Float32, axis: int) -> Float32:
    """Logarithm of the softmax, without taking it of a zero."""
    y: Float32 = x - x.max(axis=axis, keepdims=True)
    y -= np.log(np.exp(y).sum(axis=axis, keepdims=True))
    return y
