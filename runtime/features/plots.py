"""Plots: what a person would draw of a sound, as a picture of a fixed size for a model.

A plot is a kind of feature named `NAME@PIXELS`, as in `wave_plot@224`: it needs its whole window
and is a square of shades 0..1, columns from left to right and each from bottom to top. Every
pixel is the share of it that the drawing covers, or the mean of what lies under it, so the same
samples give the same picture on any machine; nothing is drawn by a plotting package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ..arrays import Float32, Float64
from ..errors import ConfigError
from .cepstrum import cepstrum
from .config import FeatureConfig
from .descriptors import zero_crossing_rate
from .mel import decibels, mel_spectrogram
from .stft import check_samples, power_spectrogram

SMALLEST, LARGEST = 32, 512  # pixels per side
LINE_WIDTH = 1.5  # pixels
_RANGE_DB = 80.0  # of a picture of levels, where the configuration has no top_db

Draw: TypeAlias = Callable[[Float32, FeatureConfig, int], Float32]


def find_plot(kind: str) -> tuple[Draw, int]:
    """Return how a plot is drawn, and its size in pixels.

    Parameters
    ----------
    kind : str
        As in `mel_plot@224`.

    Raises
    ------
    ConfigError
        If there is no such plot, or the size is out of bounds.
    """
    name, _, digits = kind.partition("@")
    if name not in PLOTS:
        raise ConfigError(f"feature {kind!r:.80}: no such plot; there are {', '.join(PLOTS)}")
    size = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 3 else 0
    if not SMALLEST <= size <= LARGEST or str(size) != digits:
        raise ConfigError(
            f"feature {kind!r:.80}: the size must be {SMALLEST}..{LARGEST} pixels, as in {name}@224"
        )
    return PLOTS[name], size


def wave_plot(samples: Float32, config: FeatureConfig, size: int) -> Float32:
    """Draw the waveform: each column spans the samples that fall into it.

    Parameters
    ----------
    samples : float32, shape (samples,)
    config : FeatureConfig
        Unused: a waveform has no frames.
    size : int
        Pixels per side.

    Returns
    -------
    float32, shape (size, size)
        The loudest sample touches the edge, as in a plot that scales itself; silence is a line.
    """
    del config
    samples = check_samples(samples)
    starts = np.arange(size) * samples.size // size
    low = np.minimum.reduceat(samples, starts).astype(np.float64)
    high = np.maximum.reduceat(samples, starts).astype(np.float64)
    peak = max(float(high.max()), -float(low.min())) or 1.0
    return _line((low / peak + 1.0) / 2.0, (high / peak + 1.0) / 2.0, size)


def zcr_plot(samples: Float32, config: FeatureConfig, size: int) -> Float32:
    """Draw the zero-crossing rate of the frames as a curve.

    Returns
    -------
    float32, shape (size, size)
        From no crossing at the bottom to the window's highest rate at the top.
    """
    rate = zero_crossing_rate(samples, config).astype(np.float64)
    rate /= rate.max() or 1.0
    places = (np.arange(rate.size) + 0.5) * size / rate.size
    edges = np.interp(np.arange(size + 1), places, rate)
    low, high = np.minimum(edges[:-1], edges[1:]), np.maximum(edges[:-1], edges[1:])
    column = places.astype(np.int64)
    np.minimum.at(low, column, rate)
    np.maximum.at(high, column, rate)
    return _line(low, high, size)


def mel_plot(samples: Float32, config: FeatureConfig, size: int) -> Float32:
    """Paint the mel spectrogram in decibels below the window's maximum.

    Returns
    -------
    float32, shape (size, size)
        1 at the maximum, 0 at `config.top_db` (80 dB if it has none) below it.
    """
    return _levels(mel_spectrogram(samples, config), config, size)


def log_power_plot(samples: Float32, config: FeatureConfig, size: int) -> Float32:
    """Paint the power spectrogram, of linear frequency, as `mel_plot` does."""
    return _levels(power_spectrogram(samples, config), config, size)


def mfcc_plot(samples: Float32, config: FeatureConfig, size: int) -> Float32:
    """Paint the cepstral coefficients, from the window's smallest value to its largest.

    Returns
    -------
    float32, shape (size, size)
    """
    level = decibels(mel_spectrogram(samples, config), amin=config.amin, top_db=config.top_db)
    values = cepstrum(level, config.n_mfcc)
    lowest = values.min()
    spread = values.max() - lowest
    return _resize((values - lowest) / (spread if spread > 0.0 else np.float32(1.0)), size)


def _levels(power: Float32, config: FeatureConfig, size: int) -> Float32:
    span = config.top_db or _RANGE_DB
    level = decibels(power, amin=config.amin, top_db=span)
    return _resize(np.float32(1.0) + (level - level.max()) / np.float32(span), size)


def _line(low: Float64, high: Float64, size: int) -> Float32:
    """Fill each column from `low` to `high` (0..1) with a pen of `LINE_WIDTH`."""
    margin = LINE_WIDTH / 2.0
    reach = size - LINE_WIDTH
    bottom, top = low * reach, high * reach + 2.0 * margin
    rows = np.arange(size)
    covered = np.minimum(top[:, None], rows + 1) - np.maximum(bottom[:, None], rows)
    shades: Float32 = np.clip(covered, 0.0, 1.0).astype(np.float32)
    return shades


def _resize(values: Float32, size: int) -> Float32:
    """Bring (frames, bands) to (size, size): a pixel is the mean of what lies under it."""
    frames, bands = (_area_weights(count, size) for count in values.shape)
    return np.asarray(frames @ values @ bands.T, np.float32)


def _area_weights(count: int, size: int) -> Float32:
    """Return the share of each of `count` cells in each of `size` pixels; rows sum to 1."""
    left = np.arange(size)[:, None] * (count / size)
    cells = np.arange(count)
    shared = np.minimum(left + count / size, cells + 1) - np.maximum(left, cells)
    weights = np.clip(shared, 0.0, None)
    normalised: Float32 = weights.astype(np.float32)
    normalised /= normalised.sum(axis=1, keepdims=True)
    return normalised


PLOTS: dict[str, Draw] = {
    "wave_plot": wave_plot,
    "zcr_plot": zcr_plot,
    "mel_plot": mel_plot,
    "mfcc_plot": mfcc_plot,
    "log_power_plot": log_power_plot,
}
