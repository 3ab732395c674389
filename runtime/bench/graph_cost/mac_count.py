"""Operations: multiply-accumulates of one window, told from a model's graph.

Convolutions, matrix products and recurrent layers count; everything else costs memory traffic
rather than arithmetic.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...artifact.container import Artifact
from ...engines.graphs.check import check_graph
from ...engines.graphs.onnx.graph import OnnxGraph
from ...engines.graphs.onnx.node import Node
from ...engines.graphs.onnx.shape_rules import output_shapes
from ...engines.graphs.onnx.shapes import infer_shapes
from ...engines.graphs.onnx.values import Tensor
from ...engines.graphs.tflite.graph import FLOAT32, TfliteGraph, TfliteTensor

Arithmetic = Literal["int8", "fp32"]

# Operator -> its inputs that hold weights.
_PRODUCTS = {"Conv": (1,), "Gemm": (1,), "MatMul": (1,), "LSTM": (1, 2), "GRU": (1, 2)}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Operations:
    """Arithmetic of one window.

    Parameters
    ----------
    macs : int
        Multiply-accumulates, zeros among the weights included.
    nonzero_macs : int
        Those with a weight that is not zero: what an engine with sparse kernels needs.
    weights : int
        Numbers that they multiply with.
    arithmetic : {"int8", "fp32"}
        Of most of them.
    """

    macs: int
    nonzero_macs: int
    weights: int
    arithmetic: Arithmetic


@dataclasses.dataclass(frozen=True, slots=True)
class _Layer:
    macs: int
    weights: int
    nonzero_share: float
    quantised: bool


def count_operations(artifact: Artifact) -> Operations:
    """Count the operations of one window.

    Raises
    ------
    ArtifactError
        If the graph is not one that `check_graph` lets pass.
    """
    graph = check_graph(artifact)
    if isinstance(graph, OnnxGraph):
        inputs = {item.name: (1, *item.shape) for item in artifact.card.inputs}
        layers = _onnx_layers(graph, inputs)
    else:
        layers = _tflite_layers(graph)
    macs = sum(layer.macs for layer in layers)
    quantised = sum(layer.macs for layer in layers if layer.quantised)
    return Operations(
        macs=macs,
        nonzero_macs=sum(round(layer.macs * layer.nonzero_share) for layer in layers),
        weights=sum(layer.weights for layer in layers),
        arithmetic="int8" if 2 * quantised > macs else "fp32",
    )


def _onnx_layers(graph: OnnxGraph, inputs: dict[str, tuple[int, ...]]) -> list[_Layer]:
    shapes = infer_shapes(graph, inputs)
    constants = graph.constants()
    makers = {name: node for node in graph.nodes for name in node.outputs}
    layers = []
    for node in graph.nodes:
        if node.operator not in _PRODUCTS:
            continue
        (made, *_), cost = output_shapes(node, [shapes.get(n, ()) for n in node.inputs], constants)
        found = [_onnx_weights(node.inputs[i], constants, makers) for i in _PRODUCTS[node.operator]]
        weights = [zeros for zeros in found if zeros is not None]  # a product of two activations
        size = sum(zeros.size for zeros in weights)
        zero = sum(int(zeros.sum()) for zeros in weights)
        layers.append(
            _Layer(
                macs=math.prod(made) * cost,
                weights=size,
                nonzero_share=1.0 - zero / size if size else 1.0,
                quantised=all(_is_dequantised(name, makers) for name in node.inputs[:2]),
            )
        )
    return layers


def _onnx_weights(
    name: str, constants: dict[str, Tensor], makers: dict[str, Node]
) -> NDArray[np.bool_] | None:
    """Return where a layer's weights are zero, seen through a DequantizeLinear."""
    zero_point: Any = 0
    if name not in constants and _is_dequantised(name, makers):
        node = makers[name]
        name = node.inputs[0]
        given = constants.get(node.inputs[2]) if len(node.inputs) > 2 else None
        weights = constants.get(name)
        if given is not None and weights is not None:
            zero_point = given
            if given.size > 1:  # one per slice along an axis
                axis = node.integer("axis", 1) % weights.ndim
                zero_point = given.reshape([-1 if i == axis else 1 for i in range(weights.ndim)])
    return np.asarray(constants[name] == zero_point) if name in constants else None


def _is_dequantised(name: str, makers: dict[str, Node]) -> bool:
    return name in makers and makers[name].operator == "DequantizeLinear"


def _tflite_layers(graph: TfliteGraph) -> list[_Layer]:
    makers = {op.outputs[0]: op for op in graph.operators}
    layers = []
    for op in graph.operators:
        if op.name != "FULLY_CONNECTED":
            continue
        made, weights = graph.tensors[op.outputs[0]], graph.tensors[op.inputs[1]]
        stored = weights
        if weights.data is None and op.inputs[1] in makers:  # DENSIFY or DEQUANTIZE before it
            stored = graph.tensors[makers[op.inputs[1]].inputs[0]]
        size = math.prod(weights.shape)
        layers.append(
            _Layer(
                macs=math.prod(made.shape) * weights.shape[1],
                weights=size,
                nonzero_share=_nonzero(stored) / size,
                quantised=weights.dtype != FLOAT32,
            )
        )
    return layers


def _nonzero(tensor: TfliteTensor) -> int:
    if tensor.data is None:
        return math.prod(tensor.shape)
    return int(np.count_nonzero(tensor.data))  # zero points of weights are 0 in TFLite
