"""Model comparison: what compression changed, measured on the same real tracks before and after."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from genrekit.arrays import Float32
from genrekit.classify.prediction import softmax
from genrekit.errors import DataError
from genrekit.train.evaluation.metrics import PairedComparison, Share, compare, score, share
from genrekit.train.evaluation.track_evaluation import Logits
from genrekit.train.inputs.windows import WindowedDataset

_WINDOWS_AT_ONCE = 64  # of images, for the sake of memory
_VECTORS_AT_ONCE = 4_096


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ModelComparison:
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


def compare_models(
    before: Logits,
    after: Logits,
    windowed: WindowedDataset,
    track_ids: Sequence[str],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> ModelComparison:
    """Run two models over tracks, window by window, and compare.

    Parameters
    ----------
    before, after : callable
        From model input to logits.
    windowed : WindowedDataset
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
    differences: list[Float32] = []
    for done, track_id in enumerate(track_ids, start=1):
        inputs = windowed.windows(track_id)
        old, new = _finite(before(inputs), "before"), _finite(after(inputs), "after")
        truth.append(windowed.targets[track_id])
        said_before.append(track_label(old))
        said_after.append(track_label(new))
        same += int((old.argmax(axis=1) == new.argmax(axis=1)).sum())
        windows += len(old)
        differences.append((new - old).ravel())
        if on_progress:
            on_progress(done, len(track_ids))
    difference = np.abs(np.concatenate(differences, dtype=np.float64))
    return ModelComparison(
        tracks=compare(truth, said_before, said_after),
        before=score(truth, said_before, windowed.labels).accuracy,
        after=score(truth, said_after, windowed.labels).accuracy,
        windows=share(same, windows),
        logit_difference=float(difference.max()),
        logit_rms=float(np.sqrt((difference**2).mean())),
    )


def track_label(logits: Float32) -> int:
    """Label a track as the device does: by the mean probability of its windows."""
    return int(softmax(logits).mean(axis=0).argmax())


def track_scores(
    model: Logits, windowed: WindowedDataset, track_ids: Sequence[str]
) -> tuple[float, float]:
    """Return accuracy and mean cross-entropy (in nats) over tracks."""
    cut = [windowed.windows(track_id) for track_id in track_ids]
    # All at once: a call of a small network costs more than its arithmetic.
    together = tuple(np.concatenate(arrays) for arrays in zip(*cut, strict=True))
    ends = np.cumsum([len(windows[0]) for windows in cut])[:-1]
    means = [
        softmax(logits).mean(axis=0)
        for logits in np.split(_finite(model(together), "of a candidate"), ends)
    ]
    targets = [windowed.targets[track_id] for track_id in track_ids]
    right = [int(mean.argmax()) == target for mean, target in zip(means, targets, strict=True)]
    shares = [mean[target] for mean, target in zip(means, targets, strict=True)]
    return float(np.mean(right)), float(-np.log(np.maximum(shares, 1e-12)).mean())


def remembered(model: Logits) -> Logits:
    """Answer inputs that were seen before from memory: one model is compared with many."""
    answers: dict[bytes, Float32] = {}

    def run(inputs: tuple[Float32, ...]) -> Float32:
        key = hashlib.blake2b(b"".join(array.tobytes() for array in inputs)).digest()
        if key not in answers:
            answers[key] = model(inputs)
        return answers[key]

    return run


def torch_logits(model: Any) -> Logits:
    """Wrap a torch module."""
    import torch

    def run(inputs: tuple[Float32, ...]) -> Float32:
        with torch.inference_mode():
            return np.concatenate(
                [
                    model(*(torch.from_numpy(array) for array in part)).numpy()
                    for part in _parts(inputs, _WINDOWS_AT_ONCE)
                ]
            )

    return run


def keras_logits(model: Any) -> Logits:
    """Wrap a tf_keras model of one input."""

    def run(inputs: tuple[Float32, ...]) -> Float32:
        return np.concatenate(
            [model(part[0], training=False).numpy() for part in _parts(inputs, _VECTORS_AT_ONCE)]
        )

    return run


def _parts(inputs: tuple[Float32, ...], size: int) -> Iterator[tuple[Float32, ...]]:
    for start in range(0, len(inputs[0]), size):
        yield tuple(array[start : start + size] for array in inputs)


def _finite(logits: Float32, when: str) -> Float32:
    if not np.isfinite(logits).all():
        raise DataError(f"the model {when} gives logits that are not finite")
    return logits
