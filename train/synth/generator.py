"""The synthetic set: music composed and rendered into GTZAN's layout, labelled as synthetic."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import io
import json
import os
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from genrekit.arrays import Float32
from genrekit.errors import ConfigError, DataError
from genrekit.files import read_bounded, write_whole
from genrekit.library.process_pool import process_pool
from genrekit.locks import locked_folder
from genrekit.strict_json import decode, encode, parse_json

from ..data.datasets import SYNTHETIC_MARK
from .composition import check_duration
from .genres.table import GENRES
from .rendering import render_track, soundfont_sha256

GENERATOR_VERSION = 3  # one more whenever the sound changes
SAMPLE_RATE = 22_050
MAX_TRACKS_PER_GENRE = 100_000  # GTZAN's names have five digits
_MANIFEST_LIMIT = 65_536  # bytes
_HEADER_BYTES = 44  # of a WAV file with one plain format chunk


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SyntheticManifest:
    """What made a synthetic set; equal manifests make equal files."""

    synthetic: Literal[True] = True
    generator: Literal["genrekit data synth"] = "genrekit data synth"
    generator_version: int = GENERATOR_VERSION
    seed: int
    duration_s: float
    sample_rate: int = SAMPLE_RATE
    genres: tuple[str, ...] = GENRES
    soundfont_sha256: str

    def to_json(self) -> str:
        """Return the manifest as indented JSON."""
        return json.dumps(encode(self), indent=2) + "\n"


def track_seed(seed: int, genre: str, index: int) -> int:
    """Derive a track's own seed, so that a set can grow without changing its tracks."""
    digest = hashlib.sha256(f"{seed}/{genre}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def track_path(out: Path, genre: str, index: int) -> Path:
    """Where GTZAN keeps track `index` of a genre."""
    return out / genre / f"{genre}.{index:05d}.wav"


def write_synthetic(
    out: Path,
    *,
    tracks_per_genre: int,
    seed: int,
    duration_s: float = 30.0,
    jobs: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> SyntheticManifest:
    """Write a set of composed tracks as `<out>/<genre>/<genre>.00000.wav` and so on.

    Finished files of the same set are kept, so a killed run resumes and a larger
    `tracks_per_genre` adds to what is there. A track depends on the seed, its genre and its
    number alone: the bytes are the same whatever `jobs` is.

    Parameters
    ----------
    out : Path
        Folder of the set; made where it is missing.
    tracks_per_genre : int
        How many tracks each genre has in the end.
    seed : int
        Not negative.
    duration_s : float
        Length of a track.
    jobs : int, optional
        Processes; the number of processors if not given.
    on_progress : callable, optional
        Called with (finished, total) tracks.

    Returns
    -------
    SyntheticManifest
        Also in `<out>/synthetic.json`.

    Raises
    ------
    ConfigError
        If a number is out of bounds.
    DataError
        If `out` holds another set, or music that is no synthetic set.
    FileError
        If another process is filling it, or it cannot be written.
    """
    jobs = os.cpu_count() or 1 if jobs is None else jobs
    if not 1 <= tracks_per_genre <= MAX_TRACKS_PER_GENRE:
        raise ConfigError(
            f"tracks_per_genre={tracks_per_genre}: must be in 1..{MAX_TRACKS_PER_GENRE}"
        )
    if seed < 0:
        raise ConfigError(f"seed={seed}: must not be negative")
    if jobs < 1:
        raise ConfigError(f"jobs={jobs}: must be at least 1")
    check_duration(duration_s)
    manifest = SyntheticManifest(
        seed=seed, duration_s=float(duration_s), soundfont_sha256=soundfont_sha256()
    )
    tasks = [
        (out, seed, genre, index, float(duration_s))
        for index in range(tracks_per_genre)
        for genre in GENRES
    ]
    size = _HEADER_BYTES + 2 * round(duration_s * SAMPLE_RATE)
    with locked_folder(out):
        _claim(out, manifest)
        missing = [task for task in tasks if not _is_finished(track_path(out, *task[2:4]), size)]
        done = len(tasks) - len(missing)
        for finished in _run(missing, jobs):
            done += finished
            if on_progress is not None:
                on_progress(done, len(tasks))
    return manifest


_Task = tuple[Path, int, str, int, float]


def _claim(out: Path, manifest: SyntheticManifest) -> None:
    """Write the manifest, or find that the folder's own is the same."""
    path = out / SYNTHETIC_MARK
    if not path.exists():
        if any(out.iterdir()):
            raise DataError(f"{out}: holds other files; name an empty or a new folder")
        write_whole(path, manifest.to_json())
        return
    try:
        document = parse_json(read_bounded(path, _MANIFEST_LIMIT), str(path))
        held = decode(SyntheticManifest, document, str(path))
    except ConfigError as error:
        raise DataError(f"{error}; name a new folder") from error
    theirs, ours = encode(held), encode(manifest)
    if odd := [f"{key}={theirs[key]}" for key in ours if theirs[key] != ours[key]]:
        raise DataError(f"{out}: holds a set made with {', '.join(odd)}; name a new folder")


def _is_finished(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _run(tasks: list[_Task], jobs: int) -> Iterator[int]:
    """Yield 1 for each finished track."""
    if jobs == 1 or len(tasks) < 2:
        yield from map(_write_track, tasks)
        return
    with process_pool(min(jobs, len(tasks))) as pool:
        futures = [pool.submit(_write_track, task) for task in tasks]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _write_track(task: _Task) -> int:
    out, seed, genre, index, duration_s = task
    samples = render_track(genre, track_seed(seed, genre, index), duration_s, SAMPLE_RATE)
    write_whole(track_path(out, genre, index), _wav(samples, SAMPLE_RATE))
    return 1


def _wav(samples: Float32, sample_rate: int) -> bytes:
    """Encode mono samples in -1..1 as a 16-bit PCM file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(np.round(samples * 32_767.0).astype("<i2").tobytes())
    return file.getvalue()
