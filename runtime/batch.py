"""Batch: many songs through one model, in this process or in several.

Whatever a song does, it becomes one outcome: an error it raises is caught where it is
classified, and one that takes its process down (a decoder's crash, the kernel's out-of-memory
killer) is found by running alone each song that was under way.
"""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from .classifier import GenreClassifier
from .errors import ConfigError, GenreKitError
from .prediction import Prediction

MAX_JOBS = 256
# Songs handed out per process: one runs, the next waits, and memory stays bounded.
_AHEAD = 2


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
        return (Outcome(song, _attempt(classifier, song)) for song in songs)
    return _in_processes(iter(songs), choice, jobs)


def _in_processes(songs: Iterator[Path], choice: ModelChoice, jobs: int) -> Iterator[Outcome]:
    while True:
        running: dict[Future[Prediction | str], Path] = {}
        try:
            with _processes(choice, jobs) as pool:
                while _hand_out(songs, running, pool, _AHEAD * jobs):
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        result = future.result()
                        yield Outcome(running.pop(future), result)
            return
        except BrokenProcessPool:
            yield from _one_by_one(list(running.values()), choice)


def _hand_out(
    songs: Iterator[Path],
    running: dict[Future[Prediction | str], Path],
    pool: ProcessPoolExecutor,
    most: int,
) -> bool:
    """Fill up what is under way; return whether there is anything."""
    while len(running) < most and (song := next(songs, None)) is not None:
        try:
            running[pool.submit(_classify_here, song)] = song
        except BrokenProcessPool as error:
            failed: Future[Prediction | str] = Future()
            failed.set_exception(error)
            running[failed] = song  # not lost: it runs again with the others
            break
    return bool(running)


def _one_by_one(songs: list[Path], choice: ModelChoice) -> Iterator[Outcome]:
    """Run each song in a process of its own, so that the one that kills it is known."""
    for song in songs:
        result: Prediction | str
        try:
            with _processes(choice, 1) as pool:
                result = pool.submit(_classify_here, song).result()
        except BrokenProcessPool:
            result = f"{song}: killed the process that read it: damaged, or too large"
        yield Outcome(song, result)


@contextmanager
def _processes(choice: ModelChoice, jobs: int) -> Iterator[ProcessPoolExecutor]:
    # Each process runs one song on one core; a BLAS of many threads would fight for them.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(choice.threads))
    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_load_here, initargs=(choice,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


_here: list[GenreClassifier] = []  # the model of a process of `_processes`


def _load_here(choice: ModelChoice) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C: the parent tells, this one just ends
    _here.append(choice.load())


def _classify_here(song: Path) -> Prediction | str:
    return _attempt(_here[0], song)


def _attempt(classifier: GenreClassifier, song: Path) -> Prediction | str:
    try:
        return classifier.classify(song)
    except (GenreKitError, OSError) as error:
        return " ".join(str(error).split())
    except MemoryError:
        return f"{song}: not enough memory"
