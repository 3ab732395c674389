"""Level: a window's offset and loudness, brought to what the features expect."""

from __future__ import annotations

import numpy as np

from ..arrays import Float32
from .config import FeatureConfig


def level_window(samples: Float32, config: FeatureConfig) -> Float32:
    """Apply a configuration's rules of offset and level to one window.

    Parameters
    ----------
    samples : float32, shape (n,)
        All samples of the window: mean and RMS are theirs.
    config : FeatureConfig
        `remove_offset`, `level_rms` and `silence_rms`.

    Returns
    -------
    float32, shape (n,)
        `samples` itself where there is nothing to do; zeros where the window is silent.
    """
    if not config.levels_windows or not len(samples):
        return samples
    if config.remove_offset:
        samples = samples - np.float32(samples.mean(dtype=np.float64))
    if config.level_rms is None:
        return samples
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    if rms <= config.silence_rms:
        return np.zeros_like(samples)
    return samples * np.float32(config.level_rms / rms)
