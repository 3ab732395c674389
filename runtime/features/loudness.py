"""Loudness: the level of each frame as an ear weighs it.

The K-weighting of ITU-R BS.1770 (a high shelf for the head, a high-pass for the ear) is applied
to the power spectrum of each frame, so loudness streams as every feature of single frames does.

References
----------
ITU-R BS.1770-5, "Algorithms to measure audio programme loudness and true-peak audio level",
annex 1; its two filters at any sample rate as in libebur128.
"""

from __future__ import annotations

import functools

import numpy as np

from ..arrays import Float32, Float64
from .config import FeatureConfig
from .stft import hann_window

_OFFSET_DB = -0.691  # makes 997 Hz at full scale -3.01 LKFS
_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_PASS_HZ, _PASS_Q = 38.13547087602444, 0.5003270373238773
_SHELF_MIDDLE = 0.4996667741545416  # exponent of the shelf's gain at its middle


def loudness(power: Float32, config: FeatureConfig) -> Float32:
    """Loudness of each frame.

    Parameters
    ----------
    power : float32, shape (frames, n_fft // 2 + 1)
        Squared STFT magnitude, full scale = 1.0.
    config : FeatureConfig

    Returns
    -------
    float32, shape (frames, 1)
        LKFS, not below the level of `config.amin` (and, with `top_db`, that much below the
        loudest frame).
    """
    weights = _weights(config.sample_rate, config.n_fft)
    mean_square = np.maximum(power.astype(np.float64) @ weights, config.amin)
    level = _OFFSET_DB + 10.0 * np.log10(mean_square)
    if config.top_db is not None and level.size:
        level = np.maximum(level, level.max() - config.top_db)
    return level.astype(np.float32)[:, None]


def k_weighting(hz: Float64, sample_rate: int) -> Float64:
    """Return the squared gain of both filters.

    Parameters
    ----------
    hz : float64, shape (n,)
    sample_rate : int
        Hz, for which the filters are discretised.
    """
    k, high = np.tan(np.pi * _SHELF_HZ / sample_rate), 10.0 ** (_SHELF_DB / 20.0)
    middle = high**_SHELF_MIDDLE
    side, below = middle * k / _SHELF_Q, 2.0 * (k * k - high)
    shelf = ((high + side + k * k, below, high - side + k * k), _denominator(k, _SHELF_Q))
    k = np.tan(np.pi * _PASS_HZ / sample_rate)
    poles = _denominator(k, _PASS_Q)
    high_pass = ((poles[0], -2.0 * poles[0], poles[0]), poles)
    gain = np.ones_like(hz)
    z = np.exp(-2j * np.pi * hz / sample_rate)
    for (b0, b1, b2), (c0, c1, c2) in (shelf, high_pass):
        response = (b0 + b1 * z + b2 * z * z) / (c0 + c1 * z + c2 * z * z)
        gain = gain * np.abs(response) ** 2
    return gain


def _denominator(k: float, q: float) -> tuple[float, float, float]:
    return 1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k


@functools.lru_cache(maxsize=8)
def _weights(sample_rate: int, n_fft: int) -> Float64:
    """Return what turns a power spectrum into the K-weighted mean square of its frame."""
    hz = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sample_rate / n_fft)
    both_sides = np.full(hz.size, 2.0)
    both_sides[[0, -1]] = 1.0
    window = hann_window(n_fft)
    weights: Float64 = k_weighting(hz, sample_rate) * both_sides / (n_fft * float(window @ window))
    return weights
