"""One number per frame: level, zero crossings, and the shape of the magnitude spectrum.

The conventions are librosa's: the spectrum's magnitude (not its power) is the weight, silence
gives 0, and zero crossings see the clip's edge values repeated instead of the padding.

References
----------
librosa 0.11, `librosa.feature`.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Float32, Float64, sliding
from .config import FeatureConfig
from .stft import check_samples, pad_samples

# Samples this close to zero are zero, whose sign is positive.
_SILENT_SAMPLE = np.float32(1e-10)

# Sums below this do not normalise a frame: it is silent.
_BLOCK_FRAMES = 4_096
_TINY = float(np.finfo(np.float32).tiny)


def rms(samples: Float32, config: FeatureConfig) -> Float32:
    """Root mean square of each frame.

    Parameters
    ----------
    samples : float32, shape (samples,)

    Returns
    -------
    float32, shape (frames,)
        Full-scale sine = 0.707.

    Raises
    ------
    AudioError
        As `spectral.pad_samples`.
    """
    padded = np.ascontiguousarray(pad_samples(samples, config))
    n_frames = max(0, 1 + (padded.size - config.n_fft) // config.hop_length)
    energy = np.empty(n_frames, np.float32)
    for start in range(0, n_frames, _BLOCK_FRAMES):
        block = energy[start : start + _BLOCK_FRAMES]
        first = start * config.hop_length
        frames = sliding(
            padded, config.n_fft, count=block.size, first=first, step=config.hop_length
        )
        np.einsum("ij,ij->i", frames, frames, out=block)
    level: Float32 = np.sqrt(energy / np.float32(config.n_fft))
    return level


def zero_crossing_rate(samples: Float32, config: FeatureConfig) -> Float32:
    """Share of a frame's samples whose sign differs from the sample before them.

    Parameters
    ----------
    samples : float32, shape (samples,)

    Returns
    -------
    float32, shape (frames,)
        From 0 to 1; the first sample of a frame never counts.

    Raises
    ------
    AudioError
        As `spectral.check_samples`, or if without padding there is no whole frame.
    """
    samples = pad_samples(samples, config) if config.padding == "none" else check_samples(samples)
    negative = samples < -_SILENT_SAMPLE
    crossings_before = np.zeros(samples.size, np.int64)
    np.cumsum(negative[1:] != negative[:-1], out=crossings_before[1:])
    margin = 0 if config.padding == "none" else config.n_fft // 2
    first = np.arange(config.n_frames(samples.size)) * config.hop_length - margin
    last = np.clip(first + config.n_fft - 1, 0, samples.size - 1)
    first = np.clip(first, 0, samples.size - 1)
    crossings = crossings_before[last] - crossings_before[first]
    return (crossings / config.n_fft).astype(np.float32)


def waveform(samples: Float32, config: FeatureConfig) -> Float32:
    """Cut each hop into `config.n_mfcc` parts and average each: the sound without a spectrum.

    Parameters
    ----------
    samples : float32, shape (samples,)

    Returns
    -------
    float32, shape (frames, n_mfcc)
        As many frames as MFCCs have; the last is filled up with zeros.

    Raises
    ------
    AudioError
        As `spectral.pad_samples`.
    """
    samples = pad_samples(samples, config) if config.padding == "none" else check_samples(samples)
    n_frames, parts = config.n_frames(samples.size), config.n_mfcc
    hops = np.zeros((n_frames, config.hop_length), np.float32)
    flat = hops.reshape(-1)
    flat[: samples.size] = samples[: flat.size]
    edges = np.arange(parts + 1) * config.hop_length // parts
    sums = np.add.reduceat(hops, edges[:-1], axis=1)
    return (sums / np.diff(edges)).astype(np.float32)


def spectral_centroid(magnitude: Float32, config: FeatureConfig) -> Float32:
    """Mean frequency, weighted by magnitude.

    Parameters
    ----------
    magnitude : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    float32, shape (frames,)
        Hz.
    """
    return _moments(magnitude, config)[0].astype(np.float32)


def spectral_bandwidth(magnitude: Float32, config: FeatureConfig) -> Float32:
    """Spread of frequency around the centroid: its standard deviation, weighted by magnitude.

    Parameters
    ----------
    magnitude : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    float32, shape (frames,)
        Hz.
    """
    centroid, mean_square = _moments(magnitude, config)
    return np.sqrt(np.maximum(mean_square - centroid**2, 0.0)).astype(np.float32)


def spectral_rolloff(magnitude: Float32, config: FeatureConfig) -> Float32:
    """Lowest frequency with at least `config.roll_percent` of the magnitude at or below it.

    Parameters
    ----------
    magnitude : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    float32, shape (frames,)
        Hz, one of the bins.
    """
    # The same float32 additions in the same order as librosa: where two bins are nearly level
    # at the threshold, a more accurate sum would pick the other one.
    total = np.cumsum(magnitude, axis=1)
    reached = total >= np.float32(config.roll_percent) * total[:, -1:]
    hz: Float32 = _bin_hz(config).astype(np.float32)[np.argmax(reached, axis=1)]
    return hz


def _moments(magnitude: Float32, config: FeatureConfig) -> tuple[Float64, Float64]:
    """Return the mean and the mean square of frequency, each of shape (frames,)."""
    hz = _bin_hz(config)
    # float64, since the difference of the two cancels for a pure tone.
    sums = magnitude.astype(np.float64) @ np.stack((np.ones_like(hz), hz, hz**2), axis=1)
    total = np.where(sums[:, 0] < _TINY, 1.0, sums[:, 0])
    return sums[:, 1] / total, sums[:, 2] / total


def _bin_hz(config: FeatureConfig) -> Float64:
    return np.arange(config.n_bins, dtype=np.float64) * (config.sample_rate / config.n_fft)
