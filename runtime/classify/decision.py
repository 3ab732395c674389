"""Decision: what a model's outputs say of each window, and of all windows together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from ..arrays import Float32, Float64
from ..artifact.card import Card
from ..engines.base import Engine
from .prediction import SILENT, STRANGE, UNSURE, Prediction, sigmoid, softmax


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class WindowDecision:
    """What the model says of one window.

    Parameters
    ----------
    probabilities : float64, shape (labels,)
        Equal for all labels where the window is silent, since the model was not asked.
    strangeness : float or None
        None where the card has no rule for unknown sounds, or the window is silent.
    silent : bool
        The card's level rule found nothing to bring to a level.
    """

    probabilities: Float64
    strangeness: float | None
    silent: bool

    def reason(self, card: Card) -> str | None:
        """Say why this window has no label; None if it has one."""
        return _reason(card, self.strangeness, silent=self.silent)


def decide(card: Card, engine: Engine, window: Mapping[str, Float32]) -> WindowDecision:
    """Run the model on one window, unless there is nothing in it.

    Parameters
    ----------
    card : Card
    engine : Engine
    window : mapping of str to float32
        Input name to tensor, without batch axis.

    Raises
    ------
    EngineError
    """
    if is_silent(card, window):
        even = np.full(len(card.labels), 1.0 / len(card.labels))
        return WindowDecision(probabilities=even, strangeness=None, silent=True)
    outputs = engine.outputs({name: values[np.newaxis] for name, values in window.items()})
    strange = float(outputs[card.unknown.output][0, 0]) if card.unknown else None
    probabilities = activate(card, outputs[card.output])[0]
    return WindowDecision(probabilities=probabilities, strangeness=strange, silent=False)


def said_tags(card: Card, prediction: Prediction) -> list[str]:
    """Name the tags that reach their own threshold, the most probable first."""
    least = dict(zip(card.labels, card.thresholds, strict=True))
    return [s.label for s in prediction.ranking if s.probability >= least[s.label]]


def is_silent(card: Card, window: Mapping[str, Float32]) -> bool:
    """Whether the card's level rule made the window's samples zeros, and so its features."""
    return card.features.level_rms is not None and not any(x.any() for x in window.values())


def activate(card: Card, logits: Float32) -> Float64:
    """Turn logits, shape (windows, labels), into probabilities: one label, or several tags."""
    return sigmoid(logits) if card.task == "tags" else softmax(logits)


def together(
    card: Card, windows: Sequence[WindowDecision], *, least: float = 0.0
) -> tuple[Float64, str | None, float | None]:
    """Join the windows of a clip.

    Parameters
    ----------
    card : Card
    windows : sequence of WindowDecision
        At least one. Silent ones count only where all are.
    least : float
        The probability from which a label is said.

    Returns
    -------
    float64, shape (labels,)
        Mean probabilities.
    str or None
        Why there is no label.
    float or None
        Mean strangeness.
    """
    sounding = [window for window in windows if not window.silent]
    probabilities = np.mean([w.probabilities for w in sounding or windows], axis=0)
    measured = [w.strangeness for w in sounding if w.strangeness is not None]
    strangeness = float(np.mean(measured)) if measured else None
    reason = _reason(card, strangeness, silent=not sounding)
    if reason is None and probabilities.max() < least:
        reason = UNSURE
    return np.asarray(probabilities), reason, strangeness


def _reason(card: Card, strangeness: float | None, *, silent: bool) -> str | None:
    if silent:
        return SILENT
    if card.unknown and strangeness is not None and strangeness > card.unknown.threshold:
        return STRANGE
    return None
