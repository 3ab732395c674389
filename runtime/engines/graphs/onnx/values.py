"""Field values of ONNX messages: names, numbers, lists of them, and the data of tensors."""

from __future__ import annotations

import math
import struct
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ....artifact.protobuf import Value
from ....errors import ArtifactError

Tensor: TypeAlias = NDArray[Any]

MAX_DIMENSIONS = 8
MAX_NAME_BYTES = 1_024
MAX_LIST = 4_096  # values of one attribute
MAX_VARINT_BYTES = 1 << 18  # of integers that are not raw; exporters write large tensors raw
MAX_ELEMENTS = 1 << 28

# TensorProto.DataType of the element types that are read.
FLOAT, UINT8, INT8, INT32, INT64, BOOL = 1, 2, 3, 6, 7, 9
_DTYPES = {
    FLOAT: "<f4",
    UINT8: "u1",
    INT8: "i1",
    4: "<u2",
    5: "<i2",
    INT32: "<i4",
    INT64: "<i8",
    BOOL: "u1",
    10: "<f2",
    11: "<f8",
    12: "<u4",
    13: "<u8",
}
# Fields of TensorProto that hold typed data, and the element types each may hold.
FLOAT_DATA, INT32_DATA, INT64_DATA, DOUBLE_DATA, UINT64_DATA = 4, 5, 7, 10, 11
TYPED_DATA = {
    FLOAT_DATA: (FLOAT,),
    INT32_DATA: (UINT8, INT8, 4, 5, INT32, BOOL),
    INT64_DATA: (INT64,),
    DOUBLE_DATA: (11,),
    UINT64_DATA: (12, 13),
}


def message(value: Value) -> memoryview:
    """Return a field's bytes; a number in their place is an error."""
    if isinstance(value, int):
        raise ArtifactError("a number where a message belongs")
    return value


def once(seen: memoryview | None, value: Value, what: str) -> memoryview:
    """Return a field's bytes unless there was one before, which protobuf would merge."""
    if seen is not None:
        raise ArtifactError(f"{what}: there are two of it")
    return message(value)


def short(value: Value) -> bytes:
    """Copy a short string."""
    content = message(value)
    if len(content) > MAX_NAME_BYTES:
        raise ArtifactError(f"a name of {len(content)} bytes, over {MAX_NAME_BYTES}")
    return bytes(content)


