"""Series: networks that read a track frame by frame, alone or beside an image of it."""

from __future__ import annotations

import torch
from torch import nn

from genrekit.artifact.sections import InputSpec
from genrekit.errors import ConfigError

from .torchvision_nets import resnet18

HIDDEN = 64
FUSED = 128  # width of the layer that sees both
DROPOUT = 0.3


class SeriesLstm(nn.Module):
    """An LSTM over the frames of a series; the mean of what it says goes through one layer.

    The mean over all frames, not the last state: after a thousand frames the last state
    remembers the end of the track.

    Parameters
    ----------
    bands : int
        Values per frame.
    n_out : int
        Values given.
    hidden : int

    References
    ----------
    Hochreiter, Schmidhuber: "Long short-term memory", Neural Computation 9(8), 1997.
    """

    def __init__(self, bands: int, n_out: int, *, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.lstm = nn.LSTM(bands, hidden)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(hidden, n_out)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """Map (windows, frames, bands) to (windows, n_out)."""
        states, _ = self.lstm(series.transpose(0, 1))
        given: torch.Tensor = self.head(self.dropout(states.mean(dim=0)))
        return given


class ImageAndSeries(nn.Module):
    """ResNet18 for the image, an LSTM for the series, their outputs side by side in two layers.

    Parameters
    ----------
    image, series : InputSpec
    n_labels : int

    References
    ----------
    Oramas, Barbieri, Nieto, Serra: "Multimodal deep learning for music genre classification",
    TISMIR 1(1), 2018.
    """

    def __init__(self, image: InputSpec, series: InputSpec, n_labels: int) -> None:
        super().__init__()
        self.image = resnet18((image,), FUSED)
        self.series = SeriesLstm(series.bands, FUSED)
        self.head = nn.Sequential(
            nn.ReLU(), nn.Linear(2 * FUSED, FUSED), nn.ReLU(), nn.Dropout(DROPOUT),
            nn.Linear(FUSED, n_labels),
        )  # fmt: skip

    def forward(self, image: torch.Tensor, series: torch.Tensor) -> torch.Tensor:
        """Compute logits, shape (windows, labels)."""
        joined = torch.cat((self.image(image), self.series(series)), dim=1)
        logits: torch.Tensor = self.head(joined)
        return logits


def lstm(inputs: tuple[InputSpec, ...], n_labels: int) -> nn.Module:
    """Build an LSTM for one series."""
    return SeriesLstm(inputs[0].bands, n_labels)


def image_and_series(inputs: tuple[InputSpec, ...], n_labels: int) -> nn.Module:
    """Build the multimodal network.

    Raises
    ------
    ConfigError
        If the inputs are not an image and a series.
    """
    layouts = [spec.layout for spec in inputs]
    if layouts != ["channel_band_frame", "frame_band"]:
        raise ConfigError(f"inputs {layouts}: the multimodal network takes an image and a series")
    return ImageAndSeries(inputs[0], inputs[1], n_labels)
