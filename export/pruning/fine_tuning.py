"""Keras tuning: the one loop that fine-tunes a tf_keras network, whatever is wrapped around it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from genrekit.errors import ConfigError
from genrekit.train.inputs.minibatch import Batch
from genrekit.train.models.frameworks import import_keras

# Gives the training batches of an epoch (from 0), as many in every epoch.
Batches = Callable[[int], Iterable[Batch]]
# Gives accuracy and cross-entropy of a network on the validation tracks.
Judge = Callable[[Any], tuple[float, float]]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Tuning:
    """How a network is fine-tuned.

    Parameters
    ----------
    epochs : int
        At least 2.
    learning_rate : float
        Adam's, constant in the first half, down to zero along a cosine in the second.
    seed : int
        Of dropout.
    """

    epochs: int
    learning_rate: float
    seed: int

    def __post_init__(self) -> None:
        if self.epochs < 2:
            raise ConfigError(f"epochs={self.epochs}: must be at least 2")
        if not 0.0 < self.learning_rate <= 1.0:
            raise ConfigError(f"learning_rate={self.learning_rate}: must be above 0, at most 1")

    @property
    def settled(self) -> int:
        """The epoch from which on the network is judged: what was imposed on it is in force."""
        return self.epochs // 2


def fine_tune(
    network: Any,
    batches: Batches,
    judge: Judge,
    tuning: Tuning,
    *,
    strip: Callable[[Any], Any] = lambda network: network,
    callback: Any = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Any:
    """Fine-tune in place; return the best network that was seen.

    Parameters
    ----------
    network : tf_keras.Model
        Gives logits.
    batches : callable
    judge : callable
        Chooses the epoch.
    tuning : Tuning
    strip : callable, optional
        Takes the wrappers off a network; the result must not change with later training.
        Without it the weights of the best epoch are put back.
    callback : tf_keras.callbacks.Callback, optional
        Told of batches and epochs.
    on_progress : callable, optional
        Called with epochs done and in all.

    Returns
    -------
    What `strip` made of the best epoch.
    """
    keras = import_keras()
    optimizer = keras.optimizers.Adam(tuning.learning_rate, jit_compile=False)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=optimizer, loss=loss)
    if callback is not None:
        callback.set_model(network)
        callback.on_train_begin()
    best, best_score = None, (-1.0, 0.0)
    for epoch in range(tuning.epochs):
        rest = max(0, epoch - tuning.settled) / (tuning.epochs - tuning.settled)
        rate = tuning.learning_rate * 0.5 * (1.0 + np.cos(np.pi * rest))
        optimizer.learning_rate.assign(rate)
        for index, batch in enumerate(batches(epoch)):
            if callback is not None:
                callback.on_train_batch_begin(index)
            network.train_on_batch(batch.inputs[0], batch.targets)
        if callback is not None:
            callback.on_epoch_end(epoch)
        if epoch >= tuning.settled:
            stripped = strip(network)
            accuracy, cross_entropy = judge(stripped)
            if (accuracy, -cross_entropy) > best_score:
                best, best_score = (stripped, network.get_weights()), (accuracy, -cross_entropy)
        if on_progress:
            on_progress(epoch + 1, tuning.epochs)
    stripped, weights = best or (network, network.get_weights())
    if stripped is network:
        network.set_weights(weights)
    return stripped
