"""Students: the shapes that they promise, and no more parameters than they are meant to have."""

from __future__ import annotations

import pytest
import torch
import torchvision

from genrekit.errors import ConfigError
from genrekit.export.distillation.students import STUDENTS, SlimResNet, student
from genrekit.export.pruning.channels import count_parameters

from ..networks import IMAGE


@pytest.mark.parametrize("name", STUDENTS)
def test_every_student_gives_logits_and_is_small(name: str) -> None:
    network = student(name, IMAGE, 7).eval()
    assert network(torch.zeros(2, *IMAGE.shape)).shape == (2, 7)
    assert count_parameters(network) < 0.75e6


def test_at_full_width_it_is_torchvisions_resnet18() -> None:
    reference = torchvision.models.resnet18(num_classes=10)
    three_channels = 2 * 64 * 7 * 7  # of the first kernel, that one channel does not need
    slim = SlimResNet(10, width=64)
    assert count_parameters(slim) == count_parameters(reference) - three_channels


def test_an_unknown_student_is_refused() -> None:
    with pytest.raises(ConfigError, match="bands"):
        student("alexnet", IMAGE, 10)
