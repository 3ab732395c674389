"""Mel bands, decibels and cepstral coefficients of power spectra.

Bands are triangles on the Slaney mel scale (linear below 1 kHz, logarithmic above), each
scaled to unit area over frequency in Hz, so that white noise gives equal bands.

References
----------
librosa 0.11, `librosa.filters.mel`, `librosa.power_to_db`, `librosa.feature.mfcc`.
Slaney, M. (1998). Auditory Toolbox, version 2. Interval Research 1998-010.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from ..arrays import Float32, Float64
from ..errors import AudioError
from .config import FeatureConfig
from .stft import pad_samples, power_blocks

_HZ_PER_MEL = 200.0 / 3.0  # below the break
_BREAK_HZ = 1_000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27.0  # per mel, above the break

# Each triangle touches few bins: bands are pooled in groups, each by one small dense product
# over the bins that it covers. 16 was the fastest of 8, 16 and 32.
_BANDS_PER_GROUP = 16


def hz_to_mel(hz: Float64) -> Float64:
    """Map frequency in Hz to Slaney mels, elementwise."""
    hz = np.asarray(hz, np.float64)
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _HZ_PER_MEL, above)


def mel_to_hz(mel: Float64) -> Float64:
    """Map Slaney mels to frequency in Hz, elementwise."""
    mel = np.asarray(mel, np.float64)
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _HZ_PER_MEL, above)


def mel_filterbank(config: FeatureConfig) -> Float32:
    """Return the bank of `config`, cached and read-only.

    Returns
    -------
    float32, shape (n_mels, n_fft // 2 + 1)
        A narrow band between two bins is all zero, as in librosa.
    """
    return _filterbank(
        config.sample_rate, config.n_bins, config.n_mels, config.f_min_hz, config.f_top_hz
    )


def mel_power(power: Float32, config: FeatureConfig) -> Float32:
    """Pool power spectra into mel bands.

    Parameters
    ----------
    power : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    float32, shape (frames, n_mels)

    Raises
    ------
    AudioError
        If the number of bins is not that of `config`.
    """
    _check_bins(power, config.n_bins)
    bands = np.empty((power.shape[0], config.n_mels), np.float32)
    _pool(power, config, bands)
    return bands


def mel_spectrogram(samples: Float32, config: FeatureConfig) -> Float32:
    """Mel power of a clip: `mel_power(power_spectrogram(...))`, never holding the whole of it.

    Returns
    -------
    float32, shape (frames, n_mels)

    Raises
    ------
    AudioError
        As `spectral.pad_samples`.
    """
    padded = pad_samples(samples, config)
    bands = np.empty((config.n_frames(samples.size), config.n_mels), np.float32)
    for rows, power in power_blocks(padded, config):
        _pool(power, config, bands[rows])
    return bands


def decibels(power: Float32, *, amin: float, top_db: float | None) -> Float32:
    """Convert power to decibels re 1.0.

    Parameters
    ----------
    power : float32, any shape
    amin : float
        Smallest power kept before the logarithm.
    top_db : float or None
        Floor, in dB below the maximum of the whole array; None for no floor.

    Returns
    -------
    float32, same shape
    """
    level = np.maximum(power, np.float32(amin))
    # float32 `log` is vectorised in NumPy where `log10` is not: 5 times faster.
    np.log(level, out=level)
    level *= np.float32(10.0 / math.log(10.0))
    if top_db is not None and level.size:
        np.maximum(level, level.max() - np.float32(top_db), out=level)
    return level


def compress(bands: Float32, config: FeatureConfig) -> Float32:
    """Compress the power of mel bands as a configuration says.

    Parameters
    ----------
    bands : float32, shape (frames, n_mels)

    Returns
    -------
    float32, same shape
        Decibels, or log10(1 + gain * power).
    """
    if config.compression == "decibels":
        return decibels(bands, amin=config.amin, top_db=config.top_db)
    scaled: Float32 = bands * np.float32(config.compression_gain)
    scaled += np.float32(1.0)
    np.log10(scaled, out=scaled)
    return scaled


def log_mel(power: Float32, config: FeatureConfig) -> Float32:
    """Mel bands of power spectra, compressed: by default in decibels re 1.0.

    Parameters
    ----------
    power : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    float32, shape (frames, n_mels)
    """
    return compress(mel_power(power, config), config)


def band_weights(n_bins: int, config: FeatureConfig) -> Float32:
    """Weights that average linearly spaced bins inside each mel band.

    Parameters
    ----------
    n_bins : int
        Bins spaced evenly from 0 to half the sample rate, both included: those of a
        spectrum, or the rows of a spectrogram picture. At least 2.
    config : FeatureConfig
        `sample_rate`, `n_mels`, `f_min_hz` and `f_max_hz` count.

    Returns
    -------
    float32, shape (n_mels, n_bins)
        Rows sum to 1; a band too narrow to cover a bin takes the one nearest its centre.
    """
    return _band_weights(
        config.sample_rate, n_bins, config.n_mels, config.f_min_hz, config.f_top_hz
    )


def pooled_decibels(power: Float32, config: FeatureConfig) -> Float32:
    """Decibels per bin first, then their weighted mean inside each mel band.

    A spectrogram picture holds decibels per linear bin; a model trained on pictures warped
    by `band_weights` gets the same from audio by this function.

    Parameters
    ----------
    power : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    float32, shape (frames, n_mels)
        dB re 1.0.

    Raises
    ------
    AudioError
        If the number of bins is not that of `config`.
    """
    _check_bins(power, config.n_bins)
    level = decibels(power, amin=config.amin, top_db=config.top_db)
    return level @ band_weights(config.n_bins, config).T


def _check_bins(power: Float32, n_bins: int) -> None:
    if power.ndim != 2 or power.shape[1] != n_bins:
        raise AudioError(f"power has shape {power.shape}: must be (frames, {n_bins})")


def _pool(power: Float32, config: FeatureConfig, bands: Float32) -> None:
    for band_range, bin_range, weights in _groups(
        config.sample_rate, config.n_bins, config.n_mels, config.f_min_hz, config.f_top_hz
    ):
        np.matmul(power[:, bin_range], weights, out=bands[:, band_range])


def _triangles(
    sample_rate: int, n_bins: int, n_mels: int, f_min: float, f_max: float
) -> tuple[Float64, Float64]:
    """Return triangles of height 1 (n_mels, n_bins), and the n_mels + 2 edges in Hz."""
    span = hz_to_mel(np.array([f_min, f_max]))
    edges = mel_to_hz(np.linspace(span[0], span[1], n_mels + 2))
    distance = edges[:, None] - np.linspace(0.0, sample_rate / 2, n_bins)
    width = np.diff(edges)[:, None]
    rising = -distance[:-2] / width[:-1]
    falling = distance[2:] / width[1:]
    return np.maximum(0.0, np.minimum(rising, falling)), edges


@functools.lru_cache(maxsize=8)
def _filterbank(sample_rate: int, n_bins: int, n_mels: int, f_min: float, f_max: float) -> Float32:
    triangles, edges = _triangles(sample_rate, n_bins, n_mels, f_min, f_max)
    area = (edges[2:] - edges[:-2]) / 2.0
    bank: Float32 = (triangles / area[:, None]).astype(np.float32)
    bank.flags.writeable = False
    return bank


@functools.lru_cache(maxsize=8)
def _groups(
    sample_rate: int, n_bins: int, n_mels: int, f_min: float, f_max: float
) -> tuple[tuple[slice, slice, Float32], ...]:
    """Split the bank into (bands, bins, weights (bins, bands)), leaving its zeros out."""
    bank = _filterbank(sample_rate, n_bins, n_mels, f_min, f_max)
    groups = []
    for first in range(0, n_mels, _BANDS_PER_GROUP):
        rows = bank[first : first + _BANDS_PER_GROUP]
        covered = np.flatnonzero(rows.any(axis=0))
        # Bands that cover no bin at all are zero whatever bin they look at.
        bins = slice(int(covered[0]), int(covered[-1]) + 1) if covered.size else slice(0, 1)
        weights = np.ascontiguousarray(rows[:, bins].T)
        groups.append((slice(first, first + rows.shape[0]), bins, weights))
    return tuple(groups)


@functools.lru_cache(maxsize=8)
def _band_weights(
    sample_rate: int, n_bins: int, n_mels: int, f_min: float, f_max: float
) -> Float32:
    triangles, edges = _triangles(sample_rate, n_bins, n_mels, f_min, f_max)
    nearest = np.rint(edges[1:-1] / (sample_rate / 2) * (n_bins - 1)).astype(np.intp)
    empty = np.flatnonzero(triangles.sum(axis=1) == 0.0)
    triangles[empty, nearest[empty]] = 1.0
    weights: Float32 = (triangles / triangles.sum(axis=1, keepdims=True)).astype(np.float32)
    weights.flags.writeable = False
    return weights
