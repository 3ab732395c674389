"""Layers: how the NumPy engine builds each ONNX operator.

A layer whose output is quantised takes that scale into its weights, so that its result need
only be rounded and clipped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...arrays import Float32
from ...errors import EngineError
from ..graphs.onnx.graph import OnnxGraph
from ..graphs.onnx.node import Node
from ..graphs.onnx.shape_rules import read_axes
from ..graphs.onnx.shapes import infer_shapes
from ..graphs.onnx.sliding import Shape, Sliding, read_sliding
from . import elementwise, pointwise
from .convolution import average_pool, make_convolution, max_pool, spatial_mean
from .from_onnx import OnnxBuilder
from .program import Program, Value

_REDUCTIONS: dict[str, Callable[..., Float32]] = {
    "GlobalMaxPool": np.max,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
    "ReduceSum": np.sum,
}


def _convolution(build: OnnxBuilder, node: Node) -> None:
    x, target = build.value(node.inputs[0]), build.target_scale(node)
    weight = build.constant(node.inputs[1]) * np.float32(x.scale / target)
    bias = np.zeros(len(weight), np.float32)
    if len(node.inputs) > 2 and node.inputs[2]:
        bias = build.constant(node.inputs[2]) / np.float32(target)
    sliding = read_sliding(node, weight.shape[2:])
    flat = weight.ndim == 3
    if flat:  # along one axis: the other has size 1
        weight, sliding = weight[:, :, None], _with_rows(sliding)
    kernel = make_convolution(weight, bias, sliding, node.integer("group", 1))
    if flat:
        slot = build.program.call(lambda a: kernel(a[:, :, None])[:, :, 0], x.slot)
    else:
        slot = build.program.call(kernel, x.slot)
    build.set(node, Value(slot=slot, scale=target))


def _with_rows(sliding: Sliding) -> Sliding:
    return Sliding(
        kernel=(1, *sliding.kernel),
        strides=(1, *sliding.strides),
        dilations=(1, *sliding.dilations),
        before=(0, *sliding.before),
        after=(0, *sliding.after),
    )


def _pool(build: OnnxBuilder, node: Node) -> None:
    x = build.stored(node.inputs[0]) if node.operator == "MaxPool" else build.value(node.inputs[0])
    sliding = read_sliding(node, node.integers("kernel_shape", ()))
    flat = len(sliding.kernel) == 1
    sliding = _with_rows(sliding) if flat else sliding
    count_padding = bool(node.integer("count_include_pad", 0))

    def pool(a: Float32) -> Float32:
        if node.operator == "MaxPool":
            return max_pool(a, sliding)
        return average_pool(a, sliding, count_padding=count_padding)

    slot = build.program.call((lambda a: pool(a[:, :, None])[:, :, 0]) if flat else pool, x.slot)
    levels = x.levels if node.operator == "MaxPool" else None
    build.set(node, dataclasses.replace(x, slot=slot, levels=levels))


def _reduce(build: OnnxBuilder, node: Node) -> None:
    x = build.value(node.inputs[0])
    rank = len(build.shapes[node.inputs[0]])
    if node.operator.startswith("Global"):
        axes, keep = tuple(range(2, rank)), True
    else:
        axes = read_axes(node, build.constants, rank) or ()
        keep = bool(node.integer("keepdims", 1))
    if 0 in axes or not axes:
        raise EngineError(f"{node}: reduces over the windows, which the NumPy engine does not")
    function = _REDUCTIONS.get(node.operator, np.mean)
    if function is np.mean and rank == 4 and axes == (2, 3) and keep:
        slot = build.program.call(spatial_mean, x.slot)
    else:
        slot = build.program.call(lambda a: function(a, axis=axes, keepdims=keep), x.slot)
    build.set(node, Value(slot=slot, scale=x.scale))


def _matrix(build: OnnxBuilder, node: Node) -> None:
    x = build.value(node.inputs[0])
    if node.operator == "MatMul" and not build.is_constant(node.inputs[1]):
        y = build.value(node.inputs[1])
        slot = build.program.call(np.matmul, x.slot, y.slot)
        build.set(node, Value(slot=slot, scale=x.scale * y.scale))
        return
    if node.integer("transA", 0):
        raise EngineError(f"{node}: transA is not supported by the NumPy engine")
    target = build.target_scale(node)
    weight = build.constant(node.inputs[1])
    if node.integer("transB", 0):
        weight = weight.T
    weight = np.ascontiguousarray(weight * np.float32(node.number("alpha", 1.0) * x.scale / target))
    bias = None
    if len(node.inputs) > 2 and node.inputs[2]:
        bias = build.constant(node.inputs[2]) * np.float32(node.number("beta", 1.0) / target)

    def multiply(a: Float32) -> Float32:
        product: Float32 = a @ weight
        if bias is not None:
            product += bias
        return product

    build.set(node, Value(slot=build.program.call(multiply, x.slot), scale=target))


def _cast(build: OnnxBuilder, node: Node) -> None:
    """Read a constant of 8 bits as float32."""
    build.fold(node, build.constant(node.inputs[0]))


def _batch_norm(build: OnnxBuilder, node: Node) -> None:
    x = build.value(node.inputs[0])
    gamma, beta, mean, variance = (build.constant(name) for name in node.inputs[1:5])
    factor = gamma / np.sqrt(variance + np.float32(node.number("epsilon", 1e-5)))
    per_channel = (-1, *(1,) * (len(build.shapes[node.inputs[0]]) - 2))
    kernel = elementwise.affine(
        (factor * np.float32(x.scale)).reshape(per_channel),
        (beta - mean * factor).reshape(per_channel),
    )
    build.set(node, Value(slot=build.update(node, kernel, x)))


_LAYERS: dict[str, Callable[[OnnxBuilder, Node], None]] = {
    "QuantizeLinear": OnnxBuilder.quantise,
    "DequantizeLinear": OnnxBuilder.dequantise,
    "Conv": _convolution,
    "MaxPool": _pool,
    "AveragePool": _pool,
    **dict.fromkeys(
        ["GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"],
        _reduce,
    ),
    "Gemm": _matrix,
    "MatMul": _matrix,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Relu": pointwise.build_clip,
    "Clip": pointwise.build_clip,
    **dict.fromkeys(
        ["HardSwish", "HardSigmoid", "LeakyRelu", "Sigmoid", *pointwise.UNARY],
        pointwise.build_activation,
    ),
    "Softmax": pointwise.build_softmax,
    "LogSoftmax": pointwise.build_softmax,
    "Add": pointwise.build_sum,
    "Sub": pointwise.build_sum,
    "Mul": pointwise.build_product,
    "Div": pointwise.build_product,
    "Neg": pointwise.build_negative,
    **dict.fromkeys(
        ["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose"],
        pointwise.build_view,
    ),
    "Concat": pointwise.build_concat,
}
SUPPORTED = frozenset(_LAYERS)


def build_onnx(graph: OnnxGraph, inputs: Mapping[str, Shape], outputs: Sequence[str]) -> Program:
    """Turn a checked graph into a program.

    Parameters
    ----------
    graph : OnnxGraph
    inputs : mapping of str to tuple of int
        Shape of each input for one window, in the order in which the program takes them.
    outputs : sequence of str

    Raises
    ------
    EngineError
        If it holds an operator, or a use of one, that the NumPy engine does not know.
    """
    build = OnnxBuilder(graph, infer_shapes(graph, inputs), list(inputs))
    for node in graph.nodes:
        if node.operator in ("Constant", "Identity") and node.outputs[0] in build.constants:
            continue
        if node.operator not in _LAYERS:
            raise EngineError(
                f"operator {node.operator} is not supported by the NumPy engine: install "
                'onnxruntime with: pip install "genrekit[onnx]"'
            )
        _LAYERS[node.operator](build, node)
    build.program.finish(*(build.plain(name).slot for name in outputs))
    return build.program
