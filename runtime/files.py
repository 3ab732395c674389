"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from .errors import FileError

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp", re.DOTALL)


def temporary_beside(target: Path) -> Path:
    """Name the unfinished form of a file; one that is left over is known by `is_temporary`."""
    return target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")


def is_temporary(name: str) -> bool:
    """Tell whether a file's name is that of an unfinished one."""
    return _TEMPORARY.fullmatch(name) is not None


def write_whole(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    path : path-like
        Destination; its folder is made where it is missing.
    data : bytes or str
        Content; text is encoded as UTF-8.

    Raises
    ------
    FileError
        If the folder cannot be written; whatever was at `path` stays.
    """
    target = Path(path)
    content = data.encode("utf-8") if isinstance(data, str) else data
    temporary = temporary_beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise FileError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def check_not_input(
    target: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]]
) -> None:
    """Refuse an output that is one of the inputs, by whatever name.

    Raises
    ------
    FileError
        Names the output.
    """
    for source in inputs:
        same = False
        with contextlib.suppress(OSError, ValueError):  # where one is missing, they differ
            same = Path(target).samefile(source)
        if same:
            raise FileError(f"{target}: would write over {source}, which is read: choose another")


def read_bounded(path: str | os.PathLike[str], limit: int) -> bytes:
    """Read a whole regular file of at most `limit` bytes.

    Raises
    ------
    FileError
        If it cannot be read, is a folder, device or pipe, or is larger.
    """
    source = Path(path)
    try:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FileError(f"{source}: not a regular file")
        if status.st_size > limit:
            raise FileError(f"{source}: larger than the {limit} bytes that are read")
        with source.open("rb") as file:
            data = file.read(limit + 1)
    except FileError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{source}: cannot be read: {reason}") from error
    if len(data) > limit:  # it grew, or is one of the kernel's, whose size is told as 0
        raise FileError(f"{source}: larger than the {limit} bytes that are read")
    return data
