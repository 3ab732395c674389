"""SegmentCnn: the report's nine layers for short segments of MFCCs."""

from __future__ import annotations

from torch import nn

from genrekit.artifact.sections import InputSpec
from genrekit.errors import ConfigError

CHANNELS = (128, 256)
HIDDEN = 128
DROPOUT = (0.25, 0.5)  # after the convolutions, after the hidden layer


def segment_cnn(inputs: tuple[InputSpec, ...], n_labels: int) -> nn.Module:
    """Build convolution, pooling, convolution, pooling, dropout, flatten, dense, dropout, dense.

    For 13 coefficients, 130 frames (3 s) and ten genres it has 2 855 818 parameters.

    Parameters
    ----------
    inputs : tuple of InputSpec
        One image, at least 7 in both directions.
    n_labels : int

    Raises
    ------
    ConfigError
        If nothing would be left after the second pooling.
    """
    channels, rows, columns = inputs[0].shape
    left = [_pooled(_pooled(size)) for size in (rows, columns)]
    if min(left) < 1:
        raise ConfigError(f"segments of {rows} x {columns}: at least 7 of each are needed")
    first, second = CHANNELS
    layers: list[nn.Module] = [
        nn.Conv2d(channels, first, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(first, second, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Dropout(DROPOUT[0]),
        nn.Flatten(),
        nn.Linear(second * left[0] * left[1], HIDDEN),
        nn.ReLU(),
        nn.Dropout(DROPOUT[1]),
        nn.Linear(HIDDEN, n_labels),
    ]
    return nn.Sequential(*layers)


def _pooled(size: int) -> int:
    return (size - 3) // 2 + 1
