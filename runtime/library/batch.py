"""Batch: many songs through one model, in this process or in several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..classify.classifier import GenreClassifier
from ..errors import ConfigError
from .jobs import ModelChoice, Outcome, attempt

MAX_JOBS = 256


def classify_songs(
    songs: Iterable[Path], classifier: GenreClassifier, choice: ModelChoice, *, jobs: int = 1
) -> Iterator[Outcome]:
    """Classify songs and yield each outcome as it comes.

    Parameters
    ----------
    songs : iterable of Path
        Consumed as processes become free.
    classifier : GenreClassifier
        Used where `jobs` is 1.
    choice : ModelChoice
        What each process loads where there are several.
    jobs : int
        Processes, 1..256. With 1 the order is that of `songs`.

    Raises
    ------
    ConfigError
        If `jobs` is out of bounds.
    """
    if not 1 <= jobs <= MAX_JOBS:
        raise ConfigError(f"jobs={jobs}: must be 1..{MAX_JOBS}")
    if jobs == 1:
        return (Outcome(song, attempt(classifier, song, choice)) for song in songs)
    from .workers import classify_in_processes  # 10 ms that one song does not pay

    return classify_in_processes(iter(songs), choice, jobs)
