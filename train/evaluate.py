"""Evaluate: what a model says of whole tracks, as the device would say it.

A track's probabilities are the mean over its windows; its label is the most probable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from genrekit.runtime.prediction import softmax

from .documents import Evaluation, TrackResult
from .material import Material
from .metrics import score

if TYPE_CHECKING:
    from .learner import Learner


def judge(
    learner: Learner, material: Material, track_ids: Sequence[str], *, every: int = 1
) -> tuple[TrackResult, ...]:
    """Classify tracks.

    Parameters
    ----------
    learner : Learner
    material : Material
        Has the features of the tracks.
    track_ids : sequence of str
    every : int
        Use only every so many-th window: quicker, for a look in between.
    """
    results = []
    for track_id in track_ids:
        logits = learner.logits(material.windows(track_id, every))
        probabilities = softmax(logits).mean(axis=0)
        results.append(
            TrackResult(
                id=track_id,
                label=material.labels[material.targets[track_id]],
                predicted=material.labels[int(probabilities.argmax())],
                windows=len(logits),
                probabilities=tuple(float(p) for p in probabilities),
                logits=tuple(float(value) for value in logits.mean(axis=0, dtype=np.float64)),
            )
        )
    return tuple(results)


def validation_result(results: Sequence[TrackResult], material: Material) -> tuple[float, float]:
    """Return the accuracy and the mean cross-entropy (in nats) of track probabilities."""
    right = [result.predicted == result.label for result in results]
    shares = [result.probabilities[material.targets[result.id]] for result in results]
    return float(np.mean(right)), float(-np.log(np.maximum(shares, 1e-12)).mean())


def evaluation(results: Sequence[TrackResult], labels: tuple[str, ...]) -> Evaluation:
    """Score classified tracks."""
    truth = [labels.index(result.label) for result in results]
    said = [labels.index(result.predicted) for result in results]
    return Evaluation(scores=score(truth, said, labels), tracks=tuple(results))
