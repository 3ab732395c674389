"""Results: what a model said of tracks, and how well."""

from __future__ import annotations

import dataclasses

from .metrics import Scores


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TrackResult:
    """What a model said of one track.

    Parameters
    ----------
    id, label, predicted : str
        The track, its genre, and the genre of highest mean probability.
    windows : int
        Windows averaged.
    probabilities : tuple of float
        Mean over the windows, in the order of the labels.
    logits : tuple of float
        Mean over the windows.
    """

    id: str
    label: str
    predicted: str
    windows: int
    probabilities: tuple[float, ...]
    logits: tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Scores on one side of the split, and the tracks behind them."""

    scores: Scores
    tracks: tuple[TrackResult, ...]
