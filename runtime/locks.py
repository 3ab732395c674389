"""Folder lock: one process at a time works in a folder, and clears up after one that was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from .errors import FileError
from .files import is_unfinished


@contextlib.contextmanager
def locked_folder(path: str | os.PathLike[str]) -> Iterator[None]:
    """Make a folder where it is missing, and hold it.

    The kernel keeps the lock and drops it with the process: none can be left behind. Unfinished
    files of a process that was killed are removed.

    Raises
    ------
    FileError
        If another process holds it, or it cannot be made or opened.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise FileError(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileError(
                f"{folder}: another genrekit is working in it: wait, or choose another folder"
            ) from error
        _clear_up(folder)
        yield
    finally:
        os.close(held)


def _clear_up(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in filter(is_unfinished, names):
            with contextlib.suppress(OSError):
                Path(place, name).unlink()
