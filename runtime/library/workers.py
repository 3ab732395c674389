"""Workers: processes that classify songs, and survive whatever a song does to them.

A song that takes its process down (a decoder's crash, the kernel's out-of-memory killer) is found
by running alone each song that was under way.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from ..classify.classifier import GenreClassifier
from ..classify.prediction import Prediction
from .jobs import ModelChoice, Outcome, attempt
from .process_pool import process_pool

# Songs handed out per process: one runs, the next waits, and memory stays bounded.
_AHEAD = 2


def classify_in_processes(
    songs: Iterator[Path], choice: ModelChoice, jobs: int
) -> Iterator[Outcome]:
    """Classify songs in `jobs` processes and yield each outcome as it comes."""
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
    pool = process_pool(jobs, _load_here, choice)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


# The model of a process of `_processes`, and how it was chosen.
_here: list[tuple[GenreClassifier, ModelChoice]] = []


def _load_here(choice: ModelChoice) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C: the parent tells, this one just ends
    _here.append((choice.load(), choice))


def _classify_here(song: Path) -> Prediction | str:
    classifier, choice = _here[0]
    return attempt(classifier, song, choice)
