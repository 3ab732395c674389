"""Soak: a day of audio through the live path, as fast as it goes.

`python -m genrekit.benchmarks.speed.soak --hours 24 --model M` feeds generated audio, block by
block, to the listener that `genrekit listen` runs. Resident memory must not grow by more than 1 MB
after the first minute (of time; the first tenth, where a run is short), and every window's
probabilities must be, bit for bit, what the file path says of the same audio, which it gets in a
file's long blocks. Exits with 1 if not. Set OPENBLAS_NUM_THREADS=1, as the command `genrekit`
does: blocks are too small to share.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import itertools
import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from genrekit.arrays import Float64
from genrekit.artifact.container import Artifact, read_artifact
from genrekit.bench.machine.hardware import Machine, measured_machine
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.streams import CardStream
from genrekit.documents import write_document
from genrekit.engines.registry import load_engine
from genrekit.errors import ConfigError, GenreKitError
from genrekit.live.listener import Listener, Update
from genrekit.live.smoothing import SILENT_DB, LiveConfig
from genrekit.live.sources import BLOCK_S, Block, Losses

from .memory import ResidentMemory
from .synthetic_stream import second_of_sound, stretch

MAX_GROWTH_BYTES = 1_000_000

_SHORTEST_S = 120.0  # of audio
_FILE_BLOCK_S = 5  # seconds that the file path takes at once
_PROGRESS_S = 10.0  # of time


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Soak:
    """What a soak found.

    Parameters
    ----------
    model, model_sha256, engine : str
    audio_s, wall_s : float
        Audio heard, and the time it took.
    windows : int
        Predictions made.
    rss_settled_bytes, rss_end_bytes, rss_peak_bytes : int
        Resident memory after the first minute, at the end, and the most since.
    rss : tuple of tuple of float
        Pairs of seconds of audio and bytes, along the way.
    identical : int
        Windows whose probabilities are the file path's, bit for bit.
    largest_difference : float
        Between any two probabilities; infinite if one path made more windows.
    probabilities_sha256 : str
        Of all windows' probabilities, little-endian float64, in order.
    """

    kind: Literal["genrekit-soak"] = "genrekit-soak"
    schema: int = 1
    machine: Machine
    model: str
    model_sha256: str
    engine: str
    audio_s: float
    wall_s: float
    windows: int
    rss_settled_bytes: int
    rss_end_bytes: int
    rss_peak_bytes: int
    rss: tuple[tuple[float, int], ...]
    identical: int
    largest_difference: float
    probabilities_sha256: str

    @property
    def growth_bytes(self) -> int:
        """Resident memory at its peak over that after the first minute."""
        return self.rss_peak_bytes - self.rss_settled_bytes

    @property
    def passed(self) -> bool:
        """Whether memory is flat and the outputs are those of the file path."""
        return (
            self.growth_bytes <= MAX_GROWTH_BYTES
            and self.identical == self.windows > 0
            and self.largest_difference == 0.0
        )


def soak(artifact: Artifact, hours: float, *, engine: str | None = None, seed: int = 0) -> Soak:
    """Run the live path over generated audio.

    Parameters
    ----------
    artifact : Artifact
    hours : float
        Of audio, at least two minutes.
    engine : str, optional
        As for `engines.registry.load_engine`.
    seed : int
        Of the audio.

    Raises
    ------
    ConfigError
        If `hours` is too short for anything to be seen.
    """
    if not _SHORTEST_S <= hours * 3600 <= 366 * 86_400:
        raise ConfigError(f"hours={hours}: must be {_SHORTEST_S / 3600:.3f} (2 minutes)..8784")
    runner = load_engine(artifact, engine=engine)
    config = LiveConfig(smoothing_s=0.0, silence_db=SILENT_DB)  # each window's own probabilities
    listener = Listener(artifact, runner, config, Losses())
    rate, seconds = artifact.card.features.sample_rate, round(hours * 3600)
    live = _Windows(artifact, seconds)
    memory = ResidentMemory(seconds)
    start = time.perf_counter()
    for block in _blocks(rate, seconds, seed):
        live.add(listener.hear(block))
        memory.sample(listener.heard_s)
    live.add(listener.finish())
    wall_s = time.perf_counter() - start
    whole = GenreClassifier(artifact, engine=engine).windows(
        (
            stretch(first * rate, min(_FILE_BLOCK_S, seconds - first) * rate, rate, seed)
            for first in range(0, seconds, _FILE_BLOCK_S)
        ),
        rate,
    )
    identical, difference = live.compare(whole)
    return Soak(
        machine=measured_machine(),
        model=artifact.path.name,
        model_sha256=artifact.card.model_sha256,
        engine=runner.name,
        audio_s=listener.heard_s,
        wall_s=wall_s,
        windows=live.count,
        rss_settled_bytes=memory.settled,
        rss_end_bytes=memory.last,
        rss_peak_bytes=memory.peak,
        rss=memory.samples,
        identical=identical,
        largest_difference=difference,
        probabilities_sha256=live.digest(),
    )


def _blocks(sample_rate: int, seconds: int, seed: int) -> Iterator[Block]:
    """Yield the generated audio as a sound card would deliver it."""
    size = round(BLOCK_S * sample_rate)
    began = told = time.monotonic()
    for second in range(seconds):
        samples = second_of_sound(second, sample_rate, seed)
        now = time.monotonic()
        if sys.stderr.isatty() and now - told > _PROGRESS_S:
            told = now
            speed = second / (now - began)
            print(f"\r{second / 3600:.1f} h heard, {speed:.0f}x real time", end="", file=sys.stderr)
        for at in range(0, sample_rate, size):
            yield Block(samples[at : at + size], sample_rate, time.monotonic())


class _Windows:
    """What was said of each window, in an array whose size is fixed from the start."""

    def __init__(self, artifact: Artifact, seconds: int) -> None:
        labels = artifact.card.labels
        most = int(seconds / CardStream(artifact.card).hop_s) + 1
        self._said = np.full((most, len(labels)), np.nan)
        self._place = {label: index for index, label in enumerate(labels)}
        self.count = 0

    def add(self, updates: Iterable[Update]) -> None:
        """Keep the probabilities of the next windows."""
        for update in updates:
            for score in update.score.ranking:
                self._said[self.count, self._place[score.label]] = score.probability
            self.count += 1

    def compare(self, whole: Iterable[Float64]) -> tuple[int, float]:
        """Return how many windows are the same in another path, and the largest difference."""
        identical, largest = 0, 0.0
        for mine, other in itertools.zip_longest(self._said[: self.count], whole):
            if mine is None or other is None:
                return identical, math.inf
            identical += np.array_equal(mine, other)
            largest = max(largest, float(np.abs(mine - other).max()))
        return identical, largest

    def digest(self) -> str:
        """Return the SHA-256 of all probabilities."""
        return hashlib.sha256(self._said[: self.count].astype("<f8").tobytes()).hexdigest()


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m genrekit.benchmarks.speed.soak", description=__doc__
    )
    parser.add_argument("--hours", type=float, default=24.0, help="of audio (default: 24)")
    parser.add_argument("--model", type=Path, required=True, help=".onnx or .tflite")
    parser.add_argument("--engine", help="default: the first installed")
    parser.add_argument("--seed", type=int, default=0, help="of the audio (default: 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a soak and print what it found; return 1 if it failed."""
    args = _parse(argv)
    try:
        found = soak(read_artifact(args.model), args.hours, engine=args.engine, seed=args.seed)
        if args.json:
            write_document(args.json, found)
    except GenreKitError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    print(
        f"{found.audio_s / 3600:.2f} h of audio in {found.wall_s / 60:.1f} min "
        f"({found.audio_s / found.wall_s:.0f}x real time), {found.windows:,} windows "
        f"with {found.engine}"
    )
    print(
        f"resident memory: {found.rss_settled_bytes / 1e6:.1f} MB after the first minute, "
        f"{found.rss_end_bytes / 1e6:.1f} MB at the end, growth at most "
        f"{found.growth_bytes / 1e6:.2f} MB (bound {MAX_GROWTH_BYTES / 1e6:.0f} MB)"
    )
    print(
        f"compared with the file path: {found.identical:,} of {found.windows:,} windows identical, "
        f"largest difference {found.largest_difference:.1e}"
    )
    print("passed" if found.passed else "FAILED")
    return int(not found.passed)


if __name__ == "__main__":
    sys.exit(main())
