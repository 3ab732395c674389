"""Soak: a day of audio through the live path, as fast as it goes.

`python -m genrekit.benchmarks.soak --hours 24 --model M` feeds generated audio, block by block,
to the listener that `genrekit listen` runs. Resident memory must not grow by more than 1 MB after
the first minute (of time; the first tenth, where a run is short), and what was said of stretches
all along the way must be what the file path says of the same samples. Exits with 1 if not. Set
OPENBLAS_NUM_THREADS=1, as the command `genrekit` does: blocks are too small to share.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from genrekit.runtime.arrays import Int64
from genrekit.runtime.artifact import Artifact, read_artifact
from genrekit.runtime.audio import Audio
from genrekit.runtime.classifier import GenreClassifier
from genrekit.runtime.engines import load_engine
from genrekit.runtime.errors import ConfigError, GenreKitError
from genrekit.runtime.files import write_whole
from genrekit.runtime.listener import Listener
from genrekit.runtime.live import SILENT_DB, LiveConfig
from genrekit.runtime.machine import Machine, describe_machine
from genrekit.runtime.prediction import Score, Segment
from genrekit.runtime.schema import encode
from genrekit.runtime.sound_source import BLOCK_S, Block, Losses
from genrekit.runtime.stream import CardStream

from .endless_sound import second_of_sound, stretch
from .resident_memory import ResidentMemory

MAX_GROWTH_BYTES = 1_000_000
MAX_DIFFERENCE = 1e-4  # of a probability: float32 sums of differently sized products

_SHORTEST_S = 120.0  # of audio
_CHECKS = 48  # stretches compared with the file path
_CHECK_WINDOWS = 8  # in each
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
    compared, labels_equal : int
        Windows compared with the file path, and those with the same label.
    largest_difference : float
        Between their probabilities.
    labels_sha256 : str
        Of all labels in order, joined by newlines.
    """

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
    compared: int
    labels_equal: int
    largest_difference: float
    labels_sha256: str

    @property
    def growth_bytes(self) -> int:
        """Resident memory at its peak over that after the first minute."""
        return self.rss_peak_bytes - self.rss_settled_bytes

    @property
    def passed(self) -> bool:
        """Whether memory is flat and the outputs are those of the file path."""
        return (
            self.growth_bytes <= MAX_GROWTH_BYTES
            and self.compared > 0
            and self.labels_equal == self.compared
            and self.largest_difference <= MAX_DIFFERENCE
        )


def soak(artifact: Artifact, hours: float, *, engine: str | None = None, seed: int = 0) -> Soak:
    """Run the live path over generated audio.

    Parameters
    ----------
    artifact : Artifact
    hours : float
        Of audio, at least two minutes.
    engine : str, optional
        As for `engines.load_engine`.
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
    hop_s = CardStream(artifact.card).hop_s
    last_window = int((hours * 3600 - artifact.card.windowing.window_s) / hop_s)
    kept = _Kept(_checked_windows(last_window), artifact.card.labels)
    labels = hashlib.sha256()
    memory = ResidentMemory(hours * 3600)
    windows = 0
    start = time.perf_counter()
    for block in _blocks(artifact.card.features.sample_rate, hours * 3600, seed):
        for update in listener.hear(block):
            best = update.score.ranking[0]
            labels.update(f"{best.label}\n".encode())
            kept.add(windows, best)
            windows += 1
        memory.sample(listener.heard_s)
    wall_s = time.perf_counter() - start
    equal, difference = _compare(artifact, kept, seed=seed, engine=engine)
    return Soak(
        machine=describe_machine(),
        model=artifact.path.name,
        model_sha256=artifact.card.model_sha256,
        engine=runner.name,
        audio_s=listener.heard_s,
        wall_s=wall_s,
        windows=windows,
        rss_settled_bytes=memory.settled,
        rss_end_bytes=memory.last,
        rss_peak_bytes=memory.peak,
        rss=memory.samples,
        compared=kept.count,
        labels_equal=equal,
        largest_difference=difference,
        labels_sha256=labels.hexdigest(),
    )


def _blocks(sample_rate: int, seconds: float, seed: int) -> Iterator[Block]:
    """Yield the generated audio as a sound card would deliver it."""
    size = round(BLOCK_S * sample_rate)
    began = told = time.monotonic()
    for second in range(round(seconds)):
        samples = second_of_sound(second, sample_rate, seed)
        now = time.monotonic()
        if sys.stderr.isatty() and now - told > _PROGRESS_S:
            told = now
            speed = second / (now - began)
            print(f"\r{second / 3600:.1f} h heard, {speed:.0f}x real time", end="", file=sys.stderr)
        for at in range(0, sample_rate, size):
            yield Block(samples[at : at + size], sample_rate, time.monotonic())


def _checked_windows(last_window: int) -> Int64:
    """Return the first windows of the stretches that are compared, spread over all of them."""
    last = max(0, last_window - 2 * _CHECK_WINDOWS)
    return np.unique(np.linspace(0, last, _CHECKS).round().astype(np.int64))


class _Kept:
    """What was said of some windows, in arrays whose size is fixed from the start."""

    def __init__(self, starts: Int64, labels: tuple[str, ...]) -> None:
        self.starts = starts
        self.windows = np.unique(starts[:, np.newaxis] + np.arange(_CHECK_WINDOWS))
        self.label = np.full(len(self.windows), -1)
        self.probability = np.full(len(self.windows), np.nan)
        self.count = 0
        self._index_of = {label: index for index, label in enumerate(labels)}

    def add(self, window: int, best: Score) -> None:
        """Keep the label of a window, if it is one of those; windows come in order."""
        if self.count < len(self.windows) and self.windows[self.count] == window:
            self.label[self.count] = self._index_of[best.label]
            self.probability[self.count] = best.probability
            self.count += 1


def _compare(
    artifact: Artifact, kept: _Kept, *, seed: int, engine: str | None
) -> tuple[int, float]:
    """Classify each stretch as a clip of its own; return equal labels, largest difference."""
    classifier = GenreClassifier(artifact, engine=engine)
    card = artifact.card
    rate = card.features.sample_rate
    hop = round(CardStream(card).hop_s * rate)
    # The clip's own edges are padded: it begins and ends so much outside what is compared.
    lead = -(-card.features.n_fft // hop)
    answers: dict[int, Segment] = {}
    for first in kept.starts.tolist():
        origin = max(0, first - lead)
        count = (first - origin + _CHECK_WINDOWS + lead) * hop + card.window_samples
        clip = Audio(stretch(origin * hop, count, rate, seed), rate)
        segments = classifier.classify(clip).segments[first - origin :][:_CHECK_WINDOWS]
        answers |= dict(enumerate(segments, start=first))
    said = [answers[window] for window in kept.windows[: kept.count].tolist()]
    equal = sum(
        segment.label == card.labels[index]
        for segment, index in zip(said, kept.label[: kept.count].tolist(), strict=True)
    )
    probability = np.array([segment.probability for segment in said])
    return equal, float(np.abs(probability - kept.probability[: kept.count]).max(initial=0.0))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m genrekit.benchmarks.soak", description=__doc__)
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
            document = {"kind": "genrekit-soak", "passed": found.passed, **encode(found)}
            write_whole(args.json, json.dumps(document, indent=1) + "\n")
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
        f"compared with the file path: {found.labels_equal} of {found.compared} labels equal, "
        f"largest difference {found.largest_difference:.1e} (bound {MAX_DIFFERENCE:g})"
    )
    print("passed" if found.passed else "FAILED")
    return int(not found.passed)


if __name__ == "__main__":
    sys.exit(main())
