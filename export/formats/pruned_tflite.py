"""Perceptron: the pruning of a run's tf_keras network, on its own training tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from genrekit.train.inputs.minibatch import Batch
from genrekit.train.runs.run import Run

from ..pruning.fine_tuning import Tuning
from ..pruning.magnitude import PruningPlan, prune
from ..writing.comparison import keras_logits, track_scores
from .tflite import Candidate, TfliteModel, candidates, smallest

MAX_LOSS = 0.01  # of validation accuracy, from the pruned network to its stored form
_EPOCHS = 20  # 40 gave the same accuracy on Kaggle's table
_LEARNING_RATE = 1e-3
# Batches of pruning must not repeat those of training, which count epochs from 0.
_FIRST_EPOCH = 1 << 20


def prune_run(
    run: Run, model: Any, sparsity: float, show: Callable[[str, int, int], None]
) -> Candidate:
    """Prune and fine-tune on the training tracks, choose on the validation tracks.

    Parameters
    ----------
    run : Run
    model : tf_keras.Sequential
        The run's; left as it is.
    sparsity : float
        Share of the weights that becomes zero.
    show : callable
        Called with a title, epochs done and in all.

    Returns
    -------
    Candidate
        The smallest file that LiteRT runs as installed and that keeps the pruned network's
        accuracy on the validation tracks.
    """
    settings = run.settings
    train, valid = run.windowed(run.tracks("train")), run.windowed(run.tracks("valid"))
    train_ids, valid_ids = list(train.features), list(valid.features)

    def batches(epoch: int) -> Iterator[Batch]:
        seed = (settings.seed, _FIRST_EPOCH + epoch)
        return train.batches(train_ids, settings.hyperparameters, seed)

    tuning = Tuning(epochs=_EPOCHS, learning_rate=_LEARNING_RATE, seed=settings.seed)
    pruned = prune(
        model,
        batches,
        lambda candidate: track_scores(keras_logits(candidate), valid, valid_ids),
        PruningPlan(sparsity=sparsity, tuning=tuning),
        on_progress=lambda done, total: show("pruning", done, total),
    )
    accuracy, _ = track_scores(keras_logits(pruned), valid, valid_ids)

    def judge(stored: TfliteModel) -> str | None:
        found, _ = track_scores(stored, valid, valid_ids)
        if found >= accuracy - MAX_LOSS:
            return None
        return f"validation accuracy falls from {accuracy:.1%} to {found:.1%}"

    return smallest(candidates(pruned, judge))
