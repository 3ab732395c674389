"""Live: what is being heard, from the probabilities of one window after another.

A window alone flickers. The mean of the recent windows, weighted by an exponential of their age,
does not; a new genre must lead the present one by a margin before it takes over (hysteresis), a
genre less probable than the threshold is called unsure, and below a level there is silence,
which ends the mean, so that a new song starts from nothing. All of it is arithmetic on what is
passed in: nothing here reads a clock.
"""

from __future__ import annotations

import collections
import dataclasses
import math
from typing import Literal

import numpy as np

from ..arrays import Float32, Float64
from ..audio.pcm import MAX_MAGNITUDE
from ..classify.prediction import Score, rank
from ..errors import ConfigError

State = Literal["genre", "unsure", "silence", "unknown", "away"]

SILENT_DB = -200.0  # the level of digital silence, which has none
_FULL_SCALE = 1.0 - 2.0**-15  # the largest 16-bit sample


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LiveConfig:
    """How the live state follows the windows.

    Parameters
    ----------
    threshold : float
        Smallest smoothed probability of a genre that is named, 0..1.
    margin : float
        Lead that another genre needs to take over; how far below the threshold a named genre
        may fall; both in probability.
    smoothing_s : float
        Age at which a window's weight has fallen to 1/e; 0 takes each window alone.
    silence_db : float
        RMS level of a window, in dB re full scale, below which there is silence.
    silence_margin_db : float
        How far above that sound must come to end the silence.
    """

    threshold: float = 0.4
    margin: float = 0.1
    smoothing_s: float = 6.0
    silence_db: float = -55.0
    silence_margin_db: float = 3.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("threshold", 0.0, 1.0),
            ("margin", 0.0, 1.0),
            ("smoothing_s", 0.0, 3600.0),
            ("silence_db", SILENT_DB, 0.0),
            ("silence_margin_db", 0.0, 60.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"{name}={value}: must be {low:g}..{high:g}")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LiveScore:
    """What is heard at one moment.

    Parameters
    ----------
    state : {"genre", "unsure", "silence", "unknown", "away"}
        "away" while there is no microphone.
    label : str or None
        The genre, in the state "genre" alone.
    ranking : tuple of Score
        Smoothed probabilities, the most probable first; empty before the first sound.
    """

    state: State
    label: str | None
    ranking: tuple[Score, ...]

    @property
    def probability(self) -> float | None:
        """Smoothed probability of `label`."""
        return next((s.probability for s in self.ranking if s.label == self.label), None)


class LiveState:
    """Follows the probabilities of successive windows.

    Parameters
    ----------
    labels : tuple of str
    hop_s : float
        Seconds between the starts of two windows.
    config : LiveConfig
    """

    def __init__(self, labels: tuple[str, ...], hop_s: float, config: LiveConfig) -> None:
        self._labels = labels
        self._config = config
        self._keep = math.exp(-hop_s / config.smoothing_s) if config.smoothing_s else 0.0
        self._silent = False
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._sum = np.zeros(len(self._labels))
        self._weight = 0.0
        self._label: str | None = None

    def is_silent(self, level_db: float) -> bool:
        """Tell whether a window of this level is silence, given the windows before it."""
        margin = self._config.silence_margin_db if self._silent else 0.0
        self._silent = level_db < self._config.silence_db + margin
        return self._silent

    def silence(self) -> LiveScore:
        """Take a silent window."""
        self.reset()
        return LiveScore(state="silence", label=None, ranking=())

    def unknown(self) -> LiveScore:
        """Take a window of a sound that is not like anything learned."""
        self.reset()
        return LiveScore(state="unknown", label=None, ranking=())

    def away(self) -> LiveScore:
        """Take the news that nothing can be heard."""
        self.reset()
        return LiveScore(state="away", label=None, ranking=())

    def hear(self, probabilities: Float64) -> LiveScore:
        """Take a window of sound.

        Parameters
        ----------
        probabilities : float64, shape (labels,)
        """
        self._sum = self._keep * self._sum + probabilities
        # The weights' sum, not its limit: the first windows count in full.
        self._weight = self._keep * self._weight + 1.0
        ranking = rank(self._sum / self._weight, self._labels)
        self._label = self._follow(ranking)
        state: State = "unsure" if self._label is None else "genre"
        return LiveScore(state=state, label=self._label, ranking=ranking)

    def _follow(self, ranking: tuple[Score, ...]) -> str | None:
        best, config = ranking[0], self._config
        now = next((score for score in ranking if score.label == self._label), None)
        if now is not None:
            leads = best.label != now.label and best.probability >= now.probability + config.margin
            if not leads and now.probability >= config.threshold - config.margin:
                return now.label
        return best.label if best.probability >= config.threshold else None


class LevelMeter:
    """RMS level of the last seconds, and what is wrong with the samples.

    Parameters
    ----------
    span_s : float
        How far back it looks; in whole blocks, at least one.
    """

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self.damaged_samples = 0
        self.clipped_samples = 0
        self.reset()

    def reset(self) -> None:
        """Forget the level; what was counted stays."""
        self._blocks: collections.deque[tuple[float, int]] = collections.deque()  # energy, count
        self._held = 0  # samples

    def clean(self, samples: Float32) -> Float32:
        """Count samples at full scale, and silence those that no card can have meant.

        Parameters
        ----------
        samples : float32, shape (n,)

        Returns
        -------
        float32, shape (n,)
            Finite; `samples` itself where nothing was wrong.
        """
        magnitude = np.abs(samples)
        with np.errstate(invalid="ignore"):
            sound = magnitude <= MAX_MAGNITUDE  # False for NaN
            self.clipped_samples += int(np.count_nonzero(sound & (magnitude >= _FULL_SCALE)))
        damaged = len(samples) - int(np.count_nonzero(sound))
        if not damaged:
            return samples
        self.damaged_samples += damaged
        return np.where(sound, samples, np.float32(0.0))

    def add(self, samples: Float32, sample_rate: int) -> None:
        """Take finite samples, shape (n,), at a rate in Hz: one rate between two resets."""
        if not len(samples):
            return
        energy = float(np.square(samples, dtype=np.float64).sum())
        self._blocks.append((energy, len(samples)))
        self._held += len(samples)
        while self._held - self._blocks[0][1] >= round(self._span_s * sample_rate):
            self._held -= self._blocks.popleft()[1]

    @property
    def level_db(self) -> float:
        """RMS in dB re full scale; `SILENT_DB` for digital silence."""
        energy = math.fsum(energy for energy, _ in self._blocks)
        if not energy:
            return SILENT_DB
        return max(SILENT_DB, 10.0 * math.log10(energy / self._held))
