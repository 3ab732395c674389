"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from .errors import FileError

_UNFINISHED = ".unfinished"


def cache_folder() -> Path:
    """Return the cache: GENREKIT_CACHE, else below XDG_CACHE_HOME or ~/.cache."""
    if own := os.environ.get("GENREKIT_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "genrekit"


def unfinished_form(target: Path) -> Path:
    """Name the unfinished form of a file; one that is left over is known by `is_unfinished`."""
    return target.with_name(f".{target.name}{_UNFINISHED}")


def is_unfinished(name: str) -> bool:
    """Tell whether a file's name is that of an unfinished one."""
    return name.startswith(".") and name.endswith(_UNFINISHED)


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes its name when the block ends without an error, and not before.

    A reader sees the old file or the new one, never a part. The unfinished form has one name, and
    a lock while it is written: what a killed process left is written over by the next, and of two
    that write at once each is whole and the later one stays.

    Parameters
    ----------
    path : path-like
        Destination; its folder is made where it is missing.

    Raises
    ------
    OSError
        If it cannot be written; whatever was at `path` stays.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_form(target)
    with _claimed(unfinished) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise


def write_whole(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Write `data` to `path` as a `whole_file`.

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
    content = data.encode("utf-8") if isinstance(data, str) else data
    try:
        with whole_file(path) as file:
            file.write(content)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror or error}") from error


def is_at(file: BinaryIO, path: Path) -> bool:
    """Tell whether `path` is still this open file: another may have moved or removed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _claimed(unfinished: Path) -> Iterator[BinaryIO]:
    import fcntl  # only where files are written: what reads runs on systems without it

    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(unfinished, flags, 0o666), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if is_at(file, unfinished):  # else the one who had it has finished
                file.truncate()
                yield file
                return


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
