"""Listener: blocks of sound in, what is heard out; the path that files take, kept running."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Float32, Float64
from ..artifact.container import Artifact
from ..audio.resampling import Resampler
from ..classify.decision import decide
from ..classify.streams import CardStream
from ..engines.base import Engine
from ..errors import AudioError
from .smoothing import LevelMeter, LiveConfig, LiveScore, LiveState
from .sources import Block, Losses


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What is heard at the end of one window, and how the machine copes.

    Parameters
    ----------
    position_s : float
        Audio heard since the start.
    score : LiveScore
    level_db : float
        RMS of the window, dB re full scale.
    latency_ms : float
        From the arrival of the window's last block to this update.
    cpu_share : float
        CPU time since the last update over the time that passed; 1 is one core.
    overruns, dropped_s, reconnects
        As in `Losses`, since the start.
    damaged_samples, clipped_samples : int
        As in `LevelMeter`, since the start.
    failed_windows : int
        Windows for which a feature is not defined, since the start.
    """

    position_s: float
    score: LiveScore
    level_db: float
    latency_ms: float
    cpu_share: float
    overruns: int
    dropped_s: float
    reconnects: int
    damaged_samples: int
    clipped_samples: int
    failed_windows: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of `listen --json`, without the time of day."""
        document = dataclasses.asdict(self)
        del document["score"]
        return {
            "position_s": document.pop("position_s"),
            "state": self.score.state,
            "label": self.score.label,
            "probability": self.score.probability,
            "ranking": [dataclasses.asdict(score) for score in self.score.ranking],
            **document,
        }


class CpuMeter:
    """CPU time of this process over time passed, since it was asked last.

    Parameters
    ----------
    clock, cpu_clock : callable
        `time.monotonic` and `time.process_time`.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock, self._cpu_clock = clock, cpu_clock
        self._time_s, self._cpu_s = clock(), cpu_clock()

    def share(self) -> float:
        """Return the share; 1 is one core."""
        time_s, cpu_s = self._clock(), self._cpu_clock()
        passed_s, used_s = time_s - self._time_s, cpu_s - self._cpu_s
        self._time_s, self._cpu_s = time_s, cpu_s
        return used_s / passed_s if passed_s > 0.0 else 0.0


class Listener:
    """Turns blocks into updates, one per window; memory does not grow.

    Parameters
    ----------
    artifact : Artifact
    engine : Engine
        That runs the artifact's model.
    config : LiveConfig
    losses : Losses
        Of the source, which counts on.
    clock : callable
        `time.monotonic`.
    """

    def __init__(
        self,
        artifact: Artifact,
        engine: Engine,
        config: LiveConfig,
        losses: Losses,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._card = artifact.card
        self._engine = engine
        self._losses = losses
        self._clock = clock
        self._stream = CardStream(self._card)
        self._state = LiveState(self._card.labels, self._stream.hop_s, config)
        self._meter = LevelMeter(self._card.windowing.window_s)
        self._cpu = CpuMeter(clock)
        self._resampler: Resampler | None = None
        self._rate = 0
        self._away = False
        self._samples = 0  # at the present rate, and before it in seconds: sums stay exact
        self._earlier_s = 0.0
        self.failed_windows = 0

    @property
    def heard_s(self) -> float:
        """Audio heard since the start, in seconds."""
        return self._earlier_s + (self._samples / self._rate if self._rate else 0.0)

    def hear(self, block: Block) -> list[Update]:
        """Take a block and return an update for each window that it completes.

        An empty block tells that the source is away: one update, the first time.

        Raises
        ------
        EngineError
            If the engine fails.
        """
        if not len(block.samples):
            first, self._away = not self._away, True
            return [self._update(self._state.away(), block)] if first else []
        self._away = False
        if self._resampler is None or block.fresh or block.sample_rate != self._rate:
            self._restart(block.sample_rate)
        samples = self._meter.clean(block.samples)
        self._meter.add(samples, block.sample_rate)
        self._samples += len(samples)
        return self._score(lambda resampler: self._stream.push(resampler.push(samples)), block)

    def finish(self) -> list[Update]:
        """End the sound; one shorter than a window is padded by the card's rule."""
        if self._resampler is None:
            return []
        end = Block(np.zeros(0, np.float32), self._rate, self._clock())
        return self._score(
            lambda resampler: self._stream.push(resampler.flush()) + self._stream.flush(), end
        )

    def _restart(self, sample_rate: int) -> None:
        """Begin a new recording: nothing of the old one leaks into its windows."""
        self._earlier_s, self._samples = self.heard_s, 0
        self._resampler = Resampler(sample_rate, self._card.features.sample_rate)
        self._rate = sample_rate
        self._stream.reset()
        self._state.reset()
        self._meter.reset()

    def _score(
        self, windows_of: Callable[[Resampler], list[dict[str, Float32]]], block: Block
    ) -> list[Update]:
        if self._resampler is None:
            return []
        try:
            windows = windows_of(self._resampler)
        except AudioError:
            # A feature without a value here, such as a centroid of nothing: the next window.
            self.failed_windows += 1
            self._restart(self._rate)
            return []
        return [self._update(self._judge(window), block) for window in windows]

    def _judge(self, window: dict[str, Float32]) -> LiveScore:
        if self._state.is_silent(self._meter.level_db):
            return self._state.silence()  # and the model rests
        decision = decide(self._card, self._engine, window)
        if decision.silent:
            return self._state.silence()
        if decision.reason(self._card):
            return self._state.unknown()
        return self._state.hear(decision.probabilities)

    def probabilities(self, window: dict[str, Float32]) -> Float64:
        """Run the model on one window, given as input name to tensor without batch axis."""
        return decide(self._card, self._engine, window).probabilities

    def _update(self, score: LiveScore, block: Block) -> Update:
        return Update(
            position_s=self.heard_s,
            score=score,
            level_db=self._meter.level_db,
            latency_ms=max(0.0, self._clock() - block.arrived_s) * 1e3,
            cpu_share=self._cpu.share(),
            overruns=self._losses.overruns,
            dropped_s=self._losses.dropped_s,
            reconnects=self._losses.reconnects,
            damaged_samples=self._meter.damaged_samples,
            clipped_samples=self._meter.clipped_samples,
            failed_windows=self.failed_windows,
        )
