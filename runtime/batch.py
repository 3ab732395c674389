"""Batch: many songs through one model, in this process or in several (`workers`).

Whatever a song does, it becomes one outcome: an error that it raises is caught where it is
classified.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

from .classifier import GenreClassifier
from .errors import ConfigError, GenreKitError
from .prediction import Prediction

MAX_JOBS = 256


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """A model file and how to run it, as it travels to another process."""

    path: Path
    threads: int = 1
    engine: str | None = None

    def load(self) -> GenreClassifier:
        """Load it; raises as `GenreClassifier.load` does."""
        return GenreClassifier.load(self.path, threads=self.threads, engine=self.engine)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one song: a prediction, or the reason why there is none."""

    file: Path
    result: Prediction | str


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
        return (Outcome(song, attempt(classifier, song)) for song in songs)
    from .workers import classify_in_processes  # 10 ms that one song does not pay

    return classify_in_processes(iter(songs), choice, jobs)


def attempt(classifier: GenreClassifier, song: Path) -> Prediction | str:
    """Classify a song, or return in one line why that fails."""
    try:
        return classifier.classify(song)
    except (GenreKitError, OSError) as error:
        return " ".join(str(error).split())
    except MemoryError:
        return f"{song}: not enough memory"
