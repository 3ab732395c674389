"""Evaluate: how often artifacts are right about songs, computed as the device computes it.

Every song goes from its file through the runtime, so that whatever export or quantization
changed is in the numbers. Several artifacts judge the same songs and are compared in pairs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from genrekit.artifact.container import read_artifact
from genrekit.classify.classifier import GenreClassifier
from genrekit.errors import DataError, GenreKitError
from genrekit.library.process_pool import process_pool
from genrekit.train.data.datasets import audio_source, open_dataset
from genrekit.train.evaluation.metrics import PairedComparison, Scores, compare, score


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """Accuracy of one artifact.

    Parameters
    ----------
    model : str
        The artifact's path.
    bytes : int
        Its size, card included.
    scores : Scores
    against_first : PairedComparison or None
        On the same songs, the first artifact being "before"; None for the first itself.
    """

    model: str
    bytes: int
    scores: Scores
    against_first: PairedComparison | None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """All artifacts on one folder of songs; songs that could not be read are named."""

    data: str
    labels: tuple[str, ...]
    judgements: tuple[Judgement, ...]
    unreadable: tuple[str, ...]


def evaluate(
    models: Sequence[Path],
    data: Path,
    *,
    jobs: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Classify every song of a folder with every artifact.

    Parameters
    ----------
    models : sequence of Path
        Artifacts with the same labels; the others are compared with the first.
    data : Path
        `<genre>/<song>`, songs that none of the models was trained on.
    jobs : int
        Processes.
    on_progress : callable, optional
        Called with songs done and in all.

    Raises
    ------
    DataError
        If the labels differ, a genre is not among them, or no song can be read.
    """
    artifacts = [read_artifact(model) for model in models]
    labels = artifacts[0].card.labels
    for artifact in artifacts:
        if artifact.card.labels != labels:
            raise DataError(f"{artifact.path}: its labels differ from those of {models[0]}")
    tracks = open_dataset(audio_source(data)).tracks
    if strange := sorted({track.genre for track in tracks} - set(labels)):
        raise DataError(f"{data}: the models do not know the genre {strange[0]!r}")
    truth: list[int] = []
    said: list[list[int]] = [[] for _ in models]
    unreadable: list[str] = []
    paths = tuple(str(model) for model in models)
    with process_pool(jobs) as pool:
        results = pool.map(_label, [paths] * len(tracks), [str(track.path) for track in tracks])
        for done, (track, answer) in enumerate(zip(tracks, results, strict=True), start=1):
            if isinstance(answer, str):
                unreadable.append(answer)
            else:
                truth.append(labels.index(track.genre))
                for column, label in zip(said, answer, strict=True):
                    column.append(label)
            if on_progress:
                on_progress(done, len(tracks))
    if not truth:
        raise DataError(f"{data}: no song could be read: {unreadable[0]}")
    judgements = tuple(
        Judgement(
            model=paths[index],
            bytes=artifact.size,
            scores=score(truth, said[index], labels),
            against_first=compare(truth, said[0], said[index]) if index else None,
        )
        for index, artifact in enumerate(artifacts)
    )
    return Evaluation(
        data=str(data), labels=labels, judgements=judgements, unreadable=tuple(unreadable)
    )


@cache
def _classifiers(models: tuple[str, ...]) -> tuple[GenreClassifier, ...]:
    """Load the models, once in each process."""
    return tuple(GenreClassifier.load(model) for model in models)


def _label(models: tuple[str, ...], song: str) -> list[int] | str:
    """Return the index of each model's label, or why the song cannot be read."""
    answer = []
    for classifier in _classifiers(models):
        try:
            label = classifier.classify(song).ranking[0].label
        except GenreKitError as error:
            return str(error)
        answer.append(classifier.card.labels.index(label))
    return answer
