"""Augmentation: random changes of training windows that leave their genre as it is."""

from __future__ import annotations

import numpy as np

from genrekit.arrays import Float32, Int64

WIDEST_BAND_STRIPE = 0.15  # of the bands
WIDEST_FRAME_STRIPE = 0.2  # of the frames
MOST_STRETCH = 0.1  # of the duration; half as much of the frequency axis
MOST_SHIFT = 0.03  # of the bands, up or down
EQUALISER_POINTS = 6  # over all bands, drawn from a normal distribution
EQUALISER_DEVIATION = 0.3  # of that distribution, in units of the normalised input
SMALLEST_DEVIATION = 1e-6


def smooth(targets: Float32, share: float) -> Float32:
    """Spread a share of each target evenly over all labels.

    Parameters
    ----------
    targets : float32, shape (n, labels)
        Probabilities.
    share : float
        0 leaves them as they are.

    References
    ----------
    Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016.
    """
    return targets * np.float32(1.0 - share) + np.float32(share / targets.shape[1])


def mixup(
    inputs: tuple[Float32, ...], targets: Float32, alpha: float, rng: np.random.Generator
) -> tuple[tuple[Float32, ...], Float32]:
    """Blend every window with another of its batch, and their targets alike.

    Parameters
    ----------
    inputs : tuple of float32, each of shape (n, ...)
        One array for each of the model's inputs.
    targets : float32, shape (n, labels)
    alpha : float
        Both parameters of the Beta distribution of the blend.
    rng : numpy.random.Generator

    References
    ----------
    Zhang, Cisse, Dauphin, Lopez-Paz: "mixup: beyond empirical risk minimization", ICLR 2018.
    """
    partner = rng.permutation(len(targets))
    own = rng.beta(alpha, alpha, len(targets)).astype(np.float32)
    return tuple(_blend(array, partner, own) for array in inputs), _blend(targets, partner, own)


def spec_augment(windows: Float32, rng: np.random.Generator) -> Float32:
    """Blank one stripe of rows and one of columns in every window, with the window's mean.

    Parameters
    ----------
    windows : float32, shape (n, ..., rows, columns)
        Images as (n, 1, bands, frames), series as (n, frames, bands).
    rng : numpy.random.Generator

    References
    ----------
    Park et al., "SpecAugment: a simple data augmentation method for automatic speech
    recognition", Interspeech 2019.
    """
    blanked = windows.copy()
    rows, columns = windows.shape[-2:]
    for window in blanked:
        mean = window.mean()
        start, stop = _stripe(rows, WIDEST_BAND_STRIPE, rng)
        window[..., start:stop, :] = mean
        start, stop = _stripe(columns, WIDEST_FRAME_STRIPE, rng)
        window[..., start:stop] = mean
    return blanked


def warp(windows: Float32, rng: np.random.Generator) -> Float32:
    """Stretch and shift in time and frequency, and change the tone.

    A song at another tempo, in another key or through other loudspeakers is of the same genre.

    Parameters
    ----------
    windows : float32, shape (n, ..., rows, columns)
        Images as (n, 1, bands, frames).
    rng : numpy.random.Generator

    Returns
    -------
    float32, same shape
        Every window of the mean and deviation that it had.
    """
    rows, columns = windows.shape[-2:]
    warped = np.empty_like(windows)
    for source, target in zip(windows, warped, strict=True):
        stretch, shift = 1 + MOST_STRETCH * rng.uniform(-1, 1, 2) * (0.5, 1), rng.uniform(-1, 1, 2)
        at_rows = _positions(rows, stretch[0], MOST_SHIFT * rows * shift[0])
        at_columns = _positions(columns, stretch[1], MOST_STRETCH / 2 * columns * shift[1])
        image = _interpolate(source, at_rows, axis=-2)
        image = _interpolate(image, at_columns, axis=-1)
        points = rng.normal(0.0, EQUALISER_DEVIATION, EQUALISER_POINTS)
        places = np.linspace(0, rows - 1, EQUALISER_POINTS)
        image += np.interp(np.arange(rows), places, points).astype(np.float32)[:, np.newaxis]
        scale = source.std() / max(float(image.std()), SMALLEST_DEVIATION)
        target[:] = (image - image.mean()) * scale + source.mean()
    return warped


def _positions(size: int, stretch: float, shift: float) -> Float32:
    """Where the values of a stretched axis come from; what lies outside is reflected."""
    centre = (size - 1) / 2
    places = np.abs((np.arange(size) - centre) * stretch + centre + shift)
    reflected: Float32 = np.minimum(places, 2 * (size - 1) - places).astype(np.float32)
    return reflected


def _interpolate(image: Float32, places: Float32, axis: int) -> Float32:
    below = np.minimum(places.astype(np.int64), image.shape[axis] - 2)
    share = (places - below).reshape(-1, *[1] * (-1 - axis)).astype(np.float32)
    lower, upper = np.take(image, below, axis), np.take(image, below + 1, axis)
    blended: Float32 = lower + share * (upper - lower)
    return blended


def _stripe(size: int, widest: float, rng: np.random.Generator) -> tuple[int, int]:
    width = int(rng.integers(int(size * widest) + 1))
    start = int(rng.integers(size - width + 1))
    return start, start + width


def _blend(array: Float32, partner: Int64, own: Float32) -> Float32:
    weight: Float32 = own.reshape(-1, *[1] * (array.ndim - 1))
    return weight * array + (1 - weight) * array[partner]
