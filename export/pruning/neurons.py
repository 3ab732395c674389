"""Neurons: whole neurons leave a perceptron, which gets smaller and faster as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrekit.arrays import Float32
from genrekit.errors import ConfigError
from genrekit.train.models.frameworks import import_keras

Layer = tuple[Float32, Float32]  # weights, shape (inputs, neurons), and biases, shape (neurons,)
_ROUND_TO = 8  # neurons: what vector units work on at once


def layers_of(model: Any) -> list[Layer]:
    """Copy the weights and biases of a network's dense layers."""
    keras = import_keras()
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    return [(w.copy(), b.copy()) for w, b in (layer.get_weights() for layer in dense)]


def perceptron(layers: Sequence[Layer]) -> Any:
    """Build a network of dense layers, ReLU between them, under names that never change.

    Returns
    -------
    tf_keras.Sequential
        Without dropout.
    """
    keras = import_keras()
    network = keras.Sequential([keras.layers.Input((layers[0][0].shape[0],))], name="network")
    for index, (matrix, bias) in enumerate(layers):
        activation = "relu" if index < len(layers) - 1 else None
        name = f"layer_{index}"
        network.add(keras.layers.Dense(matrix.shape[1], activation=activation, name=name))
        network.layers[-1].set_weights([matrix, bias])
    return network


def remove_dead_neurons(model: Any) -> Any:
    """Rebuild a perceptron without the hidden neurons that compute nothing.

    A neuron whose incoming weights are all zero gives a constant, which moves into the next
    layer's biases; one whose outgoing weights are all zero is not heard. Taking one out can
    make others dead, so it goes on until none is left. The logits stay the same.

    Parameters
    ----------
    model : tf_keras.Sequential
        Dense layers, ReLU between them, and dropout.

    Returns
    -------
    tf_keras.Sequential
        Without dropout: it is for inference.
    """
    layers = layers_of(model)
    while True:
        alive = [_alive(layers, i) for i in range(len(layers) - 1)]
        if all(mask.all() for mask in alive):
            return perceptron(layers)
        for index, mask in enumerate(alive):
            _take_out(layers, index, mask)


def remove_weak_neurons(model: Any, share: float) -> Any:
    """Rebuild a perceptron without the weakest hidden neurons of each layer.

    A neuron is as strong as the product of the norms of what it takes and what it gives, which
    no rescaling between layers changes.

    Parameters
    ----------
    model : tf_keras.Sequential
    share : float
        Of each hidden layer's neurons, 0 <= share < 1; what is left is rounded up to whole
        vectors of eight.

    Returns
    -------
    tf_keras.Sequential
        To be fine-tuned: its logits have changed.
    """
    if not 0.0 <= share < 1.0:
        raise ConfigError(f"share={share}: must be at least 0 and below 1")
    layers = layers_of(model)
    for index in range(len(layers) - 1):
        (matrix, bias), (following, next_bias) = layers[index], layers[index + 1]
        strength = np.linalg.norm(matrix, axis=0) * np.linalg.norm(following, axis=1)
        width = len(strength)
        left = min(width, -(-round((1 - share) * width) // _ROUND_TO) * _ROUND_TO)
        kept = np.sort(np.argsort(-strength, kind="stable")[: max(1, left)])
        layers[index] = (matrix[:, kept], bias[kept])
        layers[index + 1] = (following[kept], next_bias)
    return perceptron(layers)


def _alive(layers: list[Layer], index: int) -> NDArray[np.bool_]:
    matrix, following = layers[index][0], layers[index + 1][0]
    mask = np.asarray(matrix.any(axis=0) & following.any(axis=1))
    if not mask.any():
        mask[0] = True  # a layer needs one neuron, even a dead one
    return mask


def _take_out(layers: list[Layer], index: int, mask: NDArray[np.bool_]) -> None:
    (matrix, bias), (following, next_bias) = layers[index], layers[index + 1]
    constant = np.where(matrix.any(axis=0), 0.0, np.maximum(bias, 0.0)).astype(np.float32)
    constant[mask] = 0.0
    layers[index] = (matrix[:, mask], bias[mask])
    layers[index + 1] = (following[mask], next_bias + constant @ following)
