"""Splice: another head in a packaged .onnx, without the onnx package.

The packaged graph ends in `Gemm(embedding, head_weight, head_bias) -> logits`. The two constants
and the declared size of the output are replaced; every other byte stays.

References
----------
onnx.proto: GraphProto, TensorProto, ValueInfoProto.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Float32
from ..artifact.protobuf import VARINT, length_field, walk, write_varint
from ..errors import ArtifactError
from .solvers import LinearClassifier

WEIGHT, BIAS = b"head_weight", b"head_bias"
_GRAPH = 7  # of ModelProto
_INITIALIZER, _OUTPUT = 5, 12  # of GraphProto
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_VALUE_NAME = 1
_FLOAT = 1


def splice_head(model: bytes, output: str, head: LinearClassifier) -> bytes:
    """Put a linear head in the place of a model's own.

    Parameters
    ----------
    model : bytes
        Of a packaged model, without its card.
    output : str
        Name of its logits.
    head : LinearClassifier

    Raises
    ------
    ArtifactError
        If the model has no such head.
    """
    view = memoryview(model)
    parts, seen = [], 0
    for number, value, start, end in walk(view):
        if number == _GRAPH and isinstance(value, memoryview):
            graph, seen = _spliced_graph(value, output.encode(), head)
            parts.append(length_field(_GRAPH, graph))
        else:
            parts.append(bytes(view[start:end]))
    if seen != 3:
        raise ArtifactError("this model has no head that can be taught; use the packaged default")
    return b"".join(parts)


def _spliced_graph(graph: memoryview, output: bytes, head: LinearClassifier) -> tuple[bytes, int]:
    tensors = {
        WEIGHT: head.weight.astype(np.float32),
        BIAS: head.bias.astype(np.float32),
    }
    parts, seen = [], 0
    for number, value, start, end in walk(graph):
        name = _name(value, number) if isinstance(value, memoryview) else b""
        if number == _INITIALIZER and name in tensors:
            parts.append(length_field(_INITIALIZER, _tensor(name, tensors[name])))
        elif number == _OUTPUT and name == output:
            parts.append(length_field(_OUTPUT, _value_info(name, len(head.bias))))
        else:
            parts.append(bytes(graph[start:end]))
            continue
        seen += 1
    return b"".join(parts), seen


def _name(message: memoryview, number: int) -> bytes:
    """Return the name inside an initializer or an output."""
    wanted = {_INITIALIZER: _TENSOR_NAME, _OUTPUT: _VALUE_NAME}.get(number)
    if wanted is None:
        return b""
    return next(
        (bytes(v) for n, v, _, _ in walk(message) if n == wanted and isinstance(v, memoryview)), b""
    )


def _tensor(name: bytes, array: Float32) -> bytes:
    dims = b"".join(_number(_TENSOR_DIMS, size) for size in array.shape)
    raw = np.ascontiguousarray(array, "<f4").tobytes()
    kind = _number(_TENSOR_TYPE, _FLOAT)
    return dims + kind + length_field(_TENSOR_NAME, name) + length_field(_TENSOR_RAW, raw)


def _value_info(name: bytes, size: int) -> bytes:
    """Declare an output of shape (windows, size)."""
    windows = length_field(1, length_field(2, b"windows"))
    columns = length_field(1, _number(1, size))
    tensor_type = _number(1, _FLOAT) + length_field(2, windows + columns)
    return length_field(_VALUE_NAME, name) + length_field(2, length_field(1, tensor_type))


def _number(field: int, value: int) -> bytes:
    return write_varint(field << 3 | VARINT) + write_varint(value)
