"""Flatbuffer: tables, vectors and strings read in place, every offset checked.

Offsets in a flatbuffer may point anywhere, also many at one place: whoever reads a vector of
tables must bound its length, which is why every method that builds a list takes a limit.

References
----------
FlatBuffers documentation, "FlatBuffer internals".
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import ArtifactError

MAX_NAME_BYTES = 1_024


class Table:
    """One table: a position in the file and its vtable.

    Parameters
    ----------
    data : memoryview of bytes
        The whole file.
    position : int
        Where the table starts.
    """

    def __init__(self, data: memoryview, position: int) -> None:
        self._data = data
        self._position = position
        self._vtable = position - _number(data, position, "<i")
        self._slots = (_number(data, self._vtable, "<H") - 4) // 2

    @classmethod
    def root(cls, data: memoryview) -> Table:
        """Return the file's root table."""
        return cls(data, _number(data, 0, "<I"))

    def number(self, slot: int, code: str, default: int) -> int:
        """Read an integer field; `code` is its struct format, e.g. "<i"."""
        at = self._field(slot)
        return default if at is None else _number(self._data, at, code)

    def real(self, slot: int, default: float) -> float:
        """Read a 32-bit float field."""
        bits = self.number(slot, "<I", -1)
        return default if bits < 0 else float(np.uint32(bits).view(np.float32))

    def table(self, slot: int) -> Table | None:
        """Return a table field, or None where it is absent."""
        at = self._target(slot)
        return None if at is None else Table(self._data, at)

    def tables(self, slot: int, limit: int) -> list[Table]:
        """Return a vector of tables, empty where it is absent."""
        start, count = self._vector(slot, 4)
        if count > limit:
            raise ArtifactError(f"a list of {count}, over {limit}")
        places = range(start, start + 4 * count, 4)
        return [Table(self._data, at + _number(self._data, at, "<I")) for at in places]

    def array(self, slot: int, dtype: str) -> NDArray[Any]:
        """View a vector of numbers, copying nothing; empty where it is absent."""
        kind = np.dtype(dtype)
        start, count = self._vector(slot, kind.itemsize)
        if count == 0:
            return np.empty(0, kind)
        return np.frombuffer(self._data, kind, count, start)

    def integers(self, slot: int, limit: int) -> tuple[int, ...]:
        """Read a short vector of int32."""
        numbers = self.array(slot, "<i4")
        if len(numbers) > limit:
            raise ArtifactError(f"a list of {len(numbers)}, over {limit}")
        return tuple(numbers.tolist())

    def text(self, slot: int) -> str:
        """Read a string, empty where it is absent."""
        start, count = self._vector(slot, 1)
        if count > MAX_NAME_BYTES:
            raise ArtifactError(f"a name of {count} bytes, over {MAX_NAME_BYTES}")
        try:
            name = str(self._data[start : start + count], "utf-8")
        except UnicodeDecodeError as error:
            raise ArtifactError("a name is not UTF-8") from error
        if not name.isprintable():  # it may stand in a message
            raise ArtifactError(f"the name {name!r:.80} has characters that cannot be printed")
        return name

    def _field(self, slot: int) -> int | None:
        if slot >= self._slots:
            return None
        offset = _number(self._data, self._vtable + 4 + 2 * slot, "<H")
        return self._position + offset if offset else None

    def _target(self, slot: int) -> int | None:
        at = self._field(slot)
        return None if at is None else at + _number(self._data, at, "<I")

    def _vector(self, slot: int, width: int) -> tuple[int, int]:
        at = self._target(slot)
        if at is None:
            return 0, 0
        count = _number(self._data, at, "<I")
        if count * width > len(self._data) - at - 4:
            raise ArtifactError(f"a list of {count} runs past the end")
        return at + 4, count


def _number(data: memoryview, position: int, code: str) -> int:
    if not 0 <= position <= len(data) - struct.calcsize(code):
        raise ArtifactError("an offset points outside the file")
    number: int = struct.unpack_from(code, data, position)[0]
    return number
