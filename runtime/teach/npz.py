"""Named arrays in one .npz, read as from a stranger: nothing unpickled, sizes bounded."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..artifact.tflite_file import ZIP_ERRORS, check_directory
from ..errors import ArtifactError, DataError

_END_RECORD_BYTES = 22  # of a ZIP without a comment
_MAX_MEMBERS = 32
_KINDS = "fiuU"  # floats, whole numbers, text


def pack(arrays: Mapping[str, Any]) -> bytes:
    """Return the bytes of an .npz, its members not compressed."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, Any]:
    """Read what `pack` wrote, without allocating more than a copy of it.

    Parameters
    ----------
    data : bytes
        Of a whole file.

    Returns
    -------
    dict of str to array
        Read-only views of what was read.

    Raises
    ------
    DataError
        If it is damaged, compressed, or holds anything but plain arrays.
    """
    try:
        if not data[-_END_RECORD_BYTES:].startswith(b"PK\x05\x06"):
            raise DataError("not an archive of arrays, or cut off")
        check_directory(data, len(data) - _END_RECORD_BYTES)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > _MAX_MEMBERS or any(
                info.compress_type != zipfile.ZIP_STORED or info.file_size > len(data)
                for info in members
            ):
                raise DataError("too many members, or compressed ones")
            return {info.filename.removesuffix(".npy"): _array(archive, info) for info in members}
    except DataError:
        raise
    except (ArtifactError, *ZIP_ERRORS) as error:
        raise DataError(f"not an archive of arrays: {error}") from error


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Any:
    content = archive.read(info)
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise DataError(f"{info.filename:.40}: another version of the format")
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(file)
    start = file.tell()
    if kind.kind not in _KINDS or by_columns:
        raise DataError(f"{info.filename:.40}: must be plain numbers or text, row by row")
    if not kind.itemsize or math.prod(shape) * kind.itemsize != len(content) - start:
        raise DataError(f"{info.filename:.40}: its shape {shape} is not its size")
    return np.frombuffer(content, kind, offset=start).reshape(shape)
