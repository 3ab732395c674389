"""Vision: torchvision's image networks for one channel, with random or with ImageNet's weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from genrekit.artifact.sections import InputSpec
from genrekit.errors import ConfigError, DependencyError

from ..frameworks import import_torchvision

# torchvision's configuration "D": channels of each convolution, "M" for max-pooling.
_VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", *(512, 512, 512, "M") * 2)
_VGG_POOLED = 2  # rows and columns that the classifier sees; torchvision's 7 is for 224 pixels
_VGG_HIDDEN = 1_024


def resnet18(inputs: tuple[InputSpec, ...], n_labels: int) -> nn.Module:
    """Build torchvision's ResNet18 for one channel.

    References
    ----------
    He, Zhang, Ren, Sun: "Deep residual learning for image recognition", CVPR 2016.
    """
    model: nn.Module = import_torchvision().models.resnet18(weights=None, num_classes=n_labels)
    (channels, _, _) = inputs[0].shape
    model.conv1 = nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    return model


def vgg16(inputs: tuple[InputSpec, ...], n_labels: int, *, width: float = 1.0) -> nn.Module:
    """Build torchvision's VGG-16 with batch normalisation for one channel.

    Parameters
    ----------
    inputs : tuple of InputSpec
        One image, at least 32 pixels per side.
    n_labels : int
    width : float
        Share of the channels of every layer.

    References
    ----------
    Simonyan, Zisserman: "Very deep convolutional networks for large-scale image recognition",
    ICLR 2015. Bahuleyan: "Music genre classification using machine learning techniques", 2018.
    """
    (channels, rows, columns) = inputs[0].shape
    if min(rows, columns) < 32:
        raise ConfigError(f"images of {rows} x {columns}: VGG-16 halves 5 times, 32 are needed")
    plan = [layer if isinstance(layer, str) else max(1, round(width * layer)) for layer in _VGG16]
    vision = import_torchvision().models.vgg
    features = vision.make_layers(plan, batch_norm=True)
    features[0] = nn.Conv2d(channels, features[0].out_channels, 3, padding=1)
    model: nn.Module = vision.VGG(features, num_classes=n_labels, init_weights=True)
    hidden = max(n_labels, round(width * _VGG_HIDDEN))
    model.avgpool = nn.AdaptiveAvgPool2d(_VGG_POOLED)
    model.classifier = nn.Sequential(
        nn.Linear(int(plan[-2]) * _VGG_POOLED**2, hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(hidden, n_labels),
    )
    return model


def load_imagenet_resnet18(model: nn.Module) -> None:
    """Give a ResNet18 of one channel torchvision's ImageNet weights, all but the last layer's.

    The three colours' first kernels are summed: a grey picture gives what it gave in colour.

    Raises
    ------
    DependencyError
        If the weights are not on disk and cannot be fetched.
    """
    vision = import_torchvision()
    weights = vision.models.ResNet18_Weights.IMAGENET1K_V1
    try:
        state: dict[str, Any] = weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise DependencyError(
            f"torchvision's ImageNet weights cannot be had here ({error}); train without "
            f"--pretrained, or put {weights.url} into {torch.hub.get_dir()}/checkpoints"
        ) from error
    state["conv1.weight"] = state["conv1.weight"].sum(dim=1, keepdim=True)
    kept = {name: value for name, value in state.items() if not name.startswith("fc.")}
    model.load_state_dict(kept, strict=False)
