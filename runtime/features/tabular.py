"""The 57 numbers of GTZAN's Kaggle tables, from one short-time Fourier transform.

Means and variances over frames of the descriptors, chroma and 20 MFCCs; means and variances
over samples of the harmonic and the percussive part; the tempo. The clip is always padded by
reflection, as in the tables.

The tables' 3 s row i was computed from `samples[i * 66_150 : i * 66_150 + 66_149]`.

References
----------
https://www.kaggle.com/datasets/andradaolteanu/gtzan-dataset-music-genre-classification
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Float32
from ..errors import AudioError
from .cepstrum import cepstrum
from .chroma import chroma_stft
from .config import FeatureConfig
from .descriptors import (
    rms,
    spectral_bandwidth,
    spectral_centroid,
    spectral_rolloff,
    zero_crossing_rate,
)
from .hpss.separation import separate
from .mel import decibels, mel_power
from .stft import stft
from .tempo import tempo_bpm

N_MFCC = 20

# The tables' own names: rolloff without "spectral_", the percussive part as "perceptr".
_DESCRIBED = (
    "chroma_stft",
    "rms",
    "spectral_centroid",
    "spectral_bandwidth",
    "rolloff",
    "zero_crossing_rate",
    "harmony",
    "perceptr",
)
_COEFFICIENTS = tuple(f"mfcc{i}" for i in range(1, N_MFCC + 1))

FEATURE_NAMES = (
    *(f"{name}_{statistic}" for name in _DESCRIBED for statistic in ("mean", "var")),
    "tempo",
    *(f"{name}_{statistic}" for name in _COEFFICIENTS for statistic in ("mean", "var")),
)

# The transform of the whole clip is held several times over, 5 MB per second of it.
_LONGEST_S = 900


def tabular(samples: Float32, config: FeatureConfig) -> Float32:
    """Describe a clip by the 57 numbers named in `FEATURE_NAMES`.

    Parameters
    ----------
    samples : float32, shape (samples,)
        A track or a segment of at most 15 minutes.
    config : FeatureConfig
        Its `padding` and `n_mfcc` do not count.

    Returns
    -------
    float32, shape (57,)
        Frequencies in Hz, tempo in beats per minute.

    Raises
    ------
    AudioError
        If the clip is longer than 15 minutes, or as `spectral.pad_samples`.
    ConfigError
        If `config.n_mels` is below 20.
    """
    if samples.size > _LONGEST_S * config.sample_rate:
        raise AudioError(
            f"{samples.size / config.sample_rate:.0f} s: the tabular features take at most "
            f"{_LONGEST_S} s; describe the clip segment by segment"
        )
    config = dataclasses.replace(config, padding="reflect", n_mfcc=N_MFCC)
    spectra = stft(samples, config)
    magnitude = np.abs(spectra)
    power = np.square(magnitude)
    bands = mel_power(power, config)
    level = decibels(bands, amin=config.amin, top_db=config.top_db)
    harmonic, percussive = separate(spectra, config, samples.size)
    last_centre = (spectra.shape[0] - 1) * config.hop_length
    harmonic[last_centre:] = 0.0
    percussive[last_centre:] = 0.0
    described = (
        chroma_stft(power, config),
        rms(samples, config),
        spectral_centroid(magnitude, config),
        spectral_bandwidth(magnitude, config),
        spectral_rolloff(magnitude, config),
        zero_crossing_rate(samples, config),
        harmonic,
        percussive,
    )
    coefficients = cepstrum(level, N_MFCC).T
    values = [
        *(statistic for series in described for statistic in _mean_and_variance(series)),
        tempo_bpm(bands, config),
        *(statistic for series in coefficients for statistic in _mean_and_variance(series)),
    ]
    return np.array(values, np.float32)


def _mean_and_variance(series: Float32) -> tuple[float, float]:
    exact = series.astype(np.float64)
    return float(exact.mean()), float(exact.var())
