"""Calibration: a temperature for the logits, and how far the probabilities can be believed."""

from __future__ import annotations

import numpy as np

from genrekit.arrays import Float64, Int64

_TEMPERATURES = np.geomspace(0.25, 8.0, 141)
_BINS = 10
_RESAMPLES = 1_000


def fit_temperature(logits: list[Float64], labels: Int64) -> float:
    """Choose the temperature of the smallest cross-entropy of tracks.

    Parameters
    ----------
    logits : list of float64, each of shape (windows, labels)
        Of held-out tracks.
    labels : int64, shape (tracks,)
    """
    losses = []
    for temperature in _TEMPERATURES:
        shares = track_probabilities(logits, float(temperature))[np.arange(len(labels)), labels]
        losses.append(-np.log(np.maximum(shares, 1e-12)).mean())
    return float(_TEMPERATURES[int(np.argmin(losses))])


def track_probabilities(logits: list[Float64], temperature: float) -> Float64:
    """Return the mean probabilities over each track's windows, shape (tracks, labels)."""
    rows = []
    for own in logits:
        scaled = own / temperature
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        rows.append((shares / shares.sum(axis=1, keepdims=True)).mean(axis=0))
    return np.stack(rows)


def calibration_error(probabilities: Float64, labels: Int64) -> tuple[float, tuple[float, float]]:
    """Measure the expected calibration error over ten bins of confidence.

    Parameters
    ----------
    probabilities : float64, shape (tracks, labels)
    labels : int64, shape (tracks,)

    Returns
    -------
    float
        In 0..1.
    tuple of float
        95 % interval, by resampling the tracks.

    References
    ----------
    Guo et al.: "On calibration of modern neural networks", ICML 2017.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    rng = np.random.default_rng(0)
    again = [
        _error(confidence[chosen], right[chosen])
        for chosen in rng.integers(0, len(labels), (_RESAMPLES, len(labels)))
    ]
    low, high = np.percentile(again, [2.5, 97.5])
    return _error(confidence, right), (float(low), float(high))


def _error(confidence: Float64, right: Float64) -> float:
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(float(confidence[bins == b].mean()) - float(right[bins == b].mean()))
        * float((bins == b).mean())
        for b in range(_BINS)
        if (bins == b).any()
    ]
    return float(sum(gaps))
