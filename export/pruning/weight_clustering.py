"""Clustering: a tf_keras network whose weights share a few values, learned in place."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from genrekit.errors import ConfigError
from genrekit.train.models.frameworks import import_keras

from .fine_tuning import Batches, Judge, Tuning, fine_tune
from .magnitude import import_tfmot
from .neurons import layers_of, perceptron


def cluster(
    model: Any,
    n_values: int,
    batches: Batches,
    judge: Judge,
    tuning: Tuning,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Any:
    """Let each matrix keep at most a few different weights; those that are zero stay so.

    Parameters
    ----------
    model : tf_keras.Sequential
        Dense layers; left as it is.
    n_values : int
        Different weights of each matrix besides zero, 2..256.
    batches : callable
    judge : callable
    tuning : Tuning
    on_progress : callable, optional

    Returns
    -------
    tf_keras.Sequential

    References
    ----------
    Han, Mao, Dally, "Deep Compression", ICLR 2016: trained weight sharing. The starting values
    are spread evenly over the range, which the paper found best.
    """
    if not 2 <= n_values <= 256:
        raise ConfigError(f"n_values={n_values}: must be 2..256")
    keras, tfmot = import_keras(), import_tfmot()
    keras.utils.set_random_seed(tuning.seed)
    # Keeping zeros is to be had from the experimental module alone.
    experimental = importlib.import_module(
        "tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster"
    )
    clustering = tfmot.clustering.keras

    def wrapped() -> Any:
        return experimental.cluster_weights(
            perceptron(layers_of(model)),
            number_of_clusters=n_values,
            cluster_centroids_init=clustering.CentroidInitialization.LINEAR,
            preserve_sparsity=True,
        )

    def strip(network: Any) -> Any:
        # Stripping takes a network's layers: not those of the one that learns on.
        twin = wrapped()
        twin.set_weights(network.get_weights())
        return perceptron(layers_of(clustering.strip_clustering(twin)))

    return fine_tune(wrapped(), batches, judge, tuning, strip=strip, on_progress=on_progress)
