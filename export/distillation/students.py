"""Students: small networks for spectrogram images that learn from a larger one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from genrekit.artifact.sections import InputSpec
from genrekit.errors import ConfigError
from genrekit.train.models.frameworks import import_torchvision
from genrekit.train.models.neural.band_cnn import BandResNet

_INVERTED_WIDTH = 0.35  # of MobileNetV2's channels, the narrowest that was published


class SlimResNet(nn.Module):
    """A ResNet18 with fewer channels, fewer blocks, or both.

    Parameters
    ----------
    n_labels : int
    width : int
        Channels of the first stage, doubled at each of the three that follow; 64 in ResNet18.
    blocks : sequence of int, length 4
        Of each stage; 2, 2, 2, 2 in ResNet18.

    References
    ----------
    He, Zhang, Ren, Sun: "Deep residual learning for image recognition", CVPR 2016.
    """

    def __init__(self, n_labels: int, *, width: int, blocks: Sequence[int] = (2, 2, 2, 2)) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        stages: list[nn.Module] = []
        channels = width
        for stage, count in enumerate(blocks):
            out = width << stage
            for index in range(count):
                stages.append(_block(channels, out, stride=2 if stage and not index else 1))
                channels = out
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(channels, n_labels)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute logits, shape (windows, labels), of images, shape (windows, 1, bands, frames)."""
        logits: torch.Tensor = self.head(self.pool(self.stages(self.stem(images))).flatten(1))
        return logits


def _block(channels: int, out: int, *, stride: int) -> nn.Module:
    shortcut = None
    if stride != 1 or channels != out:
        shortcut = nn.Sequential(
            nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out)
        )
    block: nn.Module = import_torchvision().models.resnet.BasicBlock(
        channels, out, stride, shortcut
    )
    return block


def inverted_residuals(n_labels: int) -> nn.Module:
    """Build MobileNetV2 at 0.35 of its width, for one channel.

    References
    ----------
    Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018.
    """
    model: Any = import_torchvision().models.MobileNetV2(
        num_classes=n_labels, width_mult=_INVERTED_WIDTH
    )
    channels = model.features[0][0].out_channels
    model.features[0][0] = nn.Conv2d(1, channels, 3, stride=2, padding=1, bias=False)
    network: nn.Module = model
    return network


STUDENTS: dict[str, Callable[[InputSpec, int], nn.Module]] = {
    "resnet18_16": lambda _, labels: SlimResNet(labels, width=16),
    "bands": lambda spec, labels: BandResNet(spec.shape[1], spec.shape[2], labels),
    "inverted": lambda _, labels: inverted_residuals(labels),
    "resnet10_24": lambda _, labels: SlimResNet(labels, width=24, blocks=(1, 1, 1, 1)),
}


def student(name: str, spec: InputSpec, n_labels: int) -> nn.Module:
    """Build a student with random weights, from torch's global generator.

    Raises
    ------
    ConfigError
        Naming those that there are.
    """
    if name not in STUDENTS:
        raise ConfigError(f"student {name!r:.40}: must be one of {', '.join(STUDENTS)}")
    return STUDENTS[name](spec, n_labels)
