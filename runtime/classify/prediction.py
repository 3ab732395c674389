"""Prediction: what a classifier says of one clip."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ..arrays import Float32, Float64

SILENT = "silent"
STRANGE = "not like anything learned"
UNSURE = "below the least probability asked for"


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """A genre and its probability."""

    label: str
    probability: float


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """The best genre of one window; without one where the window is silent or strange."""

    start_s: float
    end_s: float
    label: str | None
    probability: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """Ranked genres of a clip, its timeline and what each stage cost.

    Parameters
    ----------
    ranking : tuple of Score
        All genres, most probable first; probabilities are the mean over the windows.
    segments : tuple of Segment
        One per window, in order.
    duration_s : float
    latency_ms : dict of str to float
        Time by stage: decode, resample, features, inference, total.
    reason : str or None
        Why no genre is named: one of `SILENT`, `STRANGE` and `UNSURE`.
    strangeness : float or None
        What the model's rule for unknown sounds measured; None where it has none.
    """

    ranking: tuple[Score, ...]
    segments: tuple[Segment, ...]
    duration_s: float
    latency_ms: dict[str, float]
    reason: str | None = None
    strangeness: float | None = None

    @property
    def label(self) -> str | None:
        """The most probable genre; None where `reason` says why there is none."""
        return None if self.reason else self.ranking[0].label

    @property
    def probability(self) -> float:
        """Probability of the most probable genre."""
        return self.ranking[0].probability

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of `classify --json`, without file and model."""
        return {
            "label": self.label,
            "probability": self.probability,
            "reason": self.reason,
            "ranking": [dataclasses.asdict(score) for score in self.ranking],
            "segments": [dataclasses.asdict(segment) for segment in self.segments],
            "duration_s": self.duration_s,
            "latency_ms": self.latency_ms,
        }


def softmax(logits: Float32) -> Float64:
    """Turn logits, shape (windows, labels), into probabilities that sum to 1 along labels."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def sigmoid(logits: Float32) -> Float64:
    """Turn logits of any shape into probabilities that are independent of each other."""
    return np.asarray(1.0 / (1.0 + np.exp(-logits.astype(np.float64))))


def rank(probabilities: Float64, labels: tuple[str, ...]) -> tuple[Score, ...]:
    """Sort labels by probability, shape (labels,); ties keep the labels' order."""
    order = np.argsort(-probabilities, kind="stable")
    return tuple(Score(labels[i], float(probabilities[i])) for i in order)
