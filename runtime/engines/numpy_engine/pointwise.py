"""Pointwise layers: how the NumPy engine builds activations, arithmetic and changes of shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ...arrays import Float32
from ...errors import EngineError
from ..graphs.onnx.node import Node
from . import elementwise
from .from_onnx import OnnxBuilder
from .program import Value

UNARY: dict[str, np.ufunc] = {
    "Abs": np.absolute,
    "Exp": np.exp,
    "Log": np.log,
    "Reciprocal": np.reciprocal,
    "Sqrt": np.sqrt,
    "Tanh": np.tanh,
}


def build_clip(build: OnnxBuilder, node: Node) -> None:
    """Build a Relu or Clip."""
    x = build.stored(node.inputs[0])
    low, high = -np.inf, np.inf
    if node.operator == "Relu":
        low = 0.0
    elif "min" in node.attributes or "max" in node.attributes:  # before opset 11
        low, high = node.number("min", low), node.number("max", high)
    else:
        bounds = [
            float(build.constant(name).item()) if name else None
            for name in (*node.inputs, "", "")[1:3]
        ]
        low = low if bounds[0] is None else bounds[0]
        high = high if bounds[1] is None else bounds[1]
    # Of a quantised tensor, which some graphs clip between its two nodes, count as stored.
    zero = x.zero_point or 0.0
    low, high = (low - zero) / x.scale, (high - zero) / x.scale
    slot = build.update(node, elementwise.clip(low, high), x)
    whole = x.levels is not None and all(np.isinf(b) or b == round(b) for b in (low, high))
    levels = (max(low, x.levels[0]), min(high, x.levels[1])) if whole and x.levels else None
    build.set(node, dataclasses.replace(x, slot=slot, levels=levels))


def build_activation(build: OnnxBuilder, node: Node) -> None:
    """Build an activation function."""
    if node.operator == "HardSwish":
        x = build.value(node.inputs[0])
        kernel, scale = elementwise.hard_swish(x.scale), x.scale
    elif node.operator == "HardSigmoid":
        x = build.value(node.inputs[0])
        slope, offset = node.number("alpha", 0.2), node.number("beta", 0.5)
        kernel, scale = elementwise.hard_sigmoid(slope * x.scale, offset), 1.0
    elif node.operator == "LeakyRelu":
        x = build.value(node.inputs[0])
        kernel, scale = elementwise.leaky_relu(node.number("alpha", 0.01)), x.scale
    elif node.operator == "Sigmoid":
        x, kernel, scale = build.plain(node.inputs[0]), elementwise.sigmoid, 1.0
    else:
        ufunc = UNARY[node.operator]
        x, scale = build.plain(node.inputs[0]), 1.0
        kernel = lambda a, out: ufunc(a, out=out)  # noqa: E731 - it closes over this branch's ufunc
    build.set(node, Value(slot=build.update(node, kernel, x), scale=scale))


def build_softmax(build: OnnxBuilder, node: Node) -> None:
    """Build a Softmax or LogSoftmax."""
    x = build.plain(node.inputs[0])
    axis = node.integer("axis", -1)
    function = elementwise.softmax if node.operator == "Softmax" else elementwise.log_softmax
    build.set(node, Value(slot=build.program.call(lambda a: function(a, axis), x.slot)))


def build_sum(build: OnnxBuilder, node: Node) -> None:
    """Build an Add or Sub; the scale of its first computed input stays."""
    left, right = node.inputs
    sign = -1.0 if node.operator == "Sub" else 1.0
    if build.is_constant(left):
        x = build.value(right)
        if sign < 0.0:
            x = dataclasses.replace(x, slot=build.negate(x), levels=None)
        kernel = elementwise.shift(build.constant(left) / np.float32(x.scale))
        slot = build.program.update(kernel, x.slot, overwrite=-1)
    elif build.is_constant(right):
        x = build.value(left)
        kernel = elementwise.shift(build.constant(right) * np.float32(sign / x.scale))
        slot = build.update(node, kernel, x)
    else:
        x, y = build.value(left), build.value(right)
        slot = build.update(node, elementwise.add_scaled(sign * y.scale / x.scale), x, y)
    build.set(node, Value(slot=slot, scale=x.scale))


def build_product(build: OnnxBuilder, node: Node) -> None:
    """Build a Mul or Div; scales multiply."""
    left, right = node.inputs
    divides = node.operator == "Div"
    if build.is_constant(left) and build.is_constant(right) and not divides:
        build.fold(node, build.constant(left) * build.constant(right))
        return
    if build.is_constant(left) and not divides:
        left, right = right, left
    if not build.is_constant(right):
        x, y = build.value(left), build.value(right)
        ufunc = np.divide if divides else np.multiply
        slot = build.update(node, lambda a, b, out: ufunc(a, b, out=out), x, y)
        build.set(node, Value(slot=slot, scale=x.scale / y.scale if divides else x.scale * y.scale))
        return
    x, factor = build.value(left), build.constant(right)
    factor = np.reciprocal(factor) if divides else factor
    slot = build.program.update(elementwise.scale(factor), x.slot, overwrite=-1)
    build.set(node, Value(slot=slot, scale=x.scale))


def build_negative(build: OnnxBuilder, node: Node) -> None:
    """Build a Neg; a scale stays positive."""
    x = build.value(node.inputs[0])
    build.set(node, Value(slot=build.negate(x), scale=x.scale))


def build_view(build: OnnxBuilder, node: Node) -> None:
    """Build an operator that only renames or reorders axes."""
    x = build.stored(node.inputs[0])
    rank = len(build.shapes[node.inputs[0]])
    shape = build.shapes[node.outputs[0]]
    if node.operator == "Identity":
        build.set(node, x)
        return
    if node.operator == "Transpose":
        order = node.integers("perm", tuple(reversed(range(rank))))
        moves = order[0] == 0
        kernel: Callable[[Float32], Float32] = lambda a: a.transpose(order)  # noqa: E731
    else:
        # All others keep the order of the values: the shape for one window says enough.
        moves = shape[:1] == (1,)
        kernel = lambda a: a.reshape(len(a), *shape[1:])  # noqa: E731
    if not moves or build.shapes[node.inputs[0]][:1] != (1,):
        raise EngineError(f"{node}: moves the windows off the first axis: not supported")
    slot = build.program.call(kernel, x.slot, view=True)
    build.set(node, dataclasses.replace(x, slot=slot))


def build_concat(build: OnnxBuilder, node: Node) -> None:
    """Build a Concat; all parts take the scale of the first."""
    parts = [build.value(name) for name in node.inputs]
    axis, scale = node.integer("axis", 0), parts[0].scale
    factors = [np.float32(part.scale / scale) for part in parts]

    def join(*arrays: Float32) -> Float32:
        scaled = [a if f == 1.0 else a * f for a, f in zip(arrays, factors, strict=True)]
        return np.concatenate(scaled, axis=axis)

    slot = build.program.call(join, *(part.slot for part in parts))
    build.set(node, Value(slot=slot, scale=scale))
