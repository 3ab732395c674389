"""Small models that the export tests share."""

from __future__ import annotations

import numpy as np
import torch

from genrekit.arrays import Float32
from genrekit.artifact.sections import InputSpec, Normalisation

IMAGE = InputSpec(
    name="log_mel",
    feature="log_mel",
    layout="channel_band_frame",
    shape=(1, 32, 65),
    dtype="float32",
    normalisation=Normalisation(kind="window"),
)


class Block(torch.nn.Module):
    """ResNet's basic block."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(out)
        self.conv2 = torch.nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(out)
        self.shortcut = torch.nn.Conv2d(channels, out, 1, stride, bias=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        inner = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(values)))))
        return torch.relu(inner + self.shortcut(values))


class NarrowResNet(torch.nn.Module):
    """Seven convolutions laid out as in ResNet18, 16 and 32 channels wide."""

    convolutions = 7

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(1, 16, 7, 2, 3, bias=False)
        self.norm = torch.nn.BatchNorm2d(16)
        self.pool = torch.nn.MaxPool2d(3, 2, 1)
        self.block1 = Block(16, 16, 1)
        self.block2 = Block(16, 32, 2)
        self.head = torch.nn.Linear(32, 10)
        # Statistics as training leaves them, so that folding them changes something.
        self.train()
        with torch.no_grad():
            for _ in range(20):
                self(torch.randn(8, *IMAGE.shape))
        self.eval()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values = self.pool(torch.relu(self.norm(self.stem(image))))
        return self.head(self.block2(self.block1(values)).mean((2, 3)))


def random_windows(n: int, shape: tuple[int, ...], seed: int = 0) -> Float32:
    """Standard normal model input, float32, shape (n, *shape)."""
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(np.float32)
