"""Channel pruning: narrower networks that still fit together, least important channels first."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from genrekit.errors import ConfigError
from genrekit.export.pruning.channels import (
    count_macs,
    count_parameters,
    prune_channels,
    sensitivity,
)
from genrekit.train.models.neural.band_cnn import BandResNet

from ..networks import IMAGE, NarrowResNet

PICTURE = dataclasses.replace(IMAGE, shape=(1, 96, 57))


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_residual_network_shrinks_and_still_runs(rounds: int) -> None:
    torch.manual_seed(0)
    model = BandResNet(96, 57, 10)
    small = prune_channels(model, PICTURE, 0.5, rounds=rounds)
    assert small(torch.zeros(2, *PICTURE.shape)).shape == (2, 10)
    assert count_parameters(small) < 0.5 * count_parameters(model)
    assert count_macs(small, PICTURE) < 0.6 * count_macs(model, PICTURE)
    assert count_parameters(model) == 178_378


def test_channels_that_weigh_nothing_go_first_and_change_nothing() -> None:
    torch.manual_seed(0)
    model = NarrowResNet()
    with torch.no_grad():  # inner channels 0..3 of the first block: nothing in, nothing out
        model.block1.conv1.weight[:4] = 0.0
        model.block1.bn1.weight[:4] = 0.0
        model.block1.bn1.bias[:4] = 0.0
        model.block1.conv2.weight[:, :4] = 0.0
    small = prune_channels(model, IMAGE, 4 / 112)  # of all channels that can go
    assert small.block1.conv1.out_channels == 12  # type: ignore[union-attr]  # a module of torch
    images = torch.randn(4, *IMAGE.shape)
    with torch.no_grad():
        torch.testing.assert_close(small(images), model(images), rtol=1e-4, atol=1e-5)


def test_fine_tuning_follows_every_round() -> None:
    widths = []

    def remember(network: torch.nn.Module, index: int) -> torch.nn.Module:
        widths.append((index, count_parameters(network)))
        return network

    prune_channels(NarrowResNet(), IMAGE, 0.5, rounds=3, fine_tune=remember)
    assert [index for index, _ in widths] == [0, 1, 2]
    assert widths[0][1] > widths[1][1] > widths[2][1]


def test_sensitivity_names_every_convolution() -> None:
    model = NarrowResNet()
    found = sensitivity(model, IMAGE, lambda network: float(count_parameters(network)))
    assert [item.layer for item in found][:2] == ["stem", "block1.conv1"]
    assert len(found) == NarrowResNet.convolutions
    assert all(item.score < count_parameters(model) for item in found)


def test_macs_of_a_known_network() -> None:
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.Flatten(), torch.nn.Linear(4 * 32 * 65, 10)
    )
    assert count_macs(model, IMAGE) == 32 * 65 * 4 * 9 + 4 * 32 * 65 * 10


def test_a_share_of_all_channels_is_refused() -> None:
    with pytest.raises(ConfigError, match="share=1"):
        prune_channels(NarrowResNet(), IMAGE, 1.0)
