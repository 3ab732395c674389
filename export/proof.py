"""Proof: what compression changed, measured on the same real tracks before and after."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from genrekit.runtime.arrays import Float32, Float64
from genrekit.runtime.errors import DataError
from genrekit.runtime.prediction import softmax
from genrekit.train.material import Material
from genrekit.train.metrics import PairedComparison, Share, compare, score, share

# Logits, shape (windows, labels), of one array per input, each of shape (windows, ...).
Logits = Callable[[tuple[Float32, ...]], Float32]
_WINDOWS_AT_ONCE = 64


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """Two models on the same tracks.

    Parameters
    ----------
    tracks : PairedComparison
        Labels per track: accuracy before and after, difference with interval, agreement.
    before, after : Share
        Accuracy per track with its own interval.
    windows : Share
        Windows to which both gave the same label.
    logit_difference : float
        Largest absolute difference between two logits.
    logit_rms : float
        Root of the mean squared difference.
    """

    tracks: PairedComparison
    before: Share
    after: Share
    windows: Share
    logit_difference: float
    logit_rms: float


def prove(
    before: Logits,
    after: Logits,
    material: Material,
    track_ids: Sequence[str],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Proof:
    """Run two models over tracks, window by window, and compare.

    Parameters
    ----------
    before, after : callable
        From model input to logits.
    material : Material
        Has the features of the tracks.
    track_ids : sequence of str
    on_progress : callable, optional
        Called with tracks done and in all.

    Raises
    ------
    DataError
        If there is no track, or a model gives a logit that is not finite.
    """
    if not track_ids:
        raise DataError("no track to compare the models on")
    truth, said_before, said_after = [], [], []
    same = windows = 0
    differences: list[Float64] = []
    for done, track_id in enumerate(track_ids, start=1):
        inputs = material.windows(track_id)
        old, new = _finite(before(inputs), "before"), _finite(after(inputs), "after")
        truth.append(material.targets[track_id])
        said_before.append(track_label(old))
        said_after.append(track_label(new))
        same += int((old.argmax(axis=1) == new.argmax(axis=1)).sum())
        windows += len(old)
        differences.append((new - old).ravel())
        if on_progress:
            on_progress(done, len(track_ids))
    difference = np.abs(np.concatenate(differences))
    return Proof(
        tracks=compare(truth, said_before, said_after),
        before=score(truth, said_before, material.labels).accuracy,
        after=score(truth, said_after, material.labels).accuracy,
        windows=share(same, windows),
        logit_difference=float(difference.max()),
        logit_rms=float(np.sqrt((difference**2).mean())),
    )


def track_label(logits: Float64) -> int:
    """Label a track as the device does: by the mean probability of its windows."""
    return int(softmax(logits).mean(axis=0).argmax())


def track_scores(
    model: Logits, material: Material, track_ids: Sequence[str]
) -> tuple[float, float]:
    """Return accuracy and mean cross-entropy (in nats) over tracks."""
    right, losses = [], []
    for track_id in track_ids:
        target = material.targets[track_id]
        mean = softmax(_finite(model(material.windows(track_id)), "of a candidate")).mean(axis=0)
        right.append(int(mean.argmax()) == target)
        losses.append(-np.log(max(float(mean[target]), 1e-12)))
    return float(np.mean(right)), float(np.mean(losses))


def torch_logits(model: Any) -> Logits:
    """Wrap a torch module."""
    import torch

    def run(inputs: tuple[Float32, ...]) -> Float32:
        with torch.inference_mode():
            return np.concatenate(
                [
                    model(*(torch.from_numpy(array) for array in part)).numpy()
                    for part in _parts(inputs)
                ]
            )

    return run


def keras_logits(model: Any) -> Logits:
    """Wrap a tf_keras model of one input."""

    def run(inputs: tuple[Float32, ...]) -> Float32:
        return np.concatenate([model(part[0], training=False).numpy() for part in _parts(inputs)])

    return run


def _parts(inputs: tuple[Float32, ...]) -> Iterator[tuple[Float32, ...]]:
    for start in range(0, len(inputs[0]), _WINDOWS_AT_ONCE):
        yield tuple(array[start : start + _WINDOWS_AT_ONCE] for array in inputs)


def _finite(logits: Float32, when: str) -> Float64:
    values = np.asarray(logits, np.float64)
    if not np.isfinite(values).all():
        raise DataError(f"the model {when} gives logits that are not finite")
    return values
