"""Shapes of every tensor of an ONNX graph, told before anything runs.

A graph's cost is known from these: no tensor and no count of multiplications can surprise an
engine later. Only operators whose output follows from shapes and constants have a rule here;
one without a rule is refused, which leaves out control flow, sequences, random numbers and
everything that could grow with the data.

References
----------
ONNX Operators, default domain, opsets 13 to 24.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ....errors import ArtifactError
from .graph import OnnxGraph
from .node import Node
from .shape_rules import output_shapes, shape_range
from .sliding import Shape
from .values import MAX_DIMENSIONS, Tensor

MAX_TENSOR = 1 << 25  # elements of one tensor for one window: 128 MiB in float32
MAX_ELEMENTS = 1 << 28  # of all tensors of one inference together
MAX_MACS = 1 << 37  # multiply-accumulates of one window; ResNet18 at 3x224x224 has 2**31


def infer_shapes(graph: OnnxGraph, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
    """Compute the shape of every tensor from the shapes of the graph's inputs.

    Raises
    ------
    ArtifactError
        If an operator has no rule, shapes do not fit together, a tensor is used before it is
        made, or the graph is larger or slower than this module's bounds.
    """
    constants = graph.constants()
    shapes: dict[str, Shape] = {name: tensor.shape for name, tensor in constants.items()}
    shapes.update(inputs)
    elements = macs = 0
    for node in graph.nodes:
        if node.operator in ("Constant", "Identity") and node.outputs[0] in constants:
            continue
        known = _known_inputs(node, shapes)
        made, cost = output_shapes(node, known, constants)
        for shape in made:
            size = math.prod(shape)
            if len(shape) > MAX_DIMENSIONS or any(axis < 1 for axis in shape) or size > MAX_TENSOR:
                raise ArtifactError(f"{node}: output {list(shape)} is empty or over {MAX_TENSOR}")
            elements += size
        macs += math.prod(made[0]) * cost
        if elements > MAX_ELEMENTS or macs > MAX_MACS:
            raise ArtifactError(
                f"{node}: the graph needs over {MAX_ELEMENTS} elements or {MAX_MACS} "
                "multiplications for one window"
            )
        _define(node, made, shapes)
        folded = _fold(node, known, constants)
        if folded is not None:
            constants[node.outputs[0]] = folded
    return shapes


def _known_inputs(node: Node, shapes: Mapping[str, Shape]) -> list[Shape]:
    for name in node.inputs:
        if name and name not in shapes:
            raise ArtifactError(f"{node}: input {name!r:.80} is not made before it")
    return [shapes.get(name, ()) for name in node.inputs]


def _define(node: Node, made: list[Shape], shapes: dict[str, Shape]) -> None:
    if any(node.outputs[len(made) :]):
        raise ArtifactError(f"{node}: {len(node.outputs)} outputs, {len(made)} are read")
    for name, shape in zip(node.outputs, made, strict=False):
        if name in shapes:
            raise ArtifactError(f"{node}: its output {name!r:.80} is made twice")
        if name:
            shapes[name] = shape


def _fold(node: Node, known: list[Shape], constants: Mapping[str, Tensor]) -> Tensor | None:
    """Compute a shape out of other shapes, as exporters do to keep the number of windows open."""
    if node.operator == "Shape":
        return np.array(known[0][shape_range(node, known[0])], np.int64)
    if node.operator == "Concat" and all(name in constants for name in node.inputs):
        parts = [constants[name] for name in node.inputs]
        if all(part.ndim == 1 and part.size <= MAX_DIMENSIONS for part in parts):
            return np.concatenate(parts)
    return None
