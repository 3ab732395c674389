"""Pruning: a dense tf_keras network to a sparse one, and to one without dead neurons."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrekit.runtime.arrays import Float32
from genrekit.runtime.errors import ConfigError
from genrekit.train.batch import Batch
from genrekit.train.keras_learner import import_keras


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PruningPlan:
    """How a network is pruned.

    Parameters
    ----------
    sparsity : float
        Share of each weight matrix that becomes zero, 0 < x < 1.
    epochs : int
        Of fine-tuning; sparsity rises along a cubic over the first half of them.
    learning_rate : float
        Adam's, constant in the first half, down to zero along a cosine in the second.
    seed : int
        Of dropout.
    """

    sparsity: float
    epochs: int
    learning_rate: float
    seed: int

    def __post_init__(self) -> None:
        if not 0.0 < self.sparsity < 1.0:
            raise ConfigError(f"sparsity={self.sparsity}: must be above 0 and below 1")
        if self.epochs < 2:
            raise ConfigError(f"epochs={self.epochs}: must be at least 2")
        if not 0.0 < self.learning_rate <= 1.0:
            raise ConfigError(f"learning_rate={self.learning_rate}: must be above 0, at most 1")


def prune(
    model: Any,
    batches: Callable[[int], Iterable[Batch]],
    judge: Callable[[Any], tuple[float, float]],
    plan: PruningPlan,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Any:
    """Prune weights by magnitude while fine-tuning.

    Parameters
    ----------
    model : tf_keras.Sequential
        Left as it is.
    batches : callable
        Gives the training batches of an epoch (from 0); as many in every epoch.
    judge : callable
        Gives accuracy and cross-entropy of a model on the validation tracks: the best epoch of
        full sparsity is kept.
    plan : PruningPlan
    on_progress : callable, optional
        Called with epochs done and in all.

    Returns
    -------
    tf_keras.Sequential
        Of the same layers, with zeros in place of small weights.

    References
    ----------
    Zhu and Gupta, "To prune, or not to prune: exploring the efficacy of pruning for model
    compression", 2017: the polynomial schedule.
    """
    keras, tfmot = import_keras(), import_tfmot()
    keras.utils.set_random_seed(plan.seed)
    steps = sum(1 for _ in batches(0))
    full = plan.epochs // 2  # epochs until the schedule ends
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=plan.sparsity,
        begin_step=0,
        end_step=max(1, full * steps - 1),
        frequency=max(1, full * steps // 20),
    )
    pruned = tfmot.sparsity.keras.prune_low_magnitude(_copy(model), pruning_schedule=schedule)
    optimizer = keras.optimizers.Adam(plan.learning_rate, jit_compile=False)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    pruned.compile(optimizer=optimizer, loss=loss)
    update = tfmot.sparsity.keras.UpdatePruningStep()
    best, best_score = None, (-1.0, 0.0)
    for epoch in range(plan.epochs):
        rest = max(0, epoch - full) / (plan.epochs - full)
        optimizer.learning_rate.assign(plan.learning_rate * 0.5 * (1.0 + np.cos(np.pi * rest)))
        _fit_epoch(pruned, batches(epoch), update)
        if epoch >= full:
            stripped = _copy(tfmot.sparsity.keras.strip_pruning(pruned))
            accuracy, cross_entropy = judge(stripped)
            if (accuracy, -cross_entropy) > best_score:
                best, best_score = stripped, (accuracy, -cross_entropy)
        if on_progress:
            on_progress(epoch + 1, plan.epochs)
    return best


def _fit_epoch(pruned: Any, batches: Iterable[Batch], update: Any) -> None:
    update.set_model(pruned)
    update.on_train_begin()
    for index, batch in enumerate(batches):
        update.on_train_batch_begin(index)
        pruned.train_on_batch(batch.inputs[0], batch.targets)
    update.on_epoch_end(0)


def _copy(model: Any) -> Any:
    copy = import_keras().models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def sparsity(model: Any) -> float:
    """Share of zeros in the weight matrices of a tf_keras model."""
    matrices = [w for w in model.get_weights() if w.ndim > 1]
    return float(sum((w == 0).sum() for w in matrices) / sum(w.size for w in matrices))


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
    keras = import_keras()
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    weights = [(w.copy(), b.copy()) for w, b in (layer.get_weights() for layer in dense)]
    while True:
        alive = [_alive(weights, i) for i in range(len(weights) - 1)]
        if all(mask.all() for mask in alive):
            break
        for index, mask in enumerate(alive):
            _take_out(weights, index, mask)
    small = keras.Sequential([keras.layers.Input(model.input_shape[1:])])
    for layer, (matrix, bias) in zip(dense, weights, strict=True):
        small.add(keras.layers.Dense(matrix.shape[1], activation=layer.activation))
        small.layers[-1].set_weights([matrix, bias])
    return small


def _alive(weights: list[tuple[Float32, Float32]], index: int) -> NDArray[np.bool_]:
    matrix, following = weights[index][0], weights[index + 1][0]
    mask = np.asarray(matrix.any(axis=0) & following.any(axis=1))
    if not mask.any():
        mask[0] = True  # a layer needs one neuron, even a dead one
    return mask


def _take_out(weights: list[tuple[Float32, Float32]], index: int, mask: NDArray[np.bool_]) -> None:
    (matrix, bias), (following, next_bias) = weights[index], weights[index + 1]
    constant = np.where(matrix.any(axis=0), 0.0, np.maximum(bias, 0.0)).astype(np.float32)
    constant[mask] = 0.0
    weights[index] = (matrix[:, mask], bias[mask])
    weights[index + 1] = (following[mask], next_bias + constant @ following)


def import_tfmot() -> Any:
    """Import tensorflow-model-optimization, which needs Keras 2 to be chosen first."""
    import_keras()
    with warnings.catch_warnings():
        # It compares versions with distutils, which setuptools deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        import tensorflow_model_optimization
    return tensorflow_model_optimization
