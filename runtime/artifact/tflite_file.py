"""Card inside a .tflite file: associated files in a ZIP appended to the flatbuffer.

This is the TFLite metadata convention: TFLite reads the flatbuffer at the front and ignores
what follows; any ZIP tool reads the archive at the back.

References
----------
"Adding metadata to TensorFlow Lite models", associated files.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from ..errors import ArtifactError

CARD_NAME = "genrekit.json"
LABELS_NAME = "labels.txt"
_END_RECORD = struct.Struct("<4s8xLLH")  # of a ZIP without a comment
_ZIP64_LOCATOR_BYTES = 20
_IDENTIFIER = b"TFL3"  # at offset 4 of every TFLite flatbuffer
_MAX_MEMBER_BYTES = 1 << 20
_MAX_DIRECTORY_BYTES = 1 << 16  # hundreds of members; `zipfile` would list millions
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes
# What `zipfile` is seen to raise on hostile archives.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
)


def split(data: bytes) -> tuple[bytes, bytes | None]:
    """Take a .tflite file apart.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    model : bytes
        The flatbuffer, without the archive.
    card : bytes or None
        The card's JSON; None if there is none.

    Raises
    ------
    ArtifactError
        If it is not a TFLite model, or its archive is corrupt or oversized.
    """
    if len(data) < 8 or data[4:8] != _IDENTIFIER:
        raise ArtifactError("not a TFLite model")
    end_record = len(data) - _END_RECORD.size
    if end_record < 0 or data[end_record : end_record + 4] != b"PK\x05\x06":
        return data, None
    check_directory(data, end_record)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            start = min((info.header_offset for info in archive.infolist()), default=0)
            if start < 8:
                raise ArtifactError("its archive is corrupt: no room for a model before it")
            return data[:start], _member(archive, CARD_NAME)
    except ArtifactError:
        raise
    except ZIP_ERRORS as error:
        raise ArtifactError(f"its archive is corrupt: {error}") from error


def join(model: bytes, card: bytes, labels: tuple[str, ...]) -> bytes:
    """Append the archive with the card and the labels, one a line, to a flatbuffer."""
    buffer = io.BytesIO(model)  # offsets count from the file's start, as every ZIP tool expects
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in ((CARD_NAME, card), (LABELS_NAME, "\n".join(labels).encode())):
            archive.writestr(zipfile.ZipInfo(name, _FIXED_DATE), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def check_directory(data: bytes, end_record: int) -> None:
    """Bound the list of members before `zipfile` reads it.

    Parameters
    ----------
    data : bytes
    end_record : int
        Where the archive's last record stands.

    Raises
    ------
    ArtifactError
        If the list is longer, or a 64-bit one.
    """
    _, size, _, _ = _END_RECORD.unpack_from(data, end_record)
    if size > _MAX_DIRECTORY_BYTES:
        raise ArtifactError(
            f"its archive is corrupt: a directory of {size} bytes, over {_MAX_DIRECTORY_BYTES}"
        )
    # A 64-bit directory would take the place of the one just bounded.
    if data[max(0, end_record - _ZIP64_LOCATOR_BYTES) :].startswith(b"PK\x06\x07"):
        raise ArtifactError("its archive has a 64-bit directory: refused")


def _member(archive: zipfile.ZipFile, name: str) -> bytes | None:
    members = [info for info in archive.infolist() if info.filename == name]
    if not members:
        return None
    if len(members) > 1:
        raise ArtifactError(f"two members named {name}")
    # LZMA would allocate whatever its header asks for, up to 4 GiB.
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArtifactError(f"{name}: compression method {members[0].compress_type} is refused")
    if members[0].file_size > _MAX_MEMBER_BYTES:
        raise ArtifactError(f"{name}: {members[0].file_size} bytes, over {_MAX_MEMBER_BYTES}")
    with archive.open(members[0]) as file:
        content = file.read(_MAX_MEMBER_BYTES + 1)
    if len(content) > _MAX_MEMBER_BYTES:
        raise ArtifactError(f"{name}: over {_MAX_MEMBER_BYTES} bytes")
    return content
