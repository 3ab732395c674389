from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from genrekit.errors import DataError
from genrekit.train.evaluation.metrics import (
    compare,
    mcnemar_exact,
    paired_difference_interval,
    score,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_matches_the_published_values(
    successes: int, n: int, low: float, high: float
) -> None:
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (7, 7), (3, 290), (289, 290)])
def test_wilson_interval_matches_scipy(successes: int, n: int) -> None:
    theirs = scipy.stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_more_successes_than_cases_are_no_share() -> None:
    with pytest.raises(DataError, match="3 of 2"):
        wilson_interval(3, 2)


def test_class_scores_match_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=200)
    said = np.where(rng.random(200) < 0.6, truth, rng.integers(4, size=200))
    scores = score(truth.tolist(), said.tolist(), ("a", "b", "c", "d"))
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(truth, said)
    for i, row in enumerate(scores.per_class):
        assert row.precision.value == pytest.approx(precision[i])
        assert row.recall.value == pytest.approx(recall[i])
        assert row.f1.value == pytest.approx(f1[i])
        assert row.recall.n == support[i]
        for share in (row.precision, row.recall, row.f1):
            assert share.ci95 is not None
            assert share.value is not None
            assert share.ci95[0] < share.value < share.ci95[1]
    assert scores.accuracy.value == pytest.approx(sklearn.metrics.accuracy_score(truth, said))
    np.testing.assert_array_equal(scores.confusion, sklearn.metrics.confusion_matrix(truth, said))


def test_a_genre_that_was_never_said_has_no_precision() -> None:
    row = score([0, 0, 1], [0, 0, 0], ("a", "b")).per_class[1]
    assert row.precision.value is None
    assert row.precision.ci95 is None
    assert row.recall.value == 0.0


def test_f1_interval_covers_the_true_f1_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    # Truth is "b" in half the cases; it is said rightly in 80 % of either.
    true_f1 = 0.8  # precision = recall = 0.8
    covered = 0
    for _ in range(600):
        truth = rng.integers(2, size=120)
        said = np.where(rng.random(120) < 0.8, truth, 1 - truth)
        low, high = score(truth.tolist(), said.tolist(), ("a", "b")).per_class[1].f1.ci95 or (1, 0)
        covered += low <= true_f1 <= high
    assert 0.93 <= covered / 600 <= 1.0


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (0, 1), (1, 5), (8, 3), (12, 12), (0, 40)])
def test_mcnemar_matches_the_exact_binomial_test(lost: int, gained: int) -> None:
    theirs = scipy.stats.binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
    assert mcnemar_exact(lost, gained) == pytest.approx(theirs, rel=1e-9)


def test_paired_interval_matches_the_published_value() -> None:
    # Newcombe 1998, Statistics in Medicine 17, 2635-2650: 36, 12, 2, 0, method 10.
    interval = paired_difference_interval(both=36, lost=2, gained=12, n=50)
    assert interval == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_paired_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    shares = (0.80, 0.03, 0.02, 0.15)  # both, lost, gained, neither: a difference of -0.01
    counts = rng.multinomial(500, shares, size=2_000)
    covered = 0
    for both, lost, gained, _ in counts:
        low, high = paired_difference_interval(int(both), int(lost), int(gained), 500)
        covered += low <= -0.01 <= high
    assert 0.94 <= covered / 2_000 <= 0.97


def test_a_comparison_counts_what_was_lost_gained_and_agreed() -> None:
    truth = [0, 0, 1, 1, 2, 2]
    before = [0, 0, 1, 0, 0, 2]
    after = [0, 1, 1, 1, 1, 2]
    found = compare(truth, before, after)
    assert (found.lost, found.gained, found.n) == (1, 1, 6)
    assert (found.before, found.after, found.difference) == (4 / 6, 4 / 6, 0.0)
    assert found.agreement.value == 3 / 6  # the two that both got wrong, differently, disagree
    assert found.ci95[0] < 0.0 < found.ci95[1]
    assert found.p_value == 1.0


def test_equal_models_still_have_an_interval() -> None:
    found = compare([0] * 500, [0] * 500, [0] * 500)
    assert found.difference == 0.0
    assert found.ci95[0] < -0.001
    assert found.ci95[1] > 0.001
    assert found.agreement.value == 1.0


def test_comparisons_of_different_tracks_are_refused() -> None:
    with pytest.raises(DataError, match="2 tracks, 1 and 2 predictions"):
        compare([0, 1], [0], [0, 1])
