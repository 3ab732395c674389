"""Models: the architectures that `genrekit train` knows, with sensible settings for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from genrekit.runtime.card import InputSpec
from genrekit.runtime.errors import ConfigError, DependencyError

from .dataset import DataSource
from .representation import (
    Representation,
    feature_vector,
    log_mel_image,
    mel_of_db_image,
    picture,
)

if TYPE_CHECKING:
    import torch

Framework = Literal["torch", "tf_keras"]
SUFFIX: dict[Framework, str] = {"torch": ".pt", "tf_keras": ".npz"}

MLP_LAYERS = (512, 256, 128, 64)
MLP_DROPOUT = 0.3


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Hyperparameters:
    """How a model is fitted.

    Parameters
    ----------
    epochs : int
        At most; one epoch sees every training track `crops_per_track` times.
    batch_size : int
        Windows per step.
    learning_rate : float
        Peak of the one-cycle schedule.
    weight_decay : float
        AdamW's, decoupled.
    label_smoothing : float
        Share of each target spread evenly over all genres, 0 <= x < 1.
    mixup : float
        Both parameters of the Beta distribution that mixes pairs of windows; 0 is off.
    warp : bool
        Stretch, shift and equalise every training window at random.
    spec_augment : bool
        Blank a random stripe of bands and one of frames in every training window.
    crops_per_track : int
        Random windows per track and epoch.
    patience : int
        Epochs without a better validation result before training stops.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    mixup: float
    warp: bool = False
    spec_augment: bool
    crops_per_track: int
    patience: int

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "crops_per_track", "patience"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)}: must be at least 1")
        if not 0.0 < self.learning_rate <= 1.0:
            raise ConfigError(f"learning_rate={self.learning_rate}: must be above 0, at most 1")
        if not 0.0 <= self.label_smoothing < 1.0:
            raise ConfigError(f"label_smoothing={self.label_smoothing}: must be in 0..1")
        if self.weight_decay < 0.0 or self.mixup < 0.0:
            raise ConfigError("weight_decay and mixup must not be negative")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Architecture:
    """One entry of the registry.

    Parameters
    ----------
    name : str
        As given to `--model`.
    framework : {"torch", "tf_keras"}
    represent : callable
        Gives what the model sees of the tracks of a source.
    build : callable
        Makes the model for its inputs and a number of genres; weights are random, from the
        framework's global generator.
    hyperparameters : Hyperparameters
        Used where the command says nothing.
    """

    name: str
    framework: Framework
    represent: Callable[[DataSource], Representation]
    build: Callable[[tuple[InputSpec, ...], int], Any]
    hyperparameters: Hyperparameters


def architecture(name: str) -> Architecture:
    """Look up a model.

    Raises
    ------
    ConfigError
        Naming those that there are.
    """
    if name not in ARCHITECTURES:
        raise ConfigError(f"model {name!r:.40}: must be one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def image_of(source: DataSource) -> Representation:
    """Choose the image that can be made of a source.

    Raises
    ------
    ConfigError
        For a table: it holds no time and no frequency.
    """
    if source.kind == "features":
        raise ConfigError("an image model cannot learn from a feature table; use --model mlp")
    if source.kind == "audio":
        return log_mel_image()
    return mel_of_db_image() if source.image_recipe == "stft_5s" else picture()


def vector_of(source: DataSource) -> Representation:
    """Choose the 57 features, from songs or from a table.

    Raises
    ------
    ConfigError
        For pictures.
    """
    if source.kind == "images":
        raise ConfigError("the 57 features cannot be computed from pictures; use --model resnet18")
    # The table describes whole tracks, and its model must be given the same.
    return feature_vector(window_s=3.0 if source.kind == "audio" else 30.0)


def resnet18(inputs: tuple[InputSpec, ...], n_labels: int) -> torch.nn.Module:
    """Build torchvision's ResNet18 for one channel.

    References
    ----------
    He, Zhang, Ren, Sun: "Deep residual learning for image recognition", CVPR 2016.
    """
    import torch

    try:
        import torchvision
    except RuntimeError as error:  # "operator torchvision::nms does not exist"
        raise DependencyError(
            "torchvision was built for another torch; install both from one index: "
            "pip install --force-reinstall torch torchvision"
        ) from error
    model: torch.nn.Module = torchvision.models.resnet18(weights=None, num_classes=n_labels)
    (channels, _, _) = inputs[0].shape
    model.conv1 = torch.nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
    torch.nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    return model


def small_cnn(inputs: tuple[InputSpec, ...], n_labels: int) -> torch.nn.Module:
    """Build a residual network of 0.2 M parameters that keeps frequency regions apart."""
    from .networks import BandResNet

    _, bands, frames = inputs[0].shape
    return BandResNet(bands, frames, n_labels)


def mlp(inputs: tuple[InputSpec, ...], n_labels: int) -> Any:
    """Build the 57-512-256-128-64-genres perceptron with dropout, in tf_keras."""
    from .keras_learner import import_keras

    keras = import_keras()
    layers: list[Any] = [keras.layers.Input(inputs[0].shape, name=inputs[0].name)]
    for width in MLP_LAYERS:
        layers.append(keras.layers.Dense(width, activation="relu"))
        layers.append(keras.layers.Dropout(MLP_DROPOUT))
    layers.append(keras.layers.Dense(n_labels))
    return keras.Sequential(layers)


ARCHITECTURES = {
    "resnet18": Architecture(
        name="resnet18",
        framework="torch",
        represent=image_of,
        build=resnet18,
        hyperparameters=Hyperparameters(
            epochs=12,
            batch_size=32,
            learning_rate=1.5e-3,
            weight_decay=0.05,
            label_smoothing=0.1,
            mixup=0.2,
            spec_augment=True,
            crops_per_track=2,
            patience=8,
        ),
    ),
    "small_cnn": Architecture(
        name="small_cnn",
        framework="torch",
        represent=image_of,
        build=small_cnn,
        hyperparameters=Hyperparameters(
            epochs=60,
            batch_size=32,
            learning_rate=4e-3,
            weight_decay=0.05,
            label_smoothing=0.1,
            mixup=0.3,
            warp=True,
            spec_augment=True,
            crops_per_track=2,
            patience=60,
        ),
    ),
    "mlp": Architecture(
        name="mlp",
        framework="tf_keras",
        represent=vector_of,
        build=mlp,
        hyperparameters=Hyperparameters(
            epochs=60,
            batch_size=64,
            learning_rate=2e-3,
            weight_decay=0.01,
            label_smoothing=0.1,
            mixup=0.2,
            spec_augment=False,
            crops_per_track=8,
            patience=20,
        ),
    ),
}
