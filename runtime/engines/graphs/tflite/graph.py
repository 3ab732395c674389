"""TfliteGraph: the one subgraph of a .tflite model, read in place from its flatbuffer.

Models with several subgraphs (which is how control flow is stored), with custom operators, or
with buffers outside the flatbuffer are refused here. The file is read without the schema's
generated code: the numbers below are the positions of fields in schema.fbs.

References
----------
tensorflow/lite/schema/schema.fbs, version 3.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import ArtifactError
from .flatbuffer import Table
from .sparsity import Level, Sparsity

MAX_TENSORS = 2_000
MAX_OPERATORS = 2_000
MAX_DIMENSIONS = 8
MAX_SCALES = 4_096  # of one tensor; one per row of a layer's weights

_DTYPES = {0: "<f4", 1: "<f2", 2: "<i4", 3: "u1", 4: "<i8", 7: "<i2", 9: "i1"}  # TensorType
FLOAT32 = "<f4"
_OPERATORS = {  # BuiltinOperator
    0: "ADD",
    6: "DEQUANTIZE",
    9: "FULLY_CONNECTED",
    14: "LOGISTIC",
    18: "MUL",
    19: "RELU",
    21: "RELU6",
    22: "RESHAPE",
    25: "SOFTMAX",
    28: "TANH",
    41: "SUB",
    114: "QUANTIZE",
    124: "DENSIFY",
}
_CUSTOM = 32
_ACTIVATIONS = {0: "NONE", 1: "RELU", 3: "RELU6"}  # ActivationFunctionType
# BuiltinOptions of the operators with a fused activation: it is their first field.
_FUSED = {"FULLY_CONNECTED": 8, "ADD": 11, "MUL": 21, "SUB": 28}
_SOFTMAX_OPTIONS = 9


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Quantisation:
    """real = scale * (stored - zero_point), one number each or one per slice along `axis`."""

    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TfliteTensor:
    """A tensor.

    Parameters
    ----------
    name : str
    dtype : str
        NumPy's code of its element type, little-endian.
    shape : tuple of int
        As declared for one window; a size not fixed (the batch) stands as 1.
    dynamic : bool
        Whether the first size is not fixed.
    data : array or None
        A constant's values, viewed in the file; flat and without its zeros if sparse.
    quantisation : Quantisation or None
    sparsity : Sparsity or None
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    dynamic: bool
    data: NDArray[Any] | None
    quantisation: Quantisation | None
    sparsity: Sparsity | None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TfliteOperator:
    """An operator; inputs and outputs are positions in the tensor list, -1 one left out."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    activation: str
    beta: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TfliteGraph:
    """A model's tensors, and its operators in the order in which they run."""

    tensors: tuple[TfliteTensor, ...]
    operators: tuple[TfliteOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_tflite_graph(model: bytes) -> TfliteGraph:
    """Read the graph of a TFLite flatbuffer.

    Raises
    ------
    ArtifactError
        If it is malformed, over this module's bounds, or holds what this module refuses.
    """
    root = Table.root(memoryview(model))
    subgraphs = root.tables(2, 1_000)
    if len(subgraphs) != 1:
        raise ArtifactError(f"the model has {len(subgraphs)} subgraphs: control flow is refused")
    codes = [_operator_name(code) for code in root.tables(1, 1_000)]
    buffers = [_buffer(buffer) for buffer in root.tables(4, MAX_TENSORS)]
    (subgraph,) = subgraphs
    tensors = tuple(_tensor(table, buffers) for table in subgraph.tables(0, MAX_TENSORS))
    operators = tuple(_operator(table, codes) for table in subgraph.tables(3, MAX_OPERATORS))
    graph = TfliteGraph(
        tensors=tensors,
        operators=operators,
        inputs=subgraph.integers(1, 64),
        outputs=subgraph.integers(2, 64),
    )
    edges = [edge for op in operators for edge in op.inputs if edge != -1]
    edges += [edge for op in operators for edge in op.outputs]
    for edge in (*edges, *graph.inputs, *graph.outputs):
        if not 0 <= edge < len(tensors):
            raise ArtifactError(f"tensor number {edge} of {len(tensors)} is used")
    return graph


def _operator_name(code: Table) -> str:
    # The old field is one byte; newer operators stand in the new one, older in both.
    number = max(code.number(0, "<b", 0), code.number(3, "<i", 0))
    if number == _CUSTOM:
        raise ArtifactError(f"custom operator {code.text(1)!r:.80}: refused")
    if number not in _OPERATORS:
        raise ArtifactError(
            f"builtin operator {number}: not one of the models that genrekit exports: refused"
        )
    return _OPERATORS[number]


def _buffer(buffer: Table) -> NDArray[Any]:
    if buffer.number(1, "<Q", 0) or buffer.number(2, "<Q", 0):
        raise ArtifactError("a buffer lies outside the flatbuffer: refused")
    return buffer.array(0, "u1")


def _tensor(table: Table, buffers: list[NDArray[Any]]) -> TfliteTensor:
    name = table.text(3)
    shape = table.integers(0, MAX_DIMENSIONS)
    signature = table.integers(7, MAX_DIMENSIONS) or shape
    kind = table.number(1, "<b", 0)
    number = table.number(2, "<I", 0)
    if kind not in _DTYPES:
        raise ArtifactError(f"tensor {name!r:.80}: element type {kind} is refused")
    if any(size < 1 for size in shape) or len(signature) != len(shape):
        raise ArtifactError(f"tensor {name!r:.80}: shape {list(shape)} is empty or inconsistent")
    if any(fixed not in (size, -1) for size, fixed in zip(shape, signature, strict=True)):
        raise ArtifactError(f"tensor {name!r:.80}: its two shapes disagree")
    if -1 in signature[1:] or table.number(5, "<B", 0) or number >= max(len(buffers), 1):
        raise ArtifactError(f"tensor {name!r:.80}: is a variable, or has an open size or no buffer")
    sparsity = _sparsity(table.table(6))
    content = buffers[number] if buffers else np.empty(0, np.uint8)
    data = _constant(name, content, np.dtype(_DTYPES[kind]), None if sparsity else shape)
    return TfliteTensor(
        name=name,
        dtype=_DTYPES[kind],
        shape=shape,
        dynamic=-1 in signature,
        data=data,
        quantisation=_quantisation(name, table.table(4), shape),
        sparsity=sparsity,
    )


def _constant(
    name: str, content: NDArray[Any], kind: np.dtype[Any], shape: tuple[int, ...] | None
) -> NDArray[Any] | None:
    """View a buffer as a tensor's values; flat if `shape` is None, None if it is empty."""
    if not len(content):
        return None
    expected = len(content) if shape is None else math.prod(shape) * kind.itemsize
    if len(content) != expected or len(content) % kind.itemsize:
        raise ArtifactError(f"tensor {name!r:.80}: {len(content)} bytes for shape {shape}")
    values = content.view(kind)
    return values if shape is None else values.reshape(shape)


def _quantisation(name: str, table: Table | None, shape: tuple[int, ...]) -> Quantisation | None:
    if table is None:
        return None
    scale, zero_point = table.array(2, "<f4"), table.array(3, "<i8")
    axis = table.number(6, "<i", 0)
    if not len(scale):
        return None  # only minimum and maximum were noted
    if not len(zero_point):
        zero_point = np.broadcast_to(np.int64(0), scale.shape)
    per_axis = len(scale) > 1
    if not len(zero_point) == len(scale) <= MAX_SCALES or (
        per_axis and not (0 <= axis < len(shape) and shape[axis] == len(scale))
    ):
        raise ArtifactError(f"tensor {name!r:.80}: {len(scale)} scales do not fit its shape")
    if not 0.0 < scale.min() <= scale.max() < np.inf or np.abs(zero_point).max() > 1 << 15:
        raise ArtifactError(f"tensor {name!r:.80}: a scale or zero point is out of range")
    return Quantisation(scale=scale, zero_point=zero_point, axis=axis if per_axis else 0)


def _sparsity(table: Table | None) -> Sparsity | None:
    if table is None:
        return None
    return Sparsity(
        traversal_order=table.integers(0, 2 * MAX_DIMENSIONS),
        block_map=table.integers(1, MAX_DIMENSIONS),
        levels=tuple(_level(level) for level in table.tables(2, 2 * MAX_DIMENSIONS)),
    )


def _level(table: Table) -> Level:
    if table.number(0, "<b", 0) == 0:
        return Level(dense_size=table.number(1, "<i", 0), segments=None, indices=None)
    return Level(dense_size=0, segments=_index_vector(table, 2), indices=_index_vector(table, 4))


def _index_vector(table: Table, slot: int) -> NDArray[Any]:
    kind = {1: "<i4", 2: "<u2", 3: "u1"}.get(table.number(slot, "<B", 0))
    vector = table.table(slot + 1)
    if kind is None or vector is None:
        raise ArtifactError("sparsity: a compressed level has no segments or indices")
    return vector.array(0, kind)


def _operator(table: Table, codes: list[str]) -> TfliteOperator:
    number = table.number(0, "<I", 0)
    if number >= len(codes):
        raise ArtifactError(f"operator code {number} of {len(codes)} is used")
    name = codes[number]
    kind, options = table.number(3, "<B", 0), table.table(4)
    activation, beta = 0, 1.0
    if options is not None and kind == _FUSED.get(name):
        activation = options.number(0, "<b", 0)
        if name == "FULLY_CONNECTED" and options.number(1, "<b", 0):
            raise ArtifactError("FULLY_CONNECTED: shuffled weights are refused")
    if options is not None and name == "SOFTMAX" and kind == _SOFTMAX_OPTIONS:
        beta = options.real(0, 1.0)
    if activation not in _ACTIVATIONS:
        raise ArtifactError(f"{name}: fused activation {activation} is refused")
    return TfliteOperator(
        name=name,
        inputs=table.integers(1, 64),
        outputs=table.integers(2, 64),
        activation=_ACTIVATIONS[activation],
        beta=beta,
    )
