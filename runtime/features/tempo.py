"""Tempo in beats per minute: onset strength, its local autocorrelation, and a prior.

The onset strength of a frame is the median over mel bands of the rise in level since the frame
before. Its autocorrelation under a window of 8 s, normalised and averaged over the clip, has
peaks at the beat's period and its multiples; a log-normal prior around 120 beats per minute
picks one of them.

References
----------
.. [1] Ellis, D. "Beat tracking by dynamic programming." Journal of New Music Research 36(1), 2007.
.. [2] Grosche, P., Müller, M., Kurth, F. "Cyclic tempogram: a mid-level tempo representation for
   music signals." ICASSP, 2010.
.. [3] librosa 0.11: the tempo of `librosa.beat.beat_track` with its defaults.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Float32, Float64, sliding
from ..errors import AudioError, ConfigError
from .config import FeatureConfig
from .mel import decibels
from .stft import hann_window

_WINDOW_S = 8.0  # of the local autocorrelation
_CENTRE_BPM = 120.0  # of the prior; its standard deviation is one octave
_LIMIT_BPM = 320.0  # tempos from here on are not considered
_SHARPNESS = 1e6  # of the autocorrelation against the prior, as in librosa
_BLOCK_FRAMES = 64  # windows transformed at a time


def tempo_bpm(mel_power: Float32, config: FeatureConfig) -> float:
    """Estimate the tempo of a clip.

    Parameters
    ----------
    mel_power : float32, shape (frames, n_mels)
        Power in mel bands, `mel.mel_power(...)` of the whole clip.
    config : FeatureConfig
        `sample_rate`, `n_fft`, `hop_length`, `padding`, `amin` and `top_db` count.

    Returns
    -------
    float
        Beats per minute, below 320; 0.0 if the clip has no onset, as in silence.

    Raises
    ------
    AudioError
        If there is no frame, or a power is not finite.
    ConfigError
        If a hop is so long that no tempo can be told.
    """
    onsets = onset_strength(mel_power, config)
    if not onsets.any():
        return 0.0
    n_lags = int(_WINDOW_S * config.sample_rate) // config.hop_length
    if n_lags < 2:
        raise ConfigError(
            f"hop_length={config.hop_length}: tempo needs two hops in {_WINDOW_S:.0f} s, "
            f"at most {int(_WINDOW_S * config.sample_rate) // 2} samples each"
        )
    bpm = 60.0 * config.sample_rate / (config.hop_length * np.arange(1.0, n_lags))
    correlation = _mean_autocorrelation(onsets, n_lags)[1:]
    score = np.log1p(_SHARPNESS * correlation) - 0.5 * np.log2(bpm / _CENTRE_BPM) ** 2
    score[bpm >= _LIMIT_BPM] = -np.inf
    return float(bpm[np.argmax(score)])


def onset_strength(mel_power: Float32, config: FeatureConfig) -> Float32:
    """Return how much the level rises at each frame: the median over bands, falls counted as 0.

    Parameters
    ----------
    mel_power : float32, shape (frames, n_mels)
    config : FeatureConfig

    Returns
    -------
    float32, shape (frames,)
        dB. With padding it is `n_fft // (2 * hop_length)` frames late, as in librosa.

    Raises
    ------
    AudioError
        If there is no frame, or a power is not finite.
    """
    if mel_power.ndim != 2 or not mel_power.size:
        raise AudioError(f"mel power has shape {mel_power.shape}: must be (frames, n_mels), not 0")
    if not np.isfinite(mel_power.max()):
        raise AudioError("mel power is not finite: no tempo can be told")
    level = decibels(mel_power, amin=config.amin, top_db=config.top_db)
    rises = np.median(np.maximum(np.diff(level, axis=0), 0.0), axis=1)
    delay = 0 if config.padding == "none" else config.n_fft // (2 * config.hop_length)
    return np.concatenate((np.zeros(1 + delay, np.float32), rises))[: level.shape[0]]


def _mean_autocorrelation(onsets: Float32, n_lags: int) -> Float64:
    """Average over frames the autocorrelation, 1 at lag 0, of `n_lags` windowed neighbours.

    The transform is linear, so the normalised power spectra are averaged instead and
    transformed back once.
    """
    padded = np.pad(onsets, n_lags // 2, mode="linear_ramp").astype(np.float64)
    taper = hann_window(n_lags)
    n_fft = 1 << (2 * n_lags - 2).bit_length()  # at least 2 * n_lags - 1: lags do not wrap round
    spectrum = np.zeros(n_fft // 2 + 1)
    for start in range(0, onsets.size, _BLOCK_FRAMES):
        count = min(_BLOCK_FRAMES, onsets.size - start)
        block = sliding(padded, n_lags, first=start, count=count) * taper
        energy = np.einsum("ij,ij->i", block, block)
        energy[energy < np.finfo(np.float64).tiny] = 1.0  # a window of silence stays 0
        transformed = np.fft.rfft(block, n=n_fft)
        spectrum += (1.0 / energy) @ (transformed.real**2 + transformed.imag**2)
    return np.fft.irfft(spectrum / onsets.size, n=n_fft)[:n_lags]
