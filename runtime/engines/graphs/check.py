"""Graph check: a model from a stranger is refused before any engine sees it.

The card's hashes show that a file is what its maker wrote, not that its maker meant well. So
the graph itself is read and checked: it takes and gives what its card says, all of it lies in
this one file, it has only operators that work on dense tensors of sizes known beforehand, and
those sizes are bounded. What stays trusted is the engine's own arithmetic.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...artifact.card import Card
from ...artifact.container import Artifact
from ...errors import ArtifactError
from .onnx.graph import OnnxGraph, TensorType, read_onnx_graph
from .onnx.shapes import infer_shapes
from .onnx.values import FLOAT

if TYPE_CHECKING:
    from .tflite.graph import TfliteGraph


def check_graph(artifact: Artifact) -> OnnxGraph | TfliteGraph:
    """Check a model's graph against its card and this kit's bounds.

    Parameters
    ----------
    artifact : Artifact
        As `read_artifact` returns it.

    Returns
    -------
    OnnxGraph or TfliteGraph
        The graph that was checked.

    Raises
    ------
    ArtifactError
        One line: what the graph holds that is refused.
    """
    try:
        if artifact.format == "onnx":
            return _check_onnx(artifact)
        return _check_tflite(artifact)
    except ArtifactError as error:
        raise ArtifactError(f"{artifact.path}: {error}") from error


def _check_onnx(artifact: Artifact) -> OnnxGraph:
    graph, card = read_onnx_graph(artifact.model), artifact.card
    for node in graph.nodes:
        if node.domain:
            raise ArtifactError(f"{node}: custom operator domain {node.domain!r:.80}: refused")
    _compare_names(card, list(graph.inputs), list(graph.outputs))
    for item in card.inputs:
        _compare_onnx(item.name, graph.inputs[item.name], item.shape)
    _compare_onnx(card.output, graph.outputs[card.output], (len(card.labels),))
    for name in card.outputs[1:]:
        kind = graph.outputs[name]
        width = kind.shape[-1] if kind.shape else None
        _compare_onnx(name, kind, (width or 1,))
    one = infer_shapes(graph, {item.name: (1, *item.shape) for item in card.inputs})
    _compare_output(one.get(card.output, ()), card)
    if all(_is_open(kind) for kind in graph.inputs.values()):
        # What doubles with the windows is theirs; what grows faster would be a trap.
        two = infer_shapes(graph, {item.name: (2, *item.shape) for item in card.inputs})
        for name, shape in two.items():
            if math.prod(shape) > 2 * math.prod(one[name]):
                raise ArtifactError(f"tensor {name!r:.80} grows faster than the number of windows")
    return graph


def _compare_onnx(name: str, kind: TensorType, shape: tuple[int, ...]) -> None:
    if kind.element != FLOAT:
        raise ArtifactError(f"{name!r:.80} has element type {kind.element}, must be float32")
    if kind.shape is None or kind.shape[1:] != shape or kind.shape[0] not in (None, 1):
        given = None if kind.shape is None else list(kind.shape)
        raise ArtifactError(f"{name!r:.80} has shape {given}, its card says {[None, *shape]}")


def _is_open(kind: TensorType) -> bool:
    return kind.shape is not None and kind.shape[0] is None


def _check_tflite(artifact: Artifact) -> TfliteGraph:
    # An .onnx starts faster without them.
    from .tflite.graph import FLOAT32, read_tflite_graph
    from .tflite.shapes import check_tflite_shapes

    graph, card = read_tflite_graph(artifact.model), artifact.card
    tensors = graph.tensors
    inputs = {tensors[index].name: tensors[index] for index in graph.inputs}
    outputs = {tensors[index].name: tensors[index] for index in graph.outputs}
    _compare_names(card, [tensors[i].name for i in graph.inputs], list(outputs))
    for tensor in (*inputs.values(), *outputs.values()):
        if tensor.dtype != FLOAT32 or tensor.data is not None:
            raise ArtifactError(f"{tensor.name!r:.80} is no float32 tensor without data")
    for item in card.inputs:
        if inputs[item.name].shape != (1, *item.shape):
            raise ArtifactError(
                f"{item.name!r:.80} has shape {list(inputs[item.name].shape)}, its card says "
                f"{[1, *item.shape]}"
            )
    _compare_output(outputs[card.output].shape, card)
    check_tflite_shapes(graph)
    return graph


def _compare_names(card: Card, inputs: list[str], outputs: list[str]) -> None:
    expected = sorted(item.name for item in card.inputs)
    if sorted(inputs) != expected:
        raise ArtifactError(f"the model takes {sorted(inputs)[:8]}, its card says {expected}")
    if sorted(outputs) != sorted(card.outputs):
        raise ArtifactError(f"the model gives {outputs[:8]}, its card says {list(card.outputs)}")


def _compare_output(shape: tuple[int, ...], card: Card) -> None:
    if shape != (1, len(card.labels)):
        raise ArtifactError(
            f"{card.output!r:.80} has shape {list(shape)}, its card has {len(card.labels)} labels"
        )
