"""Dataset: labelled tracks, found in a folder of songs, a folder of pictures or a table."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np

from genrekit.arrays import Float32
from genrekit.errors import ConfigError, DataError
from genrekit.files import read_bounded

AUDIO_SUFFIXES = (".wav", ".au", ".flac", ".ogg", ".mp3")
SYNTHETIC_MARK = "synthetic.json"  # `data synth` leaves its settings under this name
TABLE_COLUMNS = 57  # Kaggle's features, `filename`, `length` and `label` apart

MAX_SONG_BYTES = 1 << 30
MAX_PICTURE_BYTES = 1 << 24
MAX_TABLE_BYTES = 1 << 26

SourceKind = Literal["audio", "images", "features"]
ImageRecipe = Literal["stft_5s", "plain"]

# `blues.00029.wav` is a track; `blues.00029.3.wav` is the fourth segment of one.
_TABLE_NAME = re.compile(r"(?P<track>.+?\.\d{5})(?:\.\d+)?\.\w{2,4}")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DataSource:
    """Where tracks come from.

    Parameters
    ----------
    kind : {"audio", "images", "features"}
        `<genre>/<track>.wav` songs, `<genre>/<track>.png` pictures, or Kaggle's CSV table.
    path : str
        The folder, or the CSV file.
    image_recipe : {"stft_5s", "plain"} or None
        How pictures were made; "plain" says nothing about it, so a model trained on them
        cannot be fed from audio. None unless `kind` is "images".
    synthetic : bool
        Whether the music was composed by rules rather than recorded.
    """

    kind: SourceKind
    path: str
    image_recipe: ImageRecipe | None = None
    synthetic: bool = False

    def __post_init__(self) -> None:
        if (self.kind == "images") != (self.image_recipe is not None):
            raise ConfigError(f"image_recipe={self.image_recipe}: goes with pictures, and only so")


@dataclasses.dataclass(frozen=True, slots=True)
class Track:
    """One song: its name (unique in its dataset), its genre and the file it lies in."""

    id: str
    genre: str
    path: Path


@dataclasses.dataclass(frozen=True, slots=True)
class Dataset:
    """Labels in alphabetical order, and tracks ordered by genre and name."""

    source: DataSource
    labels: tuple[str, ...]
    tracks: tuple[Track, ...]

    def by_id(self) -> dict[str, Track]:
        """Return the tracks by their names."""
        return {track.id: track for track in self.tracks}

    def without(self, track_ids: Iterable[str]) -> Dataset:
        """Return the dataset with some tracks left out; the labels stay."""
        gone = frozenset(track_ids)
        kept = tuple(track for track in self.tracks if track.id not in gone)
        return dataclasses.replace(self, tracks=kept)


def open_dataset(source: DataSource) -> Dataset:
    """List the tracks of a source, without opening the songs.

    Raises
    ------
    DataError
        If there is no such folder or table, it has fewer than two genres, or two files
        claim the same track.
    """
    if source.kind == "features":
        rows = _read_rows(Path(source.path))
        tracks = [Track(name, genre, Path(source.path)) for name, (genre, _) in rows.items()]
    else:
        suffixes = (".png",) if source.kind == "images" else AUDIO_SUFFIXES
        tracks = _find_tracks(Path(source.path), suffixes)
    labels = tuple(sorted({track.genre for track in tracks}))
    if len(labels) < 2:
        raise DataError(
            f"{source.path}: {len(labels)} genres found, at least 2 needed; expected one folder "
            "per genre with the tracks inside, as in blues/blues.00000.wav"
        )
    return Dataset(source, labels, tuple(sorted(tracks, key=lambda track: (track.genre, track.id))))


def audio_source(folder: str | Path) -> DataSource:
    """Describe a folder of songs; what `data synth` made is marked as synthetic."""
    path = Path(folder)
    return DataSource(kind="audio", path=str(path), synthetic=(path / SYNTHETIC_MARK).is_file())


def track_id(genre: str, stem: str) -> str:
    """Name a track: GTZAN's `blues.00029` as it is, `blues/any other song` with its folder."""
    return stem if stem.startswith(f"{genre}.") else f"{genre}/{stem}"


def read_table(path: Path) -> dict[str, Float32]:
    """Read Kaggle's feature table.

    Returns
    -------
    dict of str to float32, shape (segments, 57)
        Rows of each track, in the file's order; one row per track in `features_30_sec.csv`,
        one per segment in `features_3_sec.csv`.

    Raises
    ------
    DataError
        If it is not that table; the message names the line.
    """
    return {name: np.asarray(rows, np.float32) for name, (_, rows) in _read_rows(path).items()}


def fingerprints(dataset: Dataset) -> dict[str, str]:
    """Hash the content of every track, so that copies under other names are seen.

    Returns
    -------
    dict of str to str
        SHA-256 of the file by track name (of the rows, for a table); a file that cannot be
        read is left out.
    """
    if dataset.source.kind == "features":
        table = read_table(Path(dataset.source.path))
        return {name: hashlib.sha256(rows.tobytes()).hexdigest() for name, rows in table.items()}
    prints = {}
    for track in dataset.tracks:
        try:
            prints[track.id] = file_sha256(track.path)
        except OSError:
            continue
    return prints


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _find_tracks(root: Path, suffixes: tuple[str, ...]) -> list[Track]:
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    found: dict[str, Track] = {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        for path in sorted(folder.iterdir()):
            # A name with a leading dot is an editor's or a Mac's, never a song.
            if path.suffix.lower() not in suffixes or path.name.startswith("."):
                continue
            track = Track(track_id(folder.name, path.stem), folder.name, path)
            if other := found.get(track.id):
                raise DataError(f"{other.path} and {path}: two files for one track; keep one")
            found[track.id] = track
    return list(found.values())


def _read_rows(path: Path) -> dict[str, tuple[str, list[list[float]]]]:
    text = read_bounded(path, MAX_TABLE_BYTES).decode("utf-8", errors="replace")
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    if len(header) != TABLE_COLUMNS + 3 or (header[0], header[-1]) != ("filename", "label"):
        raise DataError(f"{path}: not Kaggle's table: expected filename, length, 57 values, label")
    tracks: dict[str, tuple[str, list[list[float]]]] = {}
    for number, row in enumerate(reader, start=2):
        where = f"{path}, line {number}"
        if len(row) != len(header):
            raise DataError(f"{where}: {len(row)} fields, expected {len(header)}")
        name, genre = _TABLE_NAME.fullmatch(row[0]), row[-1]
        if name is None or not genre:
            raise DataError(f"{where}: {row[0]!r:.60} is not a name like blues.00029.wav")
        label, rows = tracks.setdefault(name["track"], (genre, []))
        if label != genre:
            raise DataError(f"{where}: {name['track']} is both {label} and {genre}")
        rows.append(_finite_values(row[2:-1], where))
    return tracks


def _finite_values(fields: list[str], where: str) -> list[float]:
    try:
        values = [float(field) for field in fields]
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    if not all(math.isfinite(value) for value in values):
        raise DataError(f"{where}: a value is not a finite number")
    return values
