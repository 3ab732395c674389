"""Harmonic-percussive source separation by median filtering, and the inverse STFT.

Steady tones are lines along time in a spectrogram, drum hits lines along frequency. The median
of 31 frames around each cell keeps the former, the median of 31 bins the latter; each cell is
then shared out between the two in proportion to the squares of these medians (a Wiener mask).

Conventions: frames come first; the two masks sum to one, so the two parts sum to the mixture.

References
----------
.. [1] Fitzgerald, D. "Harmonic/percussive separation using median filtering." DAFx, 2010.
.. [2] Griffin, D., Lim, J. "Signal estimation from modified short-time Fourier transform." IEEE
   Transactions on Acoustics, Speech, and Signal Processing 32(2), 1984 (inverse STFT).
.. [3] librosa 0.11: `librosa.effects.hpss` with its defaults (kernel 31, power 2, margin 1).
"""

from __future__ import annotations

import numpy as np

from ...arrays import Complex64, Float32
from ...errors import AudioError
from ..config import FeatureConfig
from ..stft import hann_window
from .median_filter import running_median

_BLOCK_SAMPLES = 64 * 2_048  # of frames transformed back at a time: they stay in cache
_TINY = np.finfo(np.float32).tiny


def harmonic_percussive(stft: Complex64) -> tuple[Complex64, Complex64]:
    """Split a spectrogram into its harmonic and its percussive part.

    Parameters
    ----------
    stft : complex64, shape (frames, bins)

    Returns
    -------
    harmonic, percussive : complex64, shape (frames, bins)
        They sum to `stft`; where both medians are zero, either gets half.

    Raises
    ------
    AudioError
        If there is no spectrum, or the power of a bin is beyond float32.
    """
    if stft.ndim != 2 or not stft.size:
        raise AudioError(f"STFT has shape {stft.shape}: must be (frames, bins), neither of them 0")
    with np.errstate(over="ignore"):  # the next line reports it
        power = np.square(stft.real) + np.square(stft.imag)
    if not np.isfinite(power.max()):
        raise AudioError("the power of the STFT is not finite: scale the clip to full scale = 1.0")
    # The mask needs squares of medians: as squaring keeps the order, medians of squares.
    harmonic = running_median(power)
    percussive = np.ascontiguousarray(running_median(np.ascontiguousarray(power.T)).T)
    # The least of normal numbers alters nothing that is heard, and splits 0 / 0 in halves.
    harmonic += _TINY
    percussive += _TINY
    both = harmonic + percussive
    harmonic /= both
    percussive /= both
    return stft * harmonic, stft * percussive


def separate(stft: Complex64, config: FeatureConfig, length: int) -> tuple[Float32, Float32]:
    """Split a clip, given as its STFT, into its harmonic and its percussive waveform.

    Parameters
    ----------
    stft : complex64, shape (frames, n_fft // 2 + 1)
        `spectral.stft(samples, config)`.
    config : FeatureConfig
        `n_fft`, `hop_length` and `padding` count.
    length : int
        Samples of the clip.

    Returns
    -------
    harmonic, percussive : float32, shape (length,)
        They sum to the clip wherever a window reaches.

    Raises
    ------
    AudioError
        As `harmonic_percussive` and `istft`.
    """
    harmonic, percussive = harmonic_percussive(stft)
    return istft(harmonic, config, length), istft(percussive, config, length)


def istft(stft: Complex64, config: FeatureConfig, length: int) -> Float32:
    """Return the waveform whose STFT is nearest to `stft` in the mean square.

    Parameters
    ----------
    stft : complex64, shape (frames, n_fft // 2 + 1)
    config : FeatureConfig
        `n_fft`, `hop_length` and `padding` count; the padding is cut off.
    length : int
        Samples of the clip that was transformed.

    Returns
    -------
    float32, shape (length,)
        Zero where no window reaches.

    Raises
    ------
    AudioError
        If `stft` does not fit `config` and `length`.
    """
    frames = config.n_frames(length)
    if stft.shape != (frames, config.n_bins):
        raise AudioError(
            f"STFT has shape {stft.shape}: {length} samples give ({frames}, {config.n_bins})"
        )
    window = hann_window(config.n_fft).astype(np.float32)
    hop = config.hop_length
    spread = -(-window.size // hop)  # hops that a frame reaches over
    wave = np.zeros((frames + spread - 1, hop), np.float32)
    weight = np.zeros_like(wave)
    _overlap_add(weight, np.broadcast_to(np.square(window), (frames, window.size)))
    block = max(1, _BLOCK_SAMPLES // window.size)
    for start in range(0, frames, block):
        pieces = np.fft.irfft(stft[start : start + block], n=window.size)
        _overlap_add(wave[start:], np.multiply(pieces, window, dtype=np.float32))
    weight[weight < _TINY] = 1.0
    wave /= weight
    margin = 0 if config.padding == "none" else config.n_fft // 2
    inside = wave.reshape(-1)[margin : margin + length]
    return np.pad(inside, (0, length - inside.size))


def _overlap_add(sums: Float32, pieces: Float32) -> None:
    """Add piece t to `sums`, shape (hops, hop_length), from row t on."""
    n_pieces, size = pieces.shape
    hop = sums.shape[1]
    for row, first in enumerate(range(0, size, hop)):
        part = pieces[:, first : first + hop]
        sums[row : row + n_pieces, : part.shape[1]] += part
