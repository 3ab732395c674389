"""Evaluate: what a model says of whole tracks, as the device would say it.

A track's probabilities are the mean over its windows; its label is the most probable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from genrekit.arrays import Float32
from genrekit.classify.prediction import softmax

from ..inputs.windows import WindowedDataset
from .metrics import score
from .results import Evaluation, TrackResult

# Logits, shape (windows, labels), of one array per input, each of shape (windows, ...).
Logits = Callable[[tuple[Float32, ...]], Float32]

TRACKS_AT_ONCE = 16  # songs have many windows, pictures one: few large batches are quicker


def judge(
    model: Logits, windowed: WindowedDataset, track_ids: Sequence[str], *, every: int = 1
) -> tuple[TrackResult, ...]:
    """Classify tracks.

    Parameters
    ----------
    model : callable
    windowed : WindowedDataset
        Has the features of the tracks.
    track_ids : sequence of str
    every : int
        Use only every so many-th window: quicker, for a look in between.
    """
    results = []
    for start in range(0, len(track_ids), TRACKS_AT_ONCE):
        names = track_ids[start : start + TRACKS_AT_ONCE]
        windows = [windowed.windows(name, every) for name in names]
        logits = model(tuple(np.concatenate(part) for part in zip(*windows, strict=True)))
        ends = np.cumsum([len(inputs[0]) for inputs in windows])
        for name, own in zip(names, np.split(logits, ends[:-1]), strict=True):
            results.append(_result(name, own, windowed))
    return tuple(results)


def _result(track_id: str, logits: Float32, windowed: WindowedDataset) -> TrackResult:
    probabilities = softmax(logits).mean(axis=0)
    return TrackResult(
        id=track_id,
        label=windowed.labels[windowed.targets[track_id]],
        predicted=windowed.labels[int(probabilities.argmax())],
        windows=len(logits),
        probabilities=tuple(float(p) for p in probabilities),
        logits=tuple(float(value) for value in logits.mean(axis=0, dtype=np.float64)),
    )


def validation_result(
    results: Sequence[TrackResult], windowed: WindowedDataset
) -> tuple[float, float]:
    """Return the accuracy and the mean cross-entropy (in nats) of track probabilities."""
    right = [result.predicted == result.label for result in results]
    shares = [result.probabilities[windowed.targets[result.id]] for result in results]
    return float(np.mean(right)), float(-np.log(np.maximum(shares, 1e-12)).mean())


def evaluation(results: Sequence[TrackResult], labels: tuple[str, ...]) -> Evaluation:
    """Score classified tracks."""
    truth = [labels.index(result.label) for result in results]
    said = [labels.index(result.predicted) for result in results]
    return Evaluation(scores=score(truth, said, labels), tracks=tuple(results))
