"""Networks: small convolutional networks for spectrogram images.

Where a sound lies in frequency tells much of its genre, when it happens within a window tells
little. So these networks average over time alone and keep a few coarse frequency regions apart
until the last layer; averaging over both costs several points of accuracy on small collections.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from genrekit.artifact.sections import InputSpec
from genrekit.errors import ConfigError

_REGION_BANDS = 16  # input bands that share one region at the end
_STRIDE = 8  # of the whole network, in both directions


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut, halving bands and frames first if asked to.

    Parameters
    ----------
    channels, out : int
        Channels taken and given.
    halve : bool

    References
    ----------
    He, Zhang, Ren, Sun: "Deep residual learning for image recognition", CVPR 2016.
    """

    def __init__(self, channels: int, out: int, *, halve: bool) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2) if halve else nn.Identity()
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))
        self.relu = nn.ReLU()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (windows, channels, bands, frames) to (windows, out, ...)."""
        images = self.pool(images)
        inner = self.relu(self.norm1(self.conv1(images)))
        joined: torch.Tensor = self.relu(self.norm2(self.conv2(inner)) + self.shortcut(images))
        return joined


class BandResNet(nn.Module):
    """A residual network that keeps frequency regions apart.

    Parameters
    ----------
    bands, frames : int
        Size of the input; at least 16 of each.
    n_labels : int
    widths : sequence of int, length 3
        Channels after the stem and after both blocks.
    dropout : float
        Share of the last layer's inputs dropped in training.
    """

    def __init__(
        self,
        bands: int,
        frames: int,
        n_labels: int,
        *,
        widths: Sequence[int] = (32, 48, 96),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if min(bands, frames) < _REGION_BANDS or len(widths) != 3:
            raise ConfigError(
                f"images of {bands} bands and {frames} frames, {len(widths)} widths: at least "
                f"{_REGION_BANDS} of each and 3 widths are needed"
            )
        stem, middle, last = widths
        self.stem = nn.Sequential(
            nn.Conv2d(1, stem, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.blocks = nn.Sequential(
            ResidualBlock(stem, middle, halve=False), ResidualBlock(middle, last, halve=True)
        )
        left = (-(-bands // 2) // 4, -(-frames // 2) // 4)  # bands and frames after the blocks
        region = (_REGION_BANDS // _STRIDE, left[1])
        self.average, self.maximum = nn.AvgPool2d(region), nn.MaxPool2d(region)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * last * (left[0] // region[0]), n_labels)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute logits, shape (windows, labels), of images, shape (windows, 1, bands, frames)."""
        values = self.blocks(self.stem(images))
        pooled = (self.average(values).flatten(1), self.maximum(values).flatten(1))
        logits: torch.Tensor = self.head(self.dropout(torch.cat(pooled, dim=1)))
        return logits


def small_cnn(inputs: tuple[InputSpec, ...], n_labels: int) -> nn.Module:
    """Build a residual network of 0.2 M parameters that keeps frequency regions apart."""
    _, bands, frames = inputs[0].shape
    return BandResNet(bands, frames, n_labels)
