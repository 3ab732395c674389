"""Bench subject: a model under measurement, with its engine, inputs and clips."""

from __future__ import annotations

import dataclasses
import wave
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Float32
from ..artifact.container import Artifact, read_artifact
from ..classify.classifier import GenreClassifier
from ..classify.reference import reference_inputs, reference_signal
from ..engines.base import Engine
from ..engines.registry import load_engine
from ..errors import ConfigError
from .graph_cost.mac_count import Operations, count_operations
from .graph_cost.operator_profile import check_profiled
from .paired import fitting_rounds, time_rounds

_CLIP_RATE = 44_100  # Hz: what songs have, so that resampling is measured
_LONG_S = 30.0
_BUDGET_S = 10.0  # per task of a measurement


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class BenchSettings:
    """What to measure.

    Parameters
    ----------
    threads : int
        Of one inference.
    engine : str or None
        As `load_engine` takes it.
    rounds : int or None
        Of each measurement; None takes as many as fit a time budget.
    processes : int
        Fresh processes per model.
    audio : Path or None
        A song to classify; None makes clips of the reference signal.
    minutes : float
        Of a sustained run per model; 0 leaves it out.
    profile : bool
        By operator.
    force : bool
        Measure on a busy machine, too.
    """

    threads: int = 1
    engine: str | None = None
    rounds: int | None = None
    processes: int = 5
    audio: Path | None = None
    minutes: float = 0.0
    profile: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        if self.rounds is not None and self.rounds < 1:
            raise ConfigError(f"rounds={self.rounds}: must be at least 1")
        if self.processes < 1:
            raise ConfigError(f"processes={self.processes}: must be at least 1")
        if not 0.0 <= self.minutes <= 24 * 60:
            raise ConfigError(f"minutes={self.minutes}: must be 0..1440")

    def rounds_of(self, tasks: Iterable[Callable[[], Any]]) -> int:
        """Return how many rounds of some tasks to measure, from one warm round of them."""
        if self.rounds is not None:
            return self.rounds
        named = {str(index): task for index, task in enumerate(tasks)}
        seconds = time_rounds(named, rounds=1, warmup=1)
        whole = float(sum(values[0] for values in seconds.values()))
        return fitting_rounds(whole, budget_s=_BUDGET_S * len(named))


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A model under measurement.

    Parameters
    ----------
    label : str
        Its name among the others.
    artifact : Artifact
    classifier : GenreClassifier
        With the threads asked for.
    engine : Engine
        With one thread.
    inputs : dict of str to float32, shape (1, ...)
        One window of the reference signal.
    clip, long_clip : Path
        Songs: of one window and of 30 s, or both the one asked for.
    operations : Operations
    """

    label: str
    artifact: Artifact
    classifier: GenreClassifier
    engine: Engine
    inputs: dict[str, Float32]
    clip: Path
    long_clip: Path
    operations: Operations


def load_subjects(models: Sequence[Path], settings: BenchSettings, folder: Path) -> list[Subject]:
    """Load models, and write their clips into a folder.

    Raises
    ------
    ConfigError
        If there is no model, one twice, or one whose engine cannot be profiled as asked.
    ArtifactError, EngineError, FileError
        If one cannot be used.
    """
    labels = [model.name for model in models]
    if len(set(labels)) < len(labels):
        labels = [str(model) for model in models]
    if not labels or len(set(labels)) < len(labels):
        raise ConfigError(f"models {', '.join(labels)!r}: at least one, and each only once")
    subjects = []
    for label, model in zip(labels, models, strict=True):
        artifact = read_artifact(model)
        card = artifact.card
        engine = load_engine(artifact, engine=settings.engine)
        if settings.profile:
            check_profiled(engine.name)
        subjects.append(
            Subject(
                label=label,
                artifact=artifact,
                classifier=GenreClassifier(
                    artifact, threads=settings.threads, engine=settings.engine
                ),
                engine=engine,
                inputs=reference_inputs(card),
                clip=settings.audio or _write_clip(folder, card.windowing.window_s),
                long_clip=settings.audio or _write_clip(folder, _LONG_S),
                operations=count_operations(artifact),
            )
        )
    return subjects


def _write_clip(folder: Path, seconds: float) -> Path:
    """Write the reference signal in stereo, as songs are."""
    path = folder / f"{seconds:g}s.wav"
    if not path.exists():
        samples = reference_signal(round(seconds * _CLIP_RATE), _CLIP_RATE)
        whole = np.clip(samples * 32_767, -32_768, 32_767).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(_CLIP_RATE)
            file.writeframes(np.repeat(whole, 2).tobytes())
    return path
