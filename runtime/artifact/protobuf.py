"""Protobuf wire format: a bounded walk over the fields of one message.

References
----------
Protocol Buffers documentation, "Encoding".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from ..errors import ArtifactError

Value: TypeAlias = "int | memoryview"

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


def read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """Read an unsigned varint; return it and the position behind it.

    Raises
    ------
    ArtifactError
        If it runs past the end or over 64 bits.
    """
    value = shift = 0
    while shift < 64:
        if position >= len(data):
            raise ArtifactError("truncated inside a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
    raise ArtifactError("a number is longer than 64 bits")


def write_varint(value: int) -> bytes:
    """Encode an unsigned varint."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def length_field(number: int, content: bytes) -> bytes:
    """Encode one length-delimited field."""
    return write_varint(number << 3 | LENGTH) + write_varint(len(content)) + content


def walk(message: memoryview) -> Iterator[tuple[int, Value, int, int]]:
    """Yield each field of a message, copying nothing.

    Parameters
    ----------
    message : memoryview of bytes
        One whole message.

    Yields
    ------
    number : int
        The field's number.
    value : int or memoryview
        An unsigned integer (varint, fixed 32 or 64 bits), or the bytes of a
        length-delimited field.
    start, end : int
        Where the field, tag included, stands in `message`.

    Raises
    ------
    ArtifactError
        If a field runs past the end or has no known wire type.
    """
    position = 0
    while position < len(message):
        start = position
        tag, position = read_varint(message, position)
        number, wire = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise ArtifactError(f"field number {number} is out of range")
        value: Value
        if wire == VARINT:
            value, position = read_varint(message, position)
        elif wire == LENGTH:
            size, position = read_varint(message, position)
            if size > len(message) - position:
                raise ArtifactError(f"field {number} promises {size} bytes, past the end")
            value = message[position : position + size]
            position += size
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
            if size > len(message) - position:
                raise ArtifactError(f"truncated inside field {number}")
            value = int.from_bytes(message[position : position + size], "little")
            position += size
        else:
            raise ArtifactError(f"field {number} has unknown wire type {wire}")
        yield number, value, start, position
