"""Chroma: the energy of each of the twelve pitch classes.

The bank is tuned to the clip first: the tuning is the commonest deviation of its spectral
peaks from the equal-tempered scale at A = 440 Hz, in steps of a hundredth of a semitone.

References
----------
librosa 0.11, `librosa.feature.chroma_stft`, `librosa.piptrack`, `librosa.filters.chroma`.
Ellis, D. (2007). Chroma feature analysis and synthesis. Columbia University.
"""

from __future__ import annotations

import functools

import numpy as np

from ..arrays import Float32, Float64
from .config import FeatureConfig

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

_N_CHROMA = len(PITCH_CLASSES)
_A0_HZ = 440.0 / 16.0

# Peaks that count for the tuning: their range, and the share of the frame's maximum above
# which they stand.
_PEAK_LOW_HZ = 150.0
_PEAK_HIGH_HZ = 4_000.0
_PEAK_SHARE = np.float32(0.1)

# The bank favours the octaves around A4, by a Gaussian over octaves above A0.
_CENTRE_OCTAVE = 5.0
_OCTAVE_WIDTH = 2.0


def spectral_peaks(power: Float32, config: FeatureConfig) -> tuple[Float32, Float32]:
    """Find local maxima over frequency and refine each by a parabola through three bins.

    Parameters
    ----------
    power : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    hz, height : float32, shape (peaks,)
        Of the peaks of all frames.
    """
    bin_hz = config.sample_rate / config.n_fft
    bins = np.arange(config.n_bins) * bin_hz
    wanted = np.flatnonzero(
        (bins >= _PEAK_LOW_HZ) & (bins < min(_PEAK_HIGH_HZ, config.sample_rate / 2))
    )
    if not wanted.size:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    # Neither 0 Hz nor half the sample rate is wanted: each bin has two neighbours.
    low, high = wanted[0], wanted[-1] + 1
    before, here, after = (power[:, low + step : high + step] for step in (-1, 0, 1))
    is_peak = here > _PEAK_SHARE * power.max(axis=1, keepdims=True)
    is_peak &= here > before
    is_peak &= here >= after
    frame, index = np.nonzero(is_peak)
    before, here, after = before[frame, index], here[frame, index], after[frame, index]
    curvature = after + before - 2 * here
    slope = (after - before) / 2
    inside = np.abs(slope) < np.abs(curvature)
    shift = np.where(inside, -slope / np.where(inside, curvature, np.float32(1)), np.float32(0))
    hz = ((index + low + shift) * bin_hz).astype(np.float32)
    return hz, (here + 0.5 * slope * shift).astype(np.float32)


def peak_tuning(hz: Float32, height: Float32) -> float:
    """Return the commonest deviation of the higher half of the peaks from the scale.

    Parameters
    ----------
    hz, height : float32, shape (peaks,)

    Returns
    -------
    float
        Semitones, from -0.5 to 0.49; 0.0 if there are no peaks.
    """
    if not hz.size:
        return 0.0
    strong = hz[height >= np.median(height)]
    residual = np.mod(np.float32(_N_CHROMA) * np.log2(strong / np.float32(_A0_HZ)), np.float32(1))
    residual[residual >= 0.5] -= 1
    counts, edges = np.histogram(residual, np.linspace(-0.5, 0.5, 101))
    return float(edges[np.argmax(counts)])


def estimate_tuning(power: Float32, config: FeatureConfig) -> float:
    """Estimate a clip's deviation from A = 440 Hz.

    Parameters
    ----------
    power : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    float
        Semitones, from -0.5 to 0.49.
    """
    return peak_tuning(*spectral_peaks(power, config))


def chroma_filterbank(config: FeatureConfig, tuning: float) -> Float32:
    """Return the bank that folds a spectrum into pitch classes, cached and read-only.

    Parameters
    ----------
    tuning : float
        Semitones above A = 440 Hz.

    Returns
    -------
    float32, shape (12, n_fft // 2 + 1)
        Rows in the order of `PITCH_CLASSES`.
    """
    return _filterbank(config.sample_rate, config.n_fft, tuning)


def chroma_stft(power: Float32, config: FeatureConfig, tuning: float | None = None) -> Float32:
    """Fold power spectra into pitch classes, each frame scaled to a maximum of 1.

    Parameters
    ----------
    power : float32, shape (frames, n_fft // 2 + 1)
    tuning : float or None
        Semitones; None estimates it.

    Returns
    -------
    float32, shape (frames, 12)
        Silent frames are all 0.
    """
    if tuning is None:
        tuning = estimate_tuning(power, config)
    chroma = power @ chroma_filterbank(config, tuning).T
    peak = chroma.max(axis=1, keepdims=True)
    peak[peak < np.finfo(np.float32).tiny] = 1
    chroma /= peak
    return chroma


@functools.lru_cache(maxsize=16)
def _filterbank(sample_rate: int, n_fft: int, tuning: float) -> Float32:
    # One bin more than is kept: a bin is as wide as its distance to the next.
    n_bins = n_fft // 2 + 1
    hz = np.arange(1, n_bins + 1) * (sample_rate / n_fft)
    semitone: Float64 = _N_CHROMA * np.log2(hz / (_A0_HZ * 2.0 ** (tuning / _N_CHROMA)))
    # 0 Hz is taken to be one and a half octaves below the first bin: in no class above all.
    semitone = np.concatenate(([semitone[0] - 1.5 * _N_CHROMA], semitone))
    width = np.maximum(np.diff(semitone), 1.0)
    semitone = semitone[:-1]
    half = _N_CHROMA // 2
    distance = semitone - np.arange(_N_CHROMA)[:, None]
    distance = np.remainder(distance + half, _N_CHROMA) - half
    bank = np.exp(-0.5 * (2.0 * distance / width) ** 2)
    bank /= np.sqrt(np.sum(bank**2, axis=0))
    bank *= np.exp(-0.5 * ((semitone / _N_CHROMA - _CENTRE_OCTAVE) / _OCTAVE_WIDTH) ** 2)
    # Row 0 is A so far; the first of `PITCH_CLASSES` is C.
    rolled: Float32 = np.roll(bank, -3, axis=0).astype(np.float32)
    rolled.flags.writeable = False
    return rolled
