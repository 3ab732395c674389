"""Cepstral coefficients: the discrete cosine transform of compressed mel bands."""

from __future__ import annotations

import functools
import math

import numpy as np

from ..arrays import Float32, Float64
from .config import FeatureConfig
from .mel import log_mel


@functools.lru_cache(maxsize=8)
def dct_matrix(n_coefficients: int, n_bands: int) -> Float64:
    """Return the orthonormal DCT-II, cached and read-only.

    Returns
    -------
    float64, shape (n_bands, n_coefficients)
        Multiply bands by it from the right.
    """
    order = np.arange(n_coefficients)
    centre = np.arange(n_bands)[:, None] + 0.5
    matrix: Float64 = np.cos(np.pi / n_bands * centre * order) * math.sqrt(2.0 / n_bands)
    matrix[:, 0] = math.sqrt(1.0 / n_bands)
    matrix.flags.writeable = False
    return matrix


def mfcc(power: Float32, config: FeatureConfig) -> Float32:
    """Mel-frequency cepstral coefficients of power spectra.

    Parameters
    ----------
    power : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    float32, shape (frames, n_mfcc)
    """
    return cepstrum(log_mel(power, config), config.n_mfcc)


def cepstrum(level: Float32, n_coefficients: int) -> Float32:
    """Cepstral coefficients of mel bands in decibels.

    Parameters
    ----------
    level : float32, shape (frames, n_mels)

    Returns
    -------
    float32, shape (frames, n_coefficients)
    """
    # In float32, sums of 128 bands at -100 dB would lose most of the 1e-3 dB that parity allows.
    exact = level.astype(np.float64) @ dct_matrix(n_coefficients, level.shape[1])
    return exact.astype(np.float32)