def text(value: Value) -> str:
    """Decode a name; it may stand in a message, so it must not be able to steer a terminal."""
    try:
        name = short(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArtifactError("a name is not UTF-8") from error
    if not name.isprintable():
        raise ArtifactError(f"the name {name!r:.80} has characters that cannot be printed")
    return name


def domain(value: Value) -> str:
    """Decode an operator domain; the default one has two names."""
    name = text(value)
    return "" if name == "ai.onnx" else name


def integer(value: Value) -> int:
    """Read a varint as a signed 64-bit number."""
    if not isinstance(value, int):
        raise ArtifactError("a message where a number belongs")
    return value - (1 << 64) if value >= 1 << 63 else value


def integers(value: Value) -> list[int]:
    """Read one value of a repeated integer field: a number, or a packed run of them."""
    if isinstance(value, int):
        return [integer(value)]
    if len(value) > MAX_LIST:
        raise ArtifactError(f"a list of {len(value)} bytes, over {MAX_LIST}")
    numbers: list[int] = unpack_varints(value).astype(np.int64).tolist()
    return numbers


def floating(value: Value) -> float:
    """Read a fixed 32-bit field as a float."""
    bits = integer(value)
    if not 0 <= bits < 1 << 32:
        raise ArtifactError("a number is no 32-bit float")
    number: float = struct.unpack("<f", struct.pack("<I", bits))[0]
    return number


def floats(value: Value) -> list[float]:
    """Read one value of a repeated float field: a number, or a packed run of them."""
    if isinstance(value, int):
        return [floating(value)]
    if len(value) % 4 or len(value) > 4 * MAX_LIST:
        raise ArtifactError(f"a list of floats of {len(value)} bytes")
    return list(struct.unpack(f"<{len(value) // 4}f", value))


def unpack_varints(packed: memoryview) -> NDArray[np.uint64]:
    """Decode a packed run of varints at once; linear in its bytes."""
    octets = np.frombuffer(packed, np.uint8) if len(packed) else np.empty(0, np.uint8)
    if len(octets) > MAX_VARINT_BYTES:
        raise ArtifactError(
            f"{len(octets)} bytes of integers, over {MAX_VARINT_BYTES}: store them as raw_data"
        )
    last = octets < 0x80
    ends = np.flatnonzero(last) + 1
    if len(octets) == 0 or not last[-1]:
        if len(octets) == 0:
            return np.empty(0, np.uint64)
        raise ArtifactError("truncated inside a number")
    starts = np.concatenate(([0], ends[:-1]))
    lengths = ends - starts
    if lengths.max() > 10:
        raise ArtifactError("a number is longer than 64 bits")
    place = np.arange(len(octets)) - np.repeat(starts, lengths)
    parts = (octets & 0x7F).astype(np.uint64) << (7 * place).astype(np.uint64)
    sums: NDArray[np.uint64] = np.add.reduceat(parts, starts)
    return sums


def typed_data(field: int, value: Value) -> Tensor:
    """Decode one value of a tensor's typed data field: a number, or a packed run of them."""
    if isinstance(value, int):
        if field in (FLOAT_DATA, DOUBLE_DATA):
            width = 4 if field == FLOAT_DATA else 8
            if value >= 1 << 8 * width:
                raise ArtifactError("a number is wider than its type")
            return np.frombuffer(value.to_bytes(width, "little"), f"<f{width}")
        return np.array([value], np.uint64)
    if field in (FLOAT_DATA, DOUBLE_DATA):
        return view(value, "<f4" if field == FLOAT_DATA else "<f8")
    return unpack_varints(value)


def view(content: memoryview, dtype: str) -> Tensor:
    """View bytes as numbers, copying nothing."""
    kind = np.dtype(dtype)
    if len(content) % kind.itemsize:
        raise ArtifactError(f"{len(content)} bytes are no whole number of {kind.name}")
    if not len(content):
        return np.empty(0, kind)
    return np.frombuffer(content, kind)


def make_array(
    shape: tuple[int, ...], element: int, raw: memoryview | None, typed: dict[int, list[Tensor]]
) -> Tensor:
    """Build a tensor from its message's parts; raw data are viewed, not copied.

    Raises
    ------
    ArtifactError
        If the element type is not read, or shape and data disagree.
    """
    if element not in _DTYPES:
        raise ArtifactError(f"element type {element} is not read; use a float or integer type")
    if len(shape) > MAX_DIMENSIONS or any(size < 0 for size in shape):
        raise ArtifactError(
            f"shape {list(shape)[:9]}: at most {MAX_DIMENSIONS} sizes, none below 0"
        )
    dtype = _DTYPES[element]
    if raw is not None and typed:
        raise ArtifactError("it has raw data and typed data")
    if raw is not None:
        flat = view(raw, dtype)
    else:
        if any(element not in TYPED_DATA[field] for field in typed):
            raise ArtifactError(f"its data are not of its element type {element}")
        parts = [part for run in typed.values() for part in run]
        flat = np.concatenate(parts) if parts else np.empty(0, dtype)
        flat = flat.astype(dtype)
    count = math.prod(shape)  # Python integers: cannot wrap round
    # Beside a size of 0 all others are free, and NumPy cannot make an array of any.
    extent = math.prod(max(1, size) for size in shape)
    if flat.size != count or extent > MAX_ELEMENTS:
        raise ArtifactError(f"shape {list(shape)} holds {count} values, its data {flat.size}")
    tensor: Tensor = flat.reshape(shape)
    return tensor != 0 if element == BOOL else tensor
