"""Matrix product: the smallest models there are, to measure what an engine can do at most.

One product with constant right side as .onnx and as .tflite, in float32 and int8, written byte
by byte: a device has neither the onnx nor the flatbuffers package.

References
----------
onnx/onnx.proto and tensorflow/lite/schema/schema.fbs: field numbers.
FlatBuffers documentation, "FlatBuffer internals".
"""

from __future__ import annotations

import struct
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...artifact.protobuf import length_field, write_varint

INPUT, OUTPUT = "x", "y"

# A field of a flatbuffer's table: struct code and number, text, vector, table or tables.
_Field: TypeAlias = "tuple[str, int] | str | NDArray[Any] | dict[int, Any] | list[dict[int, Any]]"

_ONNX_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6}
_TFLITE_TYPES = {"float32": 0, "int8": 9}
_FULLY_CONNECTED, _FULLY_CONNECTED_OPTIONS = 9, 8


def onnx_product(rows: int, weights: NDArray[Any]) -> bytes:
    """Write `x @ weights` as a ModelProto: MatMul, or MatMulInteger of uint8 with int8.

    Parameters
    ----------
    rows : int
        Of `x`.
    weights : float32 or int8, shape (inner, columns)
    """
    inner, columns = weights.shape
    whole = weights.dtype == np.int8
    operator, given, made = (
        ("MatMulInteger", "uint8", "int32") if whole else ("MatMul", "float32", "float32")
    )
    node = b"".join(
        [
            length_field(1, INPUT.encode()),
            length_field(1, b"w"),
            length_field(2, OUTPUT.encode()),
            length_field(4, operator.encode()),
        ]
    )
    tensor = b"".join(
        [
            *(_varint_field(1, size) for size in weights.shape),
            _varint_field(2, _ONNX_TYPES[weights.dtype.name]),
            length_field(8, b"w"),
            length_field(9, weights.tobytes()),
        ]
    )
    graph = b"".join(
        [
            length_field(1, node),
            length_field(2, b"product"),
            length_field(5, tensor),
            length_field(11, _value_info(INPUT, given, (rows, inner))),
            length_field(12, _value_info(OUTPUT, made, (rows, columns))),
        ]
    )
    opset = length_field(8, _varint_field(2, 17))
    return _varint_field(1, 8) + length_field(7, graph) + opset


def tflite_product(rows: int, weights: NDArray[Any]) -> bytes:
    """Write `x @ weights` as a TFLite model of one FULLY_CONNECTED.

    Parameters
    ----------
    rows : int
        Of `x`.
    weights : float32 or int8, shape (inner, columns)
        With int8, input and output are int8 too.
    """
    inner, columns = weights.shape
    kind = _TFLITE_TYPES[weights.dtype.name]
    whole = weights.dtype == np.int8
    shapes = {INPUT: (rows, inner), "w": (columns, inner), OUTPUT: (rows, columns)}
    scales = {INPUT: 0.01, "w": 0.01, OUTPUT: 0.01 * float(np.sqrt(inner))}
    tensors: list[dict[int, _Field]] = []
    for index, (name, shape) in enumerate(shapes.items()):
        tensor: dict[int, _Field] = {
            0: np.array(shape, np.int32),
            1: ("b", kind),
            2: ("I", 1 if index == 1 else 0),
            3: name,
        }
        if whole:
            tensor[4] = {2: np.array([scales[name]], np.float32), 3: np.zeros(1, np.int64)}
        tensors.append(tensor)
    operator: dict[int, _Field] = {
        1: np.array([0, 1, -1], np.int32),
        2: np.array([2], np.int32),
        3: ("B", _FULLY_CONNECTED_OPTIONS),
        4: {},
    }
    code: dict[int, _Field] = {
        0: ("b", _FULLY_CONNECTED),
        2: ("i", 4 if whole else 1),
        3: ("i", _FULLY_CONNECTED),
    }
    graph: dict[int, _Field] = {
        0: tensors,
        1: np.array([0], np.int32),
        2: np.array([2], np.int32),
        3: [operator],
    }
    data = np.frombuffer(np.ascontiguousarray(weights.T).tobytes(), np.uint8)
    return _flatbuffer({0: ("I", 3), 1: [code], 2: [graph], 4: [{}, {0: data}]}, b"TFL3")


def _varint_field(number: int, value: int) -> bytes:
    return write_varint(number << 3) + write_varint(value)


def _value_info(name: str, dtype: str, shape: tuple[int, ...]) -> bytes:
    sizes = b"".join(length_field(1, _varint_field(1, size)) for size in shape)
    tensor = _varint_field(1, _ONNX_TYPES[dtype]) + length_field(2, sizes)
    return length_field(1, name.encode()) + length_field(2, length_field(1, tensor))


def _flatbuffer(root: dict[int, _Field], identifier: bytes) -> bytes:
    out = bytearray(4) + identifier
    _patch(out, 0, _write_table(out, root))
    return bytes(out)


def _write_table(out: bytearray, fields: dict[int, _Field]) -> int:
    """Append a vtable, its table and, behind it, what the table points at; return its place."""
    slots = max(fields, default=-1) + 1
    vtable = _align(out, 4)
    # Every field takes four bytes, which no field here exceeds.
    places = {slot: 4 + 4 * i for i, slot in enumerate(sorted(fields))}
    sizes = (4 + 2 * slots, 4 + 4 * len(fields))
    out += struct.pack(f"<{2 + slots}H", *sizes, *(places.get(i, 0) for i in range(slots)))
    table = _align(out, 4)
    out += struct.pack("<i", table - vtable) + bytes(4 * len(fields))
    for slot, field in sorted(fields.items()):
        place = table + places[slot]
        if isinstance(field, tuple):
            struct.pack_into(f"<{field[0]}", out, place, field[1])
        else:
            _patch(out, place, _write_target(out, field))
    return table


def _write_target(out: bytearray, field: _Field) -> int:
    if isinstance(field, dict):
        return _write_table(out, field)
    if isinstance(field, list):
        start = _align(out, 4)
        out += struct.pack("<I", len(field)) + bytes(4 * len(field))
        for index, item in enumerate(field):
            _patch(out, start + 4 + 4 * index, _write_table(out, item))
        return start
    if isinstance(field, str):
        content, count, alignment = field.encode() + b"\0", len(field.encode()), 4
    elif isinstance(field, np.ndarray):
        content, count = field.tobytes(), field.size
        alignment = 16 if field.dtype == np.uint8 else max(4, field.dtype.itemsize)
    else:
        raise TypeError(type(field).__name__)
    start = _align(out, alignment, ahead=4)
    out += struct.pack("<I", count) + content
    return start


def _align(out: bytearray, alignment: int, *, ahead: int = 0) -> int:
    """Pad so that what stands `ahead` bytes further is aligned; return the end."""
    out += bytes(-(len(out) + ahead) % alignment)
    return len(out)


def _patch(out: bytearray, place: int, target: int) -> None:
    struct.pack_into("<I", out, place, target - place)
