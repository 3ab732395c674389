"""Songs that a packaged model may learn from: GTZAN's clips and songs, without artist fold 2."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from genrekit.errors import DataError

HELD_BACK = Path("splits", "artist_3fold", "f2_test.txt")  # judged on, never learned from
_INDEX = Path("splits", "sturm_index.txt")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Song:
    """A song or a clip of one.

    Parameters
    ----------
    path : Path
    genre : str
    artist : str
        As in Sturm's index; the track's own name where that has none.
    clip : bool
        Whether it is one of the cuts of 2 to 3 s.
    """

    path: Path
    genre: str
    artist: str
    clip: bool


def find_songs(data: Path) -> list[Song]:
    """List what may be learned from.

    Parameters
    ----------
    data : Path
        Has `clips/`, `genres_original/` and `splits/`.

    Raises
    ------
    DataError
        If the folder is not laid out as expected.
    """
    try:
        held_back = {_track(line) for line in (data / HELD_BACK).read_text("utf-8").splitlines()}
        artists = _artists((data / _INDEX).read_text("utf-8", "replace"))
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}: not GTZAN with its splits") from error
    paths = sorted(data.glob("clips/*/*.flac")) + sorted(data.glob("genres_original/*/*.wav"))
    songs = [
        Song(
            path=path,
            genre=path.parent.name,
            artist=artists.get(path.stem, path.stem),
            clip=path.suffix == ".flac",
        )
        for path in paths
        if path.stem not in held_back
    ]
    if not songs:
        raise DataError(f"{data}: no songs in clips/ and genres_original/")
    return songs


def _track(line: str) -> str:
    """Return `blues.00012` for `./blues_00012.wav`."""
    return line.split()[0].removeprefix("./").removesuffix(".wav").replace("_", ".")


def _artists(index: str) -> dict[str, str]:
    found = {}
    for line in index.splitlines():
        track, *fields = (part.strip() for part in line.split(":::"))
        artist = re.sub(r"[^a-z]", "", fields[0].lower()) if fields else ""
        if artist:
            found[track.removesuffix(".wav")] = artist
    return found
