"""Shapes of a TFLite graph's tensors: those declared must be those that the operators give.

References
----------
tensorflow/lite/kernels: the shape rules of each operator's `Prepare`.
"""

from __future__ import annotations

import math

from ....errors import ArtifactError
from .graph import TfliteGraph, TfliteOperator, TfliteTensor
from .sparsity import locate_values

MAX_ELEMENTS = 1 << 24  # of all tensors, for one window
MAX_DENSE_ELEMENTS = 1 << 22  # of all sparse tensors once they are dense

_INPUTS = {
    "FULLY_CONNECTED": (2, 3),
    "ADD": (2, 2),
    "MUL": (2, 2),
    "SUB": (2, 2),
    "RESHAPE": (1, 2),
}


def check_tflite_shapes(graph: TfliteGraph) -> None:
    """Check every operator's shapes, and every sparse tensor's description.

    Raises
    ------
    ArtifactError
        If they do not fit, are over this module's bounds, or a tensor is used before it is made.
    """
    elements = sum(math.prod(tensor.shape) for tensor in graph.tensors)
    if elements > MAX_ELEMENTS:
        raise ArtifactError(f"its tensors have {elements} elements, over {MAX_ELEMENTS}")
    sparse = [tensor for tensor in graph.tensors if tensor.sparsity is not None]
    dense = sum(math.prod(tensor.shape) for tensor in sparse)
    if dense > MAX_DENSE_ELEMENTS:
        raise ArtifactError(f"sparse tensors of {dense} elements, over {MAX_DENSE_ELEMENTS}")
    for tensor in sparse:
        if tensor.sparsity is not None and tensor.data is not None:
            locate_values(tensor.sparsity, tensor.shape, tensor.data.size)
    ready = {i for i, tensor in enumerate(graph.tensors) if tensor.data is not None}
    ready.update(graph.inputs)
    for operator in graph.operators:
        _check_edges(operator, ready)
        inputs = [None if edge == -1 else graph.tensors[edge] for edge in operator.inputs]
        _check_operator(operator, inputs, graph.tensors[operator.outputs[0]])
        ready.add(operator.outputs[0])
    if not ready.issuperset(graph.outputs):
        raise ArtifactError("an output is not made by any operator")


def _check_edges(operator: TfliteOperator, ready: set[int]) -> None:
    low, high = _INPUTS.get(operator.name, (1, 1))
    if not low <= len(operator.inputs) <= high or len(operator.outputs) != 1:
        raise ArtifactError(
            f"{operator.name}: {len(operator.inputs)} inputs and {len(operator.outputs)} outputs"
        )
    if -1 in operator.inputs[:low] or not ready.issuperset({-1, *operator.inputs} - {-1}):
        raise ArtifactError(f"{operator.name}: an input is left out or not made before it")
    if operator.outputs[0] in ready:
        raise ArtifactError(f"{operator.name}: its output is made twice")


def _check_operator(
    operator: TfliteOperator, inputs: list[TfliteTensor | None], output: TfliteTensor
) -> None:
    shapes = [() if tensor is None else tensor.shape for tensor in inputs]
    first, made = shapes[0], output.shape
    if operator.name == "FULLY_CONNECTED":
        fits = _fully_connected_fits(shapes, made)
    elif operator.name in ("ADD", "MUL", "SUB"):
        fits = _broadcast_fits(first, shapes[1], made)
    elif operator.name == "RESHAPE":
        fits = math.prod(first) == math.prod(made)
    else:
        fits = first == made
    if not fits:
        raise ArtifactError(
            f"{operator.name}: inputs {[list(shape) for shape in shapes]} do not give the "
            f"declared output {list(made)}"
        )


def _fully_connected_fits(shapes: list[tuple[int, ...]], made: tuple[int, ...]) -> bool:
    data, weights = shapes[0], shapes[1]
    if len(weights) != 2 or math.prod(data) % weights[1]:
        return False
    units, inner = weights
    bias = shapes[2] if len(shapes) > 2 and shapes[2] else (units,)
    fits = math.prod(made) == math.prod(data) // inner * units and made[-1:] == (units,)
    return fits and math.prod(bias) == units


def _broadcast_fits(left: tuple[int, ...], right: tuple[int, ...], made: tuple[int, ...]) -> bool:
    rank = max(len(left), len(right))
    pairs = zip((1,) * (rank - len(left)) + left, (1,) * (rank - len(right)) + right, strict=True)
    return len(made) == rank and all(
        size == max(pair) and set(pair) <= {1, size} for size, pair in zip(made, pairs, strict=True)
    )
