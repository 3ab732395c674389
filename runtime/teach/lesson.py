"""Lesson: from examples to a head, with what cross-validation says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from ..arrays import Float64, Int64
from ..errors import DataError
from .estimate import Estimate, estimate, fit_temperature, shares
from .examples import Example, genres_of
from .solvers import LinearClassifier, fit_discriminant, fit_logistic

FOLDS = 5
_INNER_FOLDS = 3
_CURVE = (1, 2, 3, 5, 8, 12, 20, 40)  # songs of each genre
_LOST = 0.02  # of the taught songs, by the rule for unknown sounds
# Kind and strength, from the most cautious on: of those that are right as often, the first is
# taken. A discriminant needs several songs a genre.
_FITS: dict[str, Callable[..., LinearClassifier]] = {
    "logistic regression, C = 0.01": partial(fit_logistic, strength=0.01),
    "logistic regression, C = 0.03": partial(fit_logistic, strength=0.03),
    "logistic regression, C = 0.1": partial(fit_logistic, strength=0.1),
    "logistic regression, C = 0.3": partial(fit_logistic, strength=0.3),
    "discriminant, shrinkage 0.8": partial(fit_discriminant, shrinkage=0.8),
    "discriminant, shrinkage 0.5": partial(fit_discriminant, shrinkage=0.5),
}
_DEFAULT = "logistic regression, C = 0.03"
_FEWEST = 3  # groups in every genre, to choose by cross-validation


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """What was learned.

    Parameters
    ----------
    genres : tuple of str
    head : LinearClassifier
        Of all songs, its logits divided by the temperature.
    kind : str
        Of head, and its strength.
    temperature : float
    estimate : Estimate or None
        None where a genre has one song or one artist: nothing can be held back.
    curve : tuple of tuple
        Songs of each genre, share of held-back songs named right.
    """

    genres: tuple[str, ...]
    head: LinearClassifier
    kind: str
    temperature: float
    estimate: Estimate | None
    curve: tuple[tuple[int, float], ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Fold:
    """Songs that were learned from, songs that were judged, and the head chosen for the former."""

    fitted: list[int]
    judged: list[int]
    kind: str


def learn(examples: Sequence[Example], *, seed: int = 0) -> Lesson:
    """Fit a head to all examples, and estimate how right it is.

    Parameters
    ----------
    examples : sequence of Example
    seed : int
        Of the folds.

    Raises
    ------
    DataError
        If they are not of two genres at least.
    """
    genres = genres_of(examples)
    if len(genres) < 2:
        raise DataError(f"{', '.join(genres)}: teaching needs at least two folders with songs")
    truth = np.array([genres.index(example.genre) for example in examples])
    groups = [example.artist for example in examples]
    fewest = min(
        len({g for g, t in zip(groups, truth, strict=True) if t == k}) for k in range(len(genres))
    )
    kind = _choose(examples, truth, groups, len(genres), seed) if fewest >= _FEWEST else _DEFAULT
    head = _fit(kind, examples, truth, len(genres))
    if fewest < 2:
        return Lesson(genres=genres, head=head, kind=kind, temperature=1.0, estimate=None, curve=())
    held_out: list[Float64] = [np.zeros((0, 0))] * len(examples)
    folds: list[_Fold] = []
    for fitted, judged in _folds(groups, truth, min(FOLDS, fewest), seed):
        part = [examples[i] for i in fitted]
        own = _DEFAULT  # a choice must not have seen the songs that it is judged by
        if fewest > _FEWEST:
            own_groups = [groups[i] for i in fitted]
            own = _choose(part, truth[fitted], own_groups, len(genres), seed)
        folds.append(_Fold(fitted=fitted, judged=judged, kind=own))
        fold_head = _fit(own, part, truth[fitted], len(genres))
        for i in judged:
            held_out[i] = fold_head.logits(examples[i].embedding.astype(np.float64))
    temperature = fit_temperature(held_out, truth)
    return Lesson(
        genres=genres,
        head=LinearClassifier(weight=head.weight / temperature, bias=head.bias / temperature),
        kind=kind,
        temperature=temperature,
        estimate=estimate(examples, genres, truth, held_out, temperature),
        curve=_learning_curve(folds, examples, truth, len(genres), seed),
    )


def strangeness_threshold(examples: Sequence[Example], packaged: float) -> float:
    """Widen a packaged threshold until at most 2 % of the taught songs are above it."""
    strange = [example.strangeness for example in examples]
    own = np.quantile(strange, 1.0 - _LOST, method="higher")
    return max(packaged, float(own))


def _fit(kind: str, examples: Sequence[Example], truth: Int64, n_labels: int) -> LinearClassifier:
    counts = [len(example.embedding) for example in examples]
    x = np.concatenate([example.embedding for example in examples]).astype(np.float64)
    # Each song counts once, however many windows it has.
    weights = np.repeat(1.0 / np.array(counts), counts)
    return _FITS[kind](x, np.repeat(truth, counts), n_labels, weights)


def _choose(
    examples: Sequence[Example], truth: Int64, groups: Sequence[str], n_labels: int, seed: int
) -> str:
    """Choose kind and strength by cross-validation."""
    right = dict.fromkeys(_FITS, 0)
    for fitted, judged in _folds(groups, truth, _INNER_FOLDS, seed + 1):
        if len(set(truth[fitted])) < n_labels:
            continue
        part = [examples[i] for i in fitted]
        for kind in _FITS:
            head = _fit(kind, part, truth[fitted], n_labels)
            right[kind] += sum(_named(head, examples[i]) == truth[i] for i in judged)
    return max(_FITS, key=lambda kind: right[kind])


def _named(head: LinearClassifier, example: Example) -> int:
    return int(shares(head.logits(example.embedding.astype(np.float64)), 1.0).argmax())


def _folds(
    groups: Sequence[str], truth: Int64, count: int, seed: int
) -> Iterator[tuple[list[int], list[int]]]:
    """Divide whole groups, genre by genre, so that each fold has some of every genre."""
    rng = np.random.default_rng(seed)
    fold_of: dict[str, int] = {}
    turn = 0
    for label in range(int(truth.max()) + 1):
        own = sorted({g for g, t in zip(groups, truth, strict=True) if t == label} - fold_of.keys())
        for place in rng.permutation(len(own)):
            fold_of[own[place]] = turn % count
            turn += 1
    for fold in range(count):
        judged = [i for i, group in enumerate(groups) if fold_of[group] == fold]
        fitted = [i for i, group in enumerate(groups) if fold_of[group] != fold]
        if judged and fitted:
            yield fitted, judged


def _learning_curve(
    folds: Sequence[_Fold],
    examples: Sequence[Example],
    truth: Int64,
    n_labels: int,
    seed: int,
) -> tuple[tuple[int, float], ...]:
    """Measure the accuracy on held-back songs with ever more songs of each genre."""
    rng = np.random.default_rng(seed)
    right: dict[int, list[bool]] = {}
    for fold in folds:
        order = rng.permutation(fold.fitted)
        by_genre = [[i for i in order if truth[i] == label] for label in range(n_labels)]
        most = min(len(own) for own in by_genre)
        for count in (*(c for c in _CURVE if c < most), most):
            if not count:
                continue
            chosen = [i for own in by_genre for i in own[:count]]
            used = fold.kind if count >= _FEWEST else _DEFAULT
            head = _fit(used, [examples[i] for i in chosen], truth[chosen], n_labels)
            told = right.setdefault(count, [])
            told += [_named(head, examples[i]) == truth[i] for i in fold.judged]
    whole = {count: told for count, told in right.items() if len(told) == len(examples)}
    return tuple((count, float(np.mean(told))) for count, told in sorted(whole.items()))
