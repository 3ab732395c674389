"""Archives of arrays: what was packed comes back, and nothing else is believed."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrekit.errors import DataError
from genrekit.teach.npz import pack, unpack

GOOD = pack({"name": np.array(["a", "bc"]), "rows": np.arange(6, dtype=np.float32).reshape(2, 3)})


def archive(content: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr("rows.npy", content)
    return buffer.getvalue()


def header(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    buffer = io.BytesIO()
    described = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, described)
    return buffer.getvalue()


def test_arrays_come_back_as_numpy_reads_them() -> None:
    with np.load(io.BytesIO(GOOD), allow_pickle=False) as judge:
        found = unpack(GOOD)
        assert found.keys() == set(judge.files)
        for name, array in found.items():
            np.testing.assert_array_equal(array, judge[name])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not an archive"),
        (GOOD[:-30], "not an archive"),
        (archive(header((1 << 31,))), "is not its size"),
        (archive(header((3,)) + b"1234"), "is not its size"),
        (archive(header((-1, -1)) + b"1234"), "not an archive"),
        (archive(header((1 << 40,), "<U0")), "is not its size"),
        (archive(header((0,), "|O")), "plain numbers"),
        (archive(header((1,)) + b"1234", zipfile.ZIP_DEFLATED), "compressed"),
        (archive(b"\x80\x04]"), "not an archive"),
        (pack({f"a{i}": np.zeros(1) for i in range(40)}), "too many members"),
    ],
)
def test_a_hostile_archive_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        unpack(data)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_gives_arrays(place: int, value: int) -> None:
    data = GOOD[:place] + bytes([value]) + GOOD[place + 1 :]
    try:
        found = unpack(data)
    except DataError:
        return
    assert sum(array.nbytes for array in found.values()) <= len(data)
