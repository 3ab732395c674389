"""Metrics: how often a model is right, how sure that is, and how two models compare.

Every share comes with its n and a 95 % interval. Models that judged the same tracks are
compared in pairs: what counts is where they disagree.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from genrekit.arrays import Int64
from genrekit.errors import DataError

Z95 = 1.959963984540054  # the normal distribution's 97.5 % point


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A share of n cases, with its Wilson interval; value and interval are None if n is 0."""

    value: float | None
    n: int
    ci95: tuple[float, ...] | None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ClassScore:
    """Scores of one genre; precision's n is how often it was said, recall's how often true."""

    label: str
    precision: Share
    recall: Share
    f1: Share


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """Scores of one model on one set of tracks.

    Parameters
    ----------
    accuracy : Share
        Share of tracks classified right.
    per_class : tuple of ClassScore
        In the order of the labels.
    confusion : tuple of tuple of int
        Counts; rows are true genres, columns what was said.
    """

    accuracy: Share
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PairedComparison:
    """Two models on the same tracks.

    Parameters
    ----------
    n : int
        Tracks.
    before, after : float
        Accuracies.
    difference : float
        `after - before`.
    ci95 : tuple of float, length 2
        Interval of the difference (Newcombe).
    lost, gained : int
        Tracks that only the first, only the second model got right.
    p_value : float
        Exact McNemar test of "equally often right".
    agreement : Share
        Tracks to which both gave the same label, right or wrong.
    """

    n: int
    before: float
    after: float
    difference: float
    ci95: tuple[float, ...]
    lost: int
    gained: int
    p_value: float
    agreement: Share


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95 % score interval of a binomial share.

    Parameters
    ----------
    successes, n : int
        0 <= successes <= n, n >= 1.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.
    """
    if not 0 <= successes <= n or n < 1:
        raise DataError(f"{successes} of {n}: no share")
    p = successes / n
    centre = p + Z95**2 / (2 * n)
    reach = Z95 * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
    scale = 1 + Z95**2 / n
    # Rounding must not push the bounds past the share they enclose.
    return max(0.0, min(p, (centre - reach) / scale)), min(1.0, max(p, (centre + reach) / scale))


def share(successes: int, n: int) -> Share:
    """Return `successes / n` with its interval."""
    if n == 0:
        return Share(value=None, n=0, ci95=None)
    return Share(value=successes / n, n=n, ci95=wilson_interval(successes, n))


def confusion_matrix(truth: Sequence[int], said: Sequence[int], n_labels: int) -> Int64:
    """Count pairs of labels.

    Returns
    -------
    int64, shape (n_labels, n_labels)
        Rows are true labels, columns what was said.
    """
    if len(truth) != len(said):
        raise DataError(f"{len(truth)} true labels, {len(said)} predictions")
    matrix = np.zeros((n_labels, n_labels), np.int64)
    np.add.at(matrix, (np.asarray(truth, np.int64), np.asarray(said, np.int64)), 1)
    return matrix


def score(truth: Sequence[int], said: Sequence[int], labels: Sequence[str]) -> Scores:
    """Score predictions.

    Parameters
    ----------
    truth, said : sequence of int
        Index into `labels`, per track.
    labels : sequence of str
        Names of the genres.
    """
    matrix = confusion_matrix(truth, said, len(labels))
    hits = matrix.diagonal()
    per_class = tuple(
        ClassScore(
            label=label,
            precision=share(int(hits[i]), int(matrix[:, i].sum())),
            recall=share(int(hits[i]), int(matrix[i].sum())),
            f1=_f1(int(hits[i]), int(matrix[:, i].sum() + matrix[i].sum() - hits[i])),
        )
        for i, label in enumerate(labels)
    )
    return Scores(
        accuracy=share(int(hits.sum()), int(matrix.sum())),
        per_class=per_class,
        confusion=tuple(tuple(int(count) for count in row) for row in matrix),
    )


def compare(truth: Sequence[int], before: Sequence[int], after: Sequence[int]) -> PairedComparison:
    """Compare two models' labels on the same tracks.

    Parameters
    ----------
    truth, before, after : sequence of int
        Label indices, per track, in the same order.

    Raises
    ------
    DataError
        If the lengths differ or there is no track.
    """
    n = len(truth)
    if n == 0 or len(before) != n or len(after) != n:
        raise DataError(f"{n} tracks, {len(before)} and {len(after)} predictions: must be equal")
    right_before = np.asarray(before) == np.asarray(truth)
    right_after = np.asarray(after) == np.asarray(truth)
    both = int((right_before & right_after).sum())
    lost = int((right_before & ~right_after).sum())
    gained = int((~right_before & right_after).sum())
    return PairedComparison(
        n=n,
        before=float(right_before.mean()),
        after=float(right_after.mean()),
        difference=(gained - lost) / n,
        ci95=paired_difference_interval(both, lost, gained, n),
        lost=lost,
        gained=gained,
        p_value=mcnemar_exact(lost, gained),
        agreement=share(int((np.asarray(before) == np.asarray(after)).sum()), n),
    )


def mcnemar_exact(lost: int, gained: int) -> float:
    """Two-sided exact p-value that a disagreement favours either model equally often.

    References
    ----------
    McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 1947.
    """
    n, fewer = lost + gained, min(lost, gained)
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << n))


def paired_difference_interval(both: int, lost: int, gained: int, n: int) -> tuple[float, float]:
    """95 % interval of the difference of two accuracies on the same n tracks.

    Parameters
    ----------
    both, lost, gained, n : int
        Tracks right before and after, right only before, right only after, and all.

    References
    ----------
    Newcombe, "Improved confidence intervals for the difference between binomial proportions
    based on paired data", Statistics in Medicine 17, 1998: method 10.
    """
    neither = n - both - lost - gained
    before, after = both + lost, both + gained
    difference = (gained - lost) / n
    below, above = wilson_interval(after, n), wilson_interval(before, n)
    down_after, up_after = after / n - below[0], below[1] - after / n
    down_before, up_before = before / n - above[0], above[1] - before / n
    phi = _correlation(both, lost, gained, neither)
    low = down_after**2 - 2 * phi * down_after * up_before + up_before**2
    high = up_after**2 - 2 * phi * up_after * down_before + down_before**2
    return difference - math.sqrt(max(0.0, low)), difference + math.sqrt(max(0.0, high))


def _correlation(both: int, lost: int, gained: int, neither: int) -> float:
    """Phi coefficient, with Newcombe's continuity correction where it is positive."""
    margins = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    if margins == 0:
        return 0.0
    determinant = float(both * neither - lost * gained)
    if determinant > 0:
        determinant = max(determinant - (both + lost + gained + neither) / 2, 0.0)
    return determinant / math.sqrt(margins)


def _f1(hits: int, union: int) -> Share:
    """F1 with an interval: it is 2j / (1 + j) of the share j of hits among hits and misses."""
    if union == 0:
        return Share(value=None, n=0, ci95=None)
    low, high = wilson_interval(hits, union)
    jaccard = hits / union
    return Share(
        value=2 * jaccard / (1 + jaccard),
        n=union,
        ci95=(2 * low / (1 + low), 2 * high / (1 + high)),
    )
