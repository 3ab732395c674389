"""Cache: features on disk, keyed by what they were computed from.

A key is the hash of the song's bytes, the kind of feature, its configuration, the windowing
where it matters, and the code that computes features. So nothing goes stale, songs may move,
and a run that was killed finds what it had done.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import genrekit
from genrekit.arrays import Float32
from genrekit.artifact.sections import Windowing
from genrekit.audio.decoding import load_audio
from genrekit.errors import ConfigError, DataError, FileError, GenreKitError
from genrekit.features.config import FeatureConfig
from genrekit.features.kinds import extract, streams
from genrekit.files import cache_folder, write_whole
from genrekit.library.process_pool import process_pool
from genrekit.strict_json import canonical_json

from ..data.datasets import file_sha256

# What stands between a song's bytes and its features; a test compares with the imports.
FEATURE_SOURCES = ("arrays.py", "audio", "errors.py", "features", "strict_json.py")
FEW_TRACKS = 4  # starting processes takes longer than computing these


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What to compute from a song.

    Parameters
    ----------
    feature : str
        Kind, as in `genrekit.features.kinds`.
    config : FeatureConfig
    windowing : Windowing
        Features that need their whole window are computed per window.
    """

    feature: str
    config: FeatureConfig
    windowing: Windowing

    def compute(self, path: Path) -> Float32:
        """Compute a song's features.

        Returns
        -------
        float32, shape (frames, bands), or (windows, ...) for a feature of whole windows

        Raises
        ------
        AudioError, FileError
            If the song cannot be decoded.
        """
        rate = self.config.sample_rate
        samples = load_audio(path, rate).samples
        size = round(self.windowing.window_s * rate)
        if len(samples) < size:  # the card's rule for short clips
            padded = np.zeros(size, np.float32)
            padded[: len(samples)] = samples
            samples = np.resize(samples, size) if self.windowing.short == "wrap" else padded
        if streams(self.feature, self.config):
            return extract(self.feature, samples, self.config)
        hop = round(self.windowing.hop_s * rate)
        starts = range(0, len(samples) - size + 1, hop)
        return np.stack(
            [extract(self.feature, samples[i : i + size], self.config) for i in starts]
        ).astype(np.float32)

    def key(self, content_sha256: str) -> str:
        """Name the features of a song."""
        whole_clip = streams(self.feature, self.config)
        parts = {
            "song": content_sha256,
            "feature": self.feature,
            "config": self.config,
            # Any windowing gives the same frames, except of songs shorter than a window.
            "windowing": self.windowing.window_s if whole_clip else self.windowing,
            "code": code_version(),
        }
        return hashlib.sha256(canonical_json(parts).encode()).hexdigest()


def song_features(path: Path, recipe: Recipe) -> Path:
    """Make sure that a song's features are on disk.

    Returns
    -------
    Path
        An .npy file.

    Raises
    ------
    AudioError, FileError, OSError
        If the song cannot be read.
    DataError
        If the features cannot be written: the songs are not at fault.
    """
    key = recipe.key(file_sha256(path))
    target = cache_folder() / key[:2] / f"{key}.npy"
    if not target.is_file():
        buffer = io.BytesIO()
        np.save(buffer, recipe.compute(path), allow_pickle=False)
        try:
            write_whole(target, buffer.getvalue())
        except FileError as error:
            raise DataError(f"{error}; GENREKIT_CACHE names another folder for features") from error
    return target


def read_features(path: Path) -> Float32:
    """Map cached features into memory; pages are read as they are used."""
    features: Float32 = np.load(path, mmap_mode="r", allow_pickle=False)
    return features


def extract_songs(
    paths: Sequence[Path],
    recipe: Recipe,
    *,
    jobs: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Path | str]:
    """Compute the features of many songs, in processes, skipping those on disk.

    Parameters
    ----------
    paths : sequence of Path
        Songs.
    recipe : Recipe
    jobs : int, optional
        Processes; one per core by default.
    on_progress : callable, optional
        Called with songs done and in all.

    Returns
    -------
    list of Path or str
        Per song the file of its features, or why there is none.

    Raises
    ------
    ConfigError
        If `jobs` is below 1.
    DataError
        If a process is killed from outside, or the cache cannot be written.
    """
    if jobs is not None and jobs < 1:
        raise ConfigError(f"jobs={jobs}: must be at least 1")
    outcomes: list[Path | str] = [""] * len(paths)
    pairs = _outcomes(paths, recipe, jobs or os.cpu_count() or 1)
    for done, (index, outcome) in enumerate(pairs, start=1):
        outcomes[index] = outcome
        if on_progress:
            on_progress(done, len(paths))
    return outcomes


@functools.cache
def code_version() -> str:
    """Hash the source of everything that computes features."""
    digest = hashlib.sha256()
    root = Path(genrekit.__path__[0])
    for source in FEATURE_SOURCES:
        modules = sorted((root / source).rglob("*.py")) or [root / source]
        for module in modules:
            digest.update(module.read_bytes())
    return digest.hexdigest()


def _outcomes(paths: Sequence[Path], recipe: Recipe, jobs: int) -> Iterator[tuple[int, Path | str]]:
    if jobs == 1 or len(paths) <= FEW_TRACKS:
        for index, path in enumerate(paths):
            yield index, _try_song(path, recipe)
        return
    with _one_thread_each(), process_pool(jobs) as pool:
        futures = {pool.submit(_try_song, path, recipe): i for i, path in enumerate(paths)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise DataError(
                "a process that computes features was killed, for want of memory perhaps; what "
                "is done is kept: run the same again with --jobs 1"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _try_song(path: Path, recipe: Recipe) -> Path | str:
    try:
        return song_features(path, recipe)
    except DataError:
        raise
    except (GenreKitError, OSError) as error:
        return str(error)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Keep the BLAS of every process that is started here to one thread."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
