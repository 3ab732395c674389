"""Short-time Fourier transform: framing, padding, complex and power spectra.

Frame t covers `n_fft` samples from sample `t * hop_length` of the padded signal, under a
periodic Hann window. The work goes in blocks of frames that stay in the processor's cache.

Power spectra use SciPy's FFT where it is loaded already, in float32 and vectorised over
frames; else NumPy's, in float64, which there costs no more than float32. SciPy is never
imported for it: that would take longer than it saves. Complex spectra and magnitudes always
use float64. Everything is rounded to float32 at the end.

References
----------
librosa 0.11, `librosa.stft` (center, Hann).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..arrays import Complex64, Float32, Float64, sliding
from ..errors import AudioError
from .config import FeatureConfig

# Full scale is 1.0. The limit leaves float32 room for the largest frame's power.
LARGEST_SAMPLE = 1e6

# 64 frames of 2048 samples: windowed frames and spectra fit a 2 MB second-level cache, and
# the matrix products that follow have rows enough. Half of it was slower by 5 to 10 %.
_BLOCK_SAMPLES = 64 * 2_048

_NUMPY_2 = int(np.__version__.split(".", 1)[0]) >= 2


@functools.lru_cache(maxsize=8)
def hann_window(n: int) -> Float64:
    """Return the periodic Hann window of `n` samples, read-only."""
    window: Float64 = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / n)
    window.flags.writeable = False
    return window


def pad_samples(samples: Float32, config: FeatureConfig) -> Float32:
    """Check a clip and pad it as `config.padding` says.

    Parameters
    ----------
    samples : float32, shape (samples,)
        Mono signal, full scale = 1.0.
    config : FeatureConfig
        `padding` and `n_fft` count.

    Returns
    -------
    float32, shape (samples + 2 * (n_fft // 2),) or, without padding, (samples,)

    Raises
    ------
    AudioError
        If the clip is empty, not one-dimensional, not finite or beyond `LARGEST_SAMPLE`, or
        too short: reflection needs `n_fft // 2 + 1` samples, no padding needs `n_fft`.
    """
    samples = check_samples(samples)
    half = config.n_fft // 2
    if config.padding == "none":
        if samples.size < config.n_fft:
            raise AudioError(
                f"{samples.size} samples: padding 'none' needs at least n_fft={config.n_fft}; "
                "use padding 'zero' for shorter clips"
            )
        return samples
    if config.padding == "zero":
        padded = np.zeros(samples.size + 2 * half, np.float32)
        padded[half : half + samples.size] = samples
        return padded
    if samples.size <= half:
        raise AudioError(
            f"{samples.size} samples: padding 'reflect' needs at least {half + 1} "
            f"(n_fft // 2 + 1); use padding 'zero' for shorter clips"
        )
    return np.concatenate((samples[half:0:-1], samples, samples[-2 : -half - 2 : -1]))


def check_samples(samples: Float32) -> Float32:
    """Return `samples` as float32, refusing what no feature is defined for.

    Raises
    ------
    AudioError
        If there is no sample, more than one dimension, or a value that is not finite or is
        beyond `LARGEST_SAMPLE`.
    """
    if samples.ndim != 1:
        raise AudioError(f"samples have shape {samples.shape}: must be one-dimensional (mono)")
    if samples.size == 0:
        raise AudioError("0 samples: a feature needs at least one")
    peak = max(float(samples.max()), -float(samples.min()))
    if not peak <= LARGEST_SAMPLE:  # a NaN compares false
        raise AudioError(
            f"samples reach {peak}: must be finite and at most {LARGEST_SAMPLE:.0e} "
            "(full scale is 1.0)"
        )
    return np.asarray(samples, np.float32)


def stft(samples: Float32, config: FeatureConfig) -> Complex64:
    """Transform a clip, padded as `config` says.

    Returns
    -------
    complex64, shape (frames, n_fft // 2 + 1)

    Raises
    ------
    AudioError
        As `pad_samples`.
    """
    padded = pad_samples(samples, config)
    spectra = np.empty((_count(padded, config), config.n_bins), np.complex64)
    for rows, block in _spectrum_blocks(padded, config, precise=True):
        spectra[rows] = block
    return spectra


def power_of(spectra: Complex64) -> Float32:
    """Square the magnitudes of complex spectra, shape kept."""
    power: Float32 = np.square(spectra.real)
    power += np.square(spectra.imag)
    return power


def magnitude_blocks(padded: Float32, config: FeatureConfig) -> Iterator[tuple[slice, Float32]]:
    """Yield magnitudes of contiguous samples, block after block: those of `stft`, exactly.

    Yields
    ------
    rows : slice
        The block's frames.
    magnitude : float32, shape (frames in the block, n_fft // 2 + 1)
    """
    for rows, spectra in _spectrum_blocks(padded, config, precise=True):
        yield rows, np.abs(spectra.astype(np.complex64))


def power_blocks(padded: Float32, config: FeatureConfig) -> Iterator[tuple[slice, Float32]]:
    """Yield power spectra of contiguous samples, block after block.

    Yields
    ------
    rows : slice
        The block's frames.
    power : float32, shape (frames in the block, n_fft // 2 + 1)
        Overwritten by the next block: use it or copy it.
    """
    scratch = np.empty((0, config.n_bins), np.float32)
    for rows, spectra in _spectrum_blocks(padded, config, precise=False):
        if scratch.shape[0] < spectra.shape[0]:
            scratch = np.empty((spectra.shape[0], config.n_bins), np.float32)
        parts = spectra.view(spectra.real.dtype)
        np.multiply(parts, parts, out=parts)
        power = scratch[: spectra.shape[0]]
        np.add(parts[:, ::2], parts[:, 1::2], out=power, casting="same_kind")
        yield rows, power


def frame_power(padded: Float32, config: FeatureConfig) -> Float32:
    """Power spectra of contiguous samples, without padding.

    Parameters
    ----------
    padded : float32, shape (samples,)
        Fewer than `n_fft` samples give no frame.

    Returns
    -------
    float32, shape (frames, n_fft // 2 + 1)
        Squared magnitude; frame t starts at sample `t * hop_length`.
    """
    power = np.empty((_count(padded, config), config.n_bins), np.float32)
    for rows, block in power_blocks(padded, config):
        power[rows] = block
    return power


def power_spectrogram(samples: Float32, config: FeatureConfig) -> Float32:
    """Power spectra of a clip, padded as `config` says.

    Returns
    -------
    float32, shape (frames, n_fft // 2 + 1)

    Raises
    ------
    AudioError
        As `pad_samples`.
    """
    return frame_power(pad_samples(samples, config), config)


def _count(padded: Float32, config: FeatureConfig) -> int:
    return max(0, 1 + (padded.size - config.n_fft) // config.hop_length)


def _spectrum_blocks(
    padded: Float32, config: FeatureConfig, *, precise: bool
) -> Iterator[tuple[slice, Any]]:
    """Yield (rows, spectra), complex128 if `precise`; they may be overwritten."""
    n_frames = _count(padded, config)
    if n_frames == 0:
        return
    scipy_rfft = None if precise else getattr(sys.modules.get("scipy.fft"), "rfft", None)
    precision = np.float64 if scipy_rfft is None else np.float32
    padded = np.ascontiguousarray(padded)
    window = hann_window(config.n_fft).astype(precision)
    block = min(max(1, _BLOCK_SAMPLES // config.n_fft), n_frames)
    buffer = np.empty((block, config.n_fft), precision)
    spectra = np.empty((block if scipy_rfft is None else 0, config.n_bins), np.complex128)
    for start in range(0, n_frames, block):
        rows = slice(start, min(start + block, n_frames))
        height = rows.stop - start
        frames = sliding(
            padded,
            config.n_fft,
            count=height,
            first=start * config.hop_length,
            step=config.hop_length,
        )
        windowed = np.multiply(frames, window, out=buffer[:height])
        if scipy_rfft is not None:
            yield rows, scipy_rfft(windowed)
        elif _NUMPY_2:
            yield rows, np.fft.rfft(windowed, out=spectra[:height])
        else:
            yield rows, np.fft.rfft(windowed)
