"""Pruning: a dense tf_keras network to a sparse one, by tensorflow-model-optimization."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any, Literal

from genrekit.errors import ConfigError
from genrekit.train.models.frameworks import import_keras

from .fine_tuning import Batches, Judge, Tuning, fine_tune

Pattern = Literal["single", "1x4", "2:4"]
Schedule = Literal["polynomial", "constant"]
PATTERNS: dict[Pattern, dict[str, Any]] = {
    "single": {},
    "1x4": {"block_size": (1, 4), "block_pooling_type": "AVG"},
    "2:4": {"sparsity_m_by_n": (2, 4)},
}
SPARSITY_2_OF_4 = 0.5
_UPDATES = 20  # of the mask, until the schedule ends


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PruningPlan:
    """How a network is pruned.

    Parameters
    ----------
    sparsity : float
        Share of each weight matrix that becomes zero, 0 < x < 1; 0.5 with "2:4".
    tuning : Tuning
        Sparsity is complete after the first half of its epochs.
    pattern : {"single", "1x4", "2:4"}
        Weights one by one, in blocks of four neighbours, or two of each four.
    schedule : {"polynomial", "constant"}
        Sparsity rises along a cubic, or is complete from the first step.
    """

    sparsity: float
    tuning: Tuning
    pattern: Pattern = "single"
    schedule: Schedule = "polynomial"

    def __post_init__(self) -> None:
        if not 0.0 < self.sparsity < 1.0:
            raise ConfigError(f"sparsity={self.sparsity}: must be above 0 and below 1")
        if self.pattern == "2:4" and self.sparsity != SPARSITY_2_OF_4:
            raise ConfigError(f"sparsity={self.sparsity}: two of four are {SPARSITY_2_OF_4}")


def prune(
    model: Any,
    batches: Batches,
    judge: Judge,
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
    judge : callable
        The best epoch of full sparsity is kept.
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
    compression", 2017: the polynomial schedule. Mishra et al., "Accelerating sparse deep neural
    networks", 2021: two of four.
    """
    keras, tfmot = import_keras(), import_tfmot()
    keras.utils.set_random_seed(plan.tuning.seed)
    last = max(1, plan.tuning.settled * sum(1 for _ in batches(0)) - 1)
    when = {"begin_step": 0, "end_step": last, "frequency": max(1, last // _UPDATES)}
    pruning = tfmot.sparsity.keras
    if plan.schedule == "constant":
        schedule = pruning.ConstantSparsity(plan.sparsity, **when)
    else:
        schedule = pruning.PolynomialDecay(
            initial_sparsity=0.0, final_sparsity=plan.sparsity, **when
        )
    return fine_tune(
        pruning.prune_low_magnitude(
            copy_of(model), pruning_schedule=schedule, **PATTERNS[plan.pattern]
        ),
        batches,
        judge,
        plan.tuning,
        strip=lambda network: copy_of(pruning.strip_pruning(network)),
        callback=pruning.UpdatePruningStep(),
        on_progress=on_progress,
    )


def copy_of(model: Any) -> Any:
    """Copy a tf_keras model with its weights."""
    copy = import_keras().models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def sparsity(model: Any) -> float:
    """Share of zeros in the weight matrices of a tf_keras model."""
    matrices = [w for w in model.get_weights() if w.ndim > 1]
    return float(sum((w == 0).sum() for w in matrices) / sum(w.size for w in matrices))


def import_tfmot() -> Any:
    """Import tensorflow-model-optimization, which needs Keras 2 to be chosen first."""
    import_keras()
    with warnings.catch_warnings():
        # It compares versions with distutils, which setuptools deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        import tensorflow_model_optimization
    return tensorflow_model_optimization
