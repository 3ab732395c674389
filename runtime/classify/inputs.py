"""Model input: feature values normalised and laid out as a card's input says.

Training, export and the device all come through here.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Float32
from ..artifact.sections import InputSpec, Normalisation
from ..errors import AudioError, ConfigError

_SMALLEST_STD = 1e-6  # a window of silence is constant: it becomes all zeros, not NaN


def normalise(values: Float32, normalisation: Normalisation) -> Float32:
    """Normalise the values of one window.

    Parameters
    ----------
    values : float32, shape (..., bands)
    normalisation : Normalisation
        "fixed" uses its own numbers, "window" the mean and deviation of `values`.

    Returns
    -------
    float32, same shape
    """
    if normalisation.kind == "none":
        return values
    if normalisation.kind == "window":
        mean = np.float32(values.mean(dtype=np.float64))
        std = np.float32(max(float(values.std(dtype=np.float64)), _SMALLEST_STD))
        return (values - mean) / std
    mean_of_band = np.asarray(normalisation.mean, np.float32)
    std_of_band = np.asarray(normalisation.std, np.float32)
    return (values - mean_of_band) / std_of_band


def to_tensor(values: Float32, spec: InputSpec) -> Float32:
    """Turn one window's feature values into the model's input, without the batch axis.

    Parameters
    ----------
    values : float32, shape (frames, bands), or (values,) for a vector
    spec : InputSpec

    Returns
    -------
    float32, shape `spec.shape`, contiguous

    Raises
    ------
    ConfigError
        If the feature does not have the shape that the card says.
    AudioError
        If a value is not finite.
    """
    tensor = normalise(values, spec.normalisation)
    if spec.layout == "channel_band_frame":
        tensor = tensor.T[np.newaxis]
    if tensor.shape != spec.shape:
        raise ConfigError(
            f"input {spec.name!r}: {spec.feature} gives {tensor.shape}, the card says {spec.shape}"
        )
    if not np.isfinite(tensor).all():
        raise AudioError(f"{spec.feature} is not finite for this audio")
    return np.ascontiguousarray(tensor, dtype=np.float32)
