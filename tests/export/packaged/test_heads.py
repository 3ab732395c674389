from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from genrekit.export.packaged.calibration import calibration_error, fit_temperature
from genrekit.export.packaged.heads import Linear, fit_genres, fit_strangeness


def clouds(rng: np.random.Generator, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    centres = rng.normal(size=(3, 8)) * 3.0
    labels = np.repeat(np.arange(3), n)
    return centres[labels] + rng.normal(size=(3 * n, 8)), labels


def test_the_head_of_genres_is_one_linear_map_and_right() -> None:
    rng = np.random.default_rng(0)
    x, labels = clouds(rng)
    tags = Linear(weight=rng.normal(size=(8, 5)), bias=rng.normal(size=5))
    head = fit_genres(x, tags, labels, 3)
    assert head.weight.shape == (8, 3)
    assert (head.logits(x).argmax(axis=1) == labels).mean() > 0.95


def test_a_genre_without_an_example_is_never_said() -> None:
    rng = np.random.default_rng(1)
    x, labels = clouds(rng)
    tags = Linear(weight=rng.normal(size=(8, 5)), bias=np.zeros(5))
    head = fit_genres(x[labels < 2], tags, labels[labels < 2], 3)
    assert (head.logits(x).argmax(axis=1) < 2).all()


def test_strangeness_is_mahalanobis_distance_and_a_step() -> None:
    rng = np.random.default_rng(2)
    music = rng.normal(size=(200, 8)) @ rng.normal(size=(8, 8))
    other = rng.normal(size=(40, 8)) * 5.0 + 20.0
    rule = fit_strangeness(music, music, other)
    judge = LedoitWolf().fit(music).mahalanobis(music)
    distance = rule.measure(music) - rule.towards.logits(music)[:, 0]
    np.testing.assert_allclose(distance, judge / np.median(judge), rtol=1e-6)
    assert rule.measure(other).min() > np.quantile(rule.measure(music), 0.98)


def test_the_temperature_undoes_what_logits_were_multiplied_with() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(4_000, 5))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(5, p=row) for row in shares])
    found = fit_temperature([row[None] * 3.0 for row in logits], labels)
    assert found == pytest.approx(3.0, rel=0.15)
    assert calibration_error(shares, labels)[0] < 0.03
    sure = np.eye(5)[logits.argmax(axis=1)]
    wrong = (logits.argmax(axis=1) != labels).mean()
    assert calibration_error(sure, labels)[0] == pytest.approx(wrong)
