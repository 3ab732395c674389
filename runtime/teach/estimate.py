"""Estimate: how often a lesson is right, and what its probabilities are worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Float64, Int64
from .examples import Example

_MOST_DOUBTED = 8
_TEMPERATURES = np.geomspace(0.1, 10.0, 81)
_Z = 1.959963984540054


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What cross-validation says, over artists where their folders are known, else over songs.

    Parameters
    ----------
    n : int
        Songs judged by a head that had not heard them.
    accuracy : float
    ci95 : tuple of float
        Wilson interval.
    by_artist : bool
    confusion : tuple of tuple of int
        Rows are true genres, columns predicted ones.
    doubted : tuple of tuple
        Song, its folder, predicted genre, probability of its folder: the most doubted first.
    calibration_error : float
    calibration_ci95 : tuple of float
    """

    n: int
    accuracy: float
    ci95: tuple[float, float]
    by_artist: bool
    confusion: tuple[tuple[int, ...], ...]
    doubted: tuple[tuple[str, str, str, float], ...]
    calibration_error: float
    calibration_ci95: tuple[float, float]


def shares(logits: Float64, temperature: float) -> Float64:
    """Return a song's probabilities, the mean over its windows."""
    scaled = logits / temperature
    each = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray((each / each.sum(axis=1, keepdims=True)).mean(axis=0))


def fit_temperature(held_out: Sequence[Float64], truth: Int64) -> float:
    """Return the temperature by which held-back songs are least surprising."""
    losses = [
        -np.mean(
            [
                np.log(max(shares(logits, float(t))[k], 1e-12))
                for logits, k in zip(held_out, truth, strict=True)
            ]
        )
        for t in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def estimate(
    examples: Sequence[Example],
    genres: tuple[str, ...],
    truth: Int64,
    held_out: Sequence[Float64],
    temperature: float,
) -> Estimate:
    """Judge songs by logits of heads that had not heard them.

    Parameters
    ----------
    examples : sequence of Example
    genres : tuple of str
    truth : int64, shape (songs,)
    held_out : sequence of float64, each of shape (windows, genres)
    temperature : float
    """
    each = np.stack([shares(logits, temperature) for logits in held_out])
    said = each.argmax(axis=1)
    confusion = np.zeros((len(genres), len(genres)), int)
    np.add.at(confusion, (truth, said), 1)
    right = int((said == truth).sum())
    own = each[np.arange(len(truth)), truth]
    doubted = [i for i in np.argsort(own) if said[i] != truth[i]][:_MOST_DOUBTED]
    error, interval = _calibration(each.max(axis=1), said == truth)
    return Estimate(
        n=len(examples),
        accuracy=right / len(examples),
        ci95=_wilson(right, len(examples)),
        by_artist=len({e.artist for e in examples}) < len(examples),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
        doubted=tuple(
            (examples[i].name, examples[i].genre, genres[said[i]], float(own[i])) for i in doubted
        ),
        calibration_error=error,
        calibration_ci95=interval,
    )


def _calibration(confidence: Float64, right: Any) -> tuple[float, tuple[float, float]]:
    """Return the expected calibration error over ten bins and its bootstrap interval."""

    def error(chosen: Any) -> float:
        bins = np.minimum((confidence[chosen] * 10).astype(int), 9)
        return float(
            sum(
                abs(confidence[chosen][bins == b].sum() - right[chosen][bins == b].sum())
                for b in range(10)
            )
            / len(chosen)
        )

    rng = np.random.default_rng(0)
    everything = np.arange(len(confidence))
    again = [error(rng.integers(0, len(confidence), len(confidence))) for _ in range(500)]
    low, high = np.percentile(again, [2.5, 97.5])
    return error(everything), (float(low), float(high))


def _wilson(right: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    share, spread = right / n, _Z * _Z / n
    centre = (share + spread / 2.0) / (1.0 + spread)
    half = _Z * np.sqrt(share * (1.0 - share) / n + spread / (4.0 * n)) / (1.0 + spread)
    return max(0.0, float(min(centre - half, share))), min(1.0, float(max(centre + half, share)))
