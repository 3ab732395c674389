"""Perceptron: dense layers with dropout for a vector of features, in tf_keras."""

from __future__ import annotations

from typing import Any

from genrekit.artifact.sections import InputSpec

from ..frameworks import import_keras

LAYERS = (512, 256, 128, 64)
DROPOUT = 0.3


def mlp(inputs: tuple[InputSpec, ...], n_labels: int) -> Any:
    """Build the 57-512-256-128-64-genres perceptron with dropout."""
    keras = import_keras()
    layers: list[Any] = [keras.layers.Input(inputs[0].shape, name=inputs[0].name)]
    for width in LAYERS:
        layers.append(keras.layers.Dense(width, activation="relu"))
        layers.append(keras.layers.Dropout(DROPOUT))
    layers.append(keras.layers.Dense(n_labels))
    return keras.Sequential(layers)
