"""Results: a file of one row per song that grows as songs are done and survives a kill.

Each row is written at once and whole; a row that a kill has torn is cut off when the file is
opened again. While it is open, the kernel holds a lock on it that ends with the process, so
that no stale lock can be left behind.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from ..errors import ConfigError, FileError
from ..files import is_at
from .result_rows import RowFormat

_SYNC_S = 1.0  # at most this much is lost when the power fails; a kill alone loses nothing
_MAX_ROW_BYTES = 1 << 26  # the timeline of a day of audio is 4 MiB


class ResultsFile:
    """Rows on disk, with the songs that they are about.

    Parameters
    ----------
    path : path-like
        Made where it is missing, else continued.
    rows : RowFormat
    model : str
        That the rows are by; a file with another model's rows is refused.

    Raises
    ------
    FileError
        If it cannot be written, or another process writes to it.
    ConfigError
        If what it holds are not such rows, or they are by another model.
    """

    def __init__(self, path: str | os.PathLike[str], rows: RowFormat, model: str) -> None:
        self.path = Path(path)
        self.done: set[str] = set()
        self._rows = rows
        self._file = _open_locked(self.path)
        self._synced = time.monotonic()
        try:
            self._resume(model)
        except BaseException:
            self._file.close()
            raise

    def _resume(self, model: str) -> None:
        """Collect the songs that are done and cut off a torn row."""
        head = self._rows.head
        found = self._file.read(len(head))
        if not head.startswith(found):
            raise ConfigError(
                f"{self.path}: holds something else than results of these genres: "
                "choose another --out"
            )
        end = 0
        if len(found) == len(head):
            end = len(head)
            for row in self._whole_rows():
                try:
                    content = self._rows.decode(row)
                except ConfigError as error:
                    raise ConfigError(
                        f"{self.path}: no result at byte {end}: {error}; choose another --out"
                    ) from error
                if content.get("model", model) not in (model, ""):
                    raise ConfigError(
                        f"{self.path}: has results of the model {content['model']}: "
                        "choose another --out"
                    )
                self.done.add(content["file"])
                end += len(row)
        self._file.truncate(end)
        self._file.seek(end)
        if end < len(head):
            self._put(head)

    def _whole_rows(self) -> Iterator[bytes]:
        row = b""
        while line := self._file.readline(_MAX_ROW_BYTES):
            ended = self._rows.ends_row(line, inside=bool(row))
            row += line
            if len(row) > _MAX_ROW_BYTES:
                raise ConfigError(f"{self.path}: a row over {_MAX_ROW_BYTES} bytes")
            if ended:
                yield row
                row = b""

    def write(self, row: dict[str, Any]) -> None:
        """Append one row.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        self._put(self._rows.encode(row))
        self.done.add(row["file"])

    def finish(self) -> None:
        """Complete the file once all songs are done; these rows need nothing more."""

    def _put(self, data: bytes) -> None:
        try:
            self._file.write(data)
            self._file.flush()
            if time.monotonic() - self._synced > _SYNC_S:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Write everything to the disk and let go of the lock.

        Raises
        ------
        FileError
            If the disk does not take it.
        """
        if self._file.closed:
            return
        try:
            with self._file:  # which tries once more to write what a full disk did not take
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> FileError:
        return FileError(
            f"{self.path}: cannot be written: {error.strerror or error}; run the same again to go "
            "on from the last whole row"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _open_locked(path: Path) -> BinaryIO:
    """Open for reading and appending, once for all processes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            if path.exists() and not path.is_file():
                raise FileError(f"{path}: not a regular file")
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if is_at(file, path):
                    return file
            except BaseException:
                file.close()
                raise
            file.close()
    except FileError:
        raise
    except BlockingIOError as error:
        raise FileError(
            f"{path}: another genrekit is writing to it: wait for it, or choose another --out"
        ) from error
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror or error}") from error
