"""Fit: the one training loop, for every model.

Each epoch's random choices follow from the run's seed and the epoch's number alone. So a run
that was killed and started again ends with the same weights as one that was not.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from genrekit.errors import DataError
from genrekit.files import read_bounded, write_whole
from genrekit.strict_json import canonical_json, decode, parse_json

from ..evaluation.track_evaluation import judge, validation_result
from ..hyperparameters import Hyperparameters
from ..inputs.windows import WindowedDataset
from .learner import Learner

MAX_CHECKPOINT_BYTES = 1 << 31
WARM_UP = 0.2  # of all steps


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EpochResult:
    """One row of the history.

    Parameters
    ----------
    epoch : int
        From 1.
    train_loss : float
        Mean cross-entropy of the augmented training windows, in nats.
    valid_loss, valid_accuracy : float
        Of the validation tracks, windows averaged.
    seconds : float
        This epoch's, validation included.
    """

    epoch: int
    train_loss: float
    valid_loss: float
    valid_accuracy: float
    seconds: float

    @property
    def rank(self) -> tuple[float, float]:
        """What is compared to choose the best epoch: more tracks right, then a smaller loss."""
        return self.valid_accuracy, -self.valid_loss


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """Epochs so far."""

    epochs: tuple[EpochResult, ...] = ()

    @property
    def best_epoch(self) -> int:
        """The first epoch that no other beats; 0 before any."""
        best = max(self.epochs, key=lambda row: row.rank, default=None)
        return best.epoch if best else 0

    def stopped(self, hyperparameters: Hyperparameters) -> bool:
        """Whether training is over: all epochs done, or none better for `patience` epochs."""
        done = len(self.epochs)
        return (
            done >= hyperparameters.epochs or done - self.best_epoch >= hyperparameters.patience > 0
        ) and done > 0


def fit(
    learner: Learner,
    windowed: WindowedDataset,
    train: Sequence[str],
    valid: Sequence[str],
    hyperparameters: Hyperparameters,
    *,
    seed: int,
    checkpoint: Path,
    best: Path,
    on_step: Callable[[int, int, History], None] | None = None,
) -> History:
    """Train until the epochs are done or the validation tracks stop gaining.

    Parameters
    ----------
    learner : Learner
        Fresh; it ends with the weights of the best epoch.
    windowed : WindowedDataset
        Features of the tracks named in `train` and `valid`.
    train, valid : sequence of str
        Track names.
    hyperparameters : Hyperparameters
    seed : int
    checkpoint, best : Path
        Files written after each epoch; an existing checkpoint is taken up.
    on_step : callable, optional
        Called with steps done, steps in all, and the history.

    Returns
    -------
    History

    Raises
    ------
    DataError
        If the loss is no longer finite.
    """
    history = History()
    if checkpoint.is_file():
        note = learner.resume(read_bounded(checkpoint, MAX_CHECKPOINT_BYTES))
        history = decode(History, parse_json(note, str(checkpoint)), str(checkpoint))
    steps = windowed.steps(train, hyperparameters)
    total = steps * hyperparameters.epochs
    while not history.stopped(hyperparameters):
        epoch = len(history.epochs)
        started = time.perf_counter()
        learner.begin_epoch(_epoch_seed(seed, epoch))
        losses = []
        for step, batch in enumerate(windowed.batches(train, hyperparameters, (seed, epoch))):
            done = epoch * steps + step
            rate = hyperparameters.learning_rate * one_cycle((done + 0.5) / total)
            losses.append(learner.step(batch, rate))
            if on_step:
                on_step(done + 1, total, history)
        if not math.isfinite(sum(losses)):
            raise DataError(
                f"epoch {epoch + 1}: the loss is no longer finite; use a smaller --lr than "
                f"{hyperparameters.learning_rate}"
            )
        accuracy, loss = validation_result(
            judge(learner.logits, windowed, valid, every=2), windowed
        )
        row = EpochResult(
            epoch=epoch + 1,
            train_loss=float(np.mean(losses)),
            valid_loss=loss,
            valid_accuracy=accuracy,
            seconds=time.perf_counter() - started,
        )
        history = History(epochs=(*history.epochs, row))
        # The weights first: killed between the two, the epoch is repeated and writes the same.
        if history.best_epoch == row.epoch:
            write_whole(best, learner.weights())
        write_whole(checkpoint, learner.checkpoint(canonical_json(history)))
    learner.load_weights(read_bounded(best, MAX_CHECKPOINT_BYTES))
    return history


def one_cycle(progress: float) -> float:
    """Return the learning rate as a share of its peak.

    Parameters
    ----------
    progress : float
        Share of all steps done, 0..1.

    References
    ----------
    Smith, Topin: "Super-convergence: very fast training of neural networks using large
    learning rates", 2018; with cosine slopes.
    """
    if progress < WARM_UP:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * progress / WARM_UP)) / 2
    return (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


def _epoch_seed(seed: int, epoch: int) -> int:
    """Mix seed and epoch into one number that every framework takes."""
    return int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0] >> 1)
