"""Networks: shapes, and what the small network can and cannot tell apart."""

from __future__ import annotations

import pytest
import torch

from genrekit.errors import ConfigError
from genrekit.train.models.neural.band_cnn import BandResNet


@pytest.mark.parametrize(("bands", "frames"), [(96, 57), (64, 130), (128, 128), (16, 16)])
def test_logits_of_every_usual_image(bands: int, frames: int) -> None:
    model = BandResNet(bands, frames, 7).eval()
    assert model(torch.zeros(3, 1, bands, frames)).shape == (3, 7)


def test_it_hears_where_in_frequency_but_hardly_when() -> None:
    torch.manual_seed(0)
    model = BandResNet(96, 64, 10).eval()
    early, late, high = (torch.zeros(1, 1, 96, 64) for _ in range(3))
    early[..., 40:44, 16:20] = 5.0
    late[..., 40:44, 32:36] = 5.0  # by a multiple of the network's stride
    high[..., 72:76, 16:20] = 5.0  # into another region
    with torch.no_grad():
        first, moved, raised = model(early), model(late), model(high)
    assert (first - moved).abs().max() < 0.02 * (first - raised).abs().max()


def test_an_image_too_small_for_its_strides_is_refused() -> None:
    with pytest.raises(ConfigError, match="15 frames"):
        BandResNet(96, 15, 10)
