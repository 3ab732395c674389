"""Catalog: the songs below some folders, in one order, found as they are needed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import FileError

# Of files met in folders; a file that is named is taken whatever its name.
SUFFIXES = frozenset(
    {
        *{".aac", ".aif", ".aifc", ".aiff", ".ape", ".au", ".bwf", ".caf", ".flac", ".m4a", ".m4b"},
        *{".mka", ".mp2", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".w64", ".wav"},
        *{".wave", ".wma", ".wv"},
    }
)


def find_songs(paths: Iterable[Path], *, recursive: bool = False) -> Iterator[Path]:
    """Yield every song, in memory that does not grow with their number.

    Parameters
    ----------
    paths : iterable of Path
        Files, each yielded as it is, and folders, whose songs are yielded in sorted order:
        those of a folder before those of its subfolders. Hidden files are left out.
    recursive : bool
        Whether to descend into subfolders; links to folders are not followed.

    Raises
    ------
    FileError
        If a folder cannot be listed; after the last song, if a folder has none.
    """
    empty = []
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        songs = _songs_below(path, recursive)
        first = next(songs, None)
        if first is None:
            empty.append(path)
        else:
            yield first
            yield from songs
    if empty:
        hint = "" if recursive else "; -r descends into subfolders"
        raise FileError(f"{', '.join(map(str, empty))}: no song there{hint}")


def _songs_below(folder: Path, recursive: bool) -> Iterator[Path]:
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif Path(entry.name).suffix.lower() in SUFFIXES and not entry.is_dir():
                    files.append(entry.name)
    except OSError as error:
        raise FileError(f"{folder}: cannot be listed: {error.strerror or error}") from error
    for name in sorted(files):
        yield folder / name
    if recursive:
        for name in sorted(folders):
            yield from _songs_below(folder / name, recursive)
