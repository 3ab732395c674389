"""Models: the registry of what `genrekit train` knows; a new model is one declaration here.

A declaration names a builder, what the model sees of a source by default, and hyperparameters
that do well on a few hundred tracks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from genrekit.artifact.sections import InputSpec
from genrekit.errors import ConfigError

from ..data.datasets import DataSource
from ..hyperparameters import Hyperparameters
from ..inputs.presets import image_and_series_of, image_of, segments_of, series_of, vector_of
from ..inputs.representation import Representation
from .classical.boosted_trees import boosted_trees
from .classical.linear_discriminant import discriminant, texture_discriminant
from .classical.nearest_neighbour import nearest_neighbour
from .classical.svm import svm
from .neural.band_cnn import small_cnn
from .neural.mlp import mlp
from .neural.recurrent import image_and_series, lstm
from .neural.segment_cnn import segment_cnn
from .neural.torchvision_nets import load_imagenet_resnet18, resnet18, vgg16

Framework = Literal["torch", "tf_keras"]
SUFFIX: dict[Framework, str] = {"torch": ".pt", "tf_keras": ".npz"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Architecture:
    """One entry of the registry.

    Parameters
    ----------
    name : str
        As given to `--model`.
    represent : callable
        Gives what the model sees of the tracks of a source.
    build : callable
        Makes the model for its inputs and a number of genres; weights are random, from the
        framework's global generator.
    hyperparameters : Hyperparameters
        Used where the command says nothing.
    framework : {"torch", "tf_keras"}
    initialise : callable or None
        Gives a new model the weights of another task.
    """

    name: str
    represent: Callable[[DataSource], Representation]
    build: Callable[[tuple[InputSpec, ...], int], Any]
    hyperparameters: Hyperparameters
    framework: Framework = "torch"
    initialise: Callable[[Any], None] | None = None


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


_IMAGE = Hyperparameters(
    epochs=12,
    batch_size=32,
    learning_rate=1.5e-3,
    weight_decay=0.05,
    label_smoothing=0.1,
    mixup=0.2,
    spec_augment=True,
    crops_per_track=2,
    patience=8,
)
_SERIES = Hyperparameters(
    epochs=30,
    batch_size=32,
    learning_rate=4e-3,
    weight_decay=0.01,
    label_smoothing=0.1,
    mixup=0.2,
    spec_augment=False,
    crops_per_track=1,
    patience=30,
)
_SOLVED = Hyperparameters(
    epochs=1,
    batch_size=256,
    learning_rate=1.0,
    weight_decay=0.0,
    label_smoothing=0.0,
    mixup=0.0,
    spec_augment=False,
    crops_per_track=0,
    patience=1,
)

ARCHITECTURES = {
    declared.name: declared
    for declared in (
        Architecture(
            name="resnet18",
            represent=image_of,
            build=resnet18,
            hyperparameters=dataclasses.replace(_IMAGE, epochs=20),
        ),
        Architecture(
            name="resnet18_imagenet",
            represent=image_of,
            build=resnet18,
            initialise=load_imagenet_resnet18,
            hyperparameters=dataclasses.replace(_IMAGE, learning_rate=5e-4),
        ),
        Architecture(
            name="vgg16",
            represent=image_of,
            build=vgg16,
            hyperparameters=dataclasses.replace(_IMAGE, learning_rate=5e-4),
        ),
        Architecture(
            name="vgg16_quarter",
            represent=image_of,
            build=partial(vgg16, width=0.25),
            hyperparameters=_IMAGE,
        ),
        Architecture(
            name="small_cnn",
            represent=image_of,
            build=small_cnn,
            hyperparameters=dataclasses.replace(
                _IMAGE, epochs=60, patience=60, learning_rate=4e-3, mixup=0.3, warp=True
            ),
        ),
        Architecture(
            name="segment_cnn",
            represent=segments_of,
            build=segment_cnn,
            hyperparameters=Hyperparameters(
                epochs=40,
                batch_size=16,
                learning_rate=4e-4,
                weight_decay=0.01,
                label_smoothing=0.0,
                mixup=0.0,
                spec_augment=False,
                crops_per_track=0,
                patience=40,
            ),
        ),
        Architecture(name="lstm", represent=series_of, build=lstm, hyperparameters=_SERIES),
        Architecture(
            name="image_and_series",
            represent=image_and_series_of,
            build=image_and_series,
            hyperparameters=_SERIES,
        ),
        Architecture(
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
        Architecture(
            name="discriminant", represent=vector_of, build=discriminant, hyperparameters=_SOLVED
        ),
        Architecture(
            name="texture_discriminant",
            represent=image_of,
            build=texture_discriminant,
            hyperparameters=_SOLVED,
        ),
        Architecture(name="svm", represent=vector_of, build=svm, hyperparameters=_SOLVED),
        Architecture(
            name="boosted_trees",
            represent=vector_of,
            build=boosted_trees,
            hyperparameters=_SOLVED,
        ),
        Architecture(
            name="nearest_neighbour",
            represent=vector_of,
            build=nearest_neighbour,
            hyperparameters=_SOLVED,
        ),
    )
}
