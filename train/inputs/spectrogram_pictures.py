"""Pictures: spectrograms kept as greyscale PNG files, read back as features."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from genrekit.arrays import Float32
from genrekit.errors import DataError
from genrekit.features.config import FeatureConfig
from genrekit.features.mel import band_weights
from genrekit.files import read_bounded

from ..data.datasets import MAX_PICTURE_BYTES
from .representation import PICTURE_SIZE

MAX_PIXELS = 1 << 24


def read_stft_picture(path: Path, config: FeatureConfig) -> Float32:
    """Read a picture of decibels over linear frequency, pooled into mel bands.

    Its levels are decibels up to a scale and an offset of their own, which standardising each
    window removes; so it stands for the runtime's feature `mel_of_db`.

    Parameters
    ----------
    path : Path
        Time to the right, 0 Hz at the bottom, half the sample rate at the top.
    config : FeatureConfig
        Its mel bands count.

    Returns
    -------
    float32, shape (frames, n_mels)
        0..1.

    Raises
    ------
    DataError
        If it is no PNG picture, or too large a one.
    """
    spectrum = _frames_first(_open_grey(path))
    return spectrum @ band_weights(spectrum.shape[1], config).T


def read_plain_picture(path: Path) -> Float32:
    """Read a picture at a fixed size, whatever it shows.

    Returns
    -------
    float32, shape (PICTURE_SIZE, PICTURE_SIZE)
        Columns first, bottom to top, 0..1.

    Raises
    ------
    DataError
        If it is no PNG picture, or too large a one.
    """
    size = (PICTURE_SIZE, PICTURE_SIZE)
    return _frames_first(_open_grey(path).resize(size, Image.Resampling.BOX))


def _frames_first(image: Image.Image) -> Float32:
    pixels = np.asarray(image, np.float32) / np.float32(255.0)
    return np.ascontiguousarray(pixels[::-1].T)


def _open_grey(path: Path) -> Image.Image:
    data = read_bounded(path, MAX_PICTURE_BYTES)
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; the bound below is ours, and an error.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("PNG",))
        if image.width * image.height > MAX_PIXELS:
            raise DataError(f"{path}: {image.width} x {image.height}: over {MAX_PIXELS} pixels")
        return image.convert("L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a readable PNG picture: {error}") from error
