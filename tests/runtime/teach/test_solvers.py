"""The solvers against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from genrekit.teach.solvers import fit_discriminant, fit_logistic


def examples(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(4), 12)
    x = rng.normal(size=(4, 20))[labels] * 1.5 + rng.normal(size=(48, 20)) * 3.0 + 5.0
    return x, labels, rng.uniform(0.2, 1.0, 48)


@pytest.mark.parametrize("strength", [0.003, 0.03, 1.0])
def test_logistic_regression_is_scikit_learns(strength: float) -> None:
    x, labels, weights = examples()
    mine = fit_logistic(x, labels, 4, weights, strength=strength)
    z = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-6)
    judge = LogisticRegression(C=strength, tol=1e-8, max_iter=5_000)
    judge.fit(z, labels, sample_weight=weights)
    logits = mine.logits(x)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, judge.predict_proba(z), atol=1e-4)


def test_the_discriminant_is_bayes_rule_for_one_covariance() -> None:
    rng = np.random.default_rng(1)
    spread = rng.normal(size=(6, 6))
    means = rng.normal(size=(3, 6)) * 2.0
    labels = np.repeat(np.arange(3), 4_000)
    x = means[labels] + rng.normal(size=(12_000, 6)) @ spread
    found = fit_discriminant(x, labels, 3, np.ones(len(x)), shrinkage=0.0)
    precision = np.linalg.inv(spread.T @ spread)
    expected = x @ precision @ means.T - 0.5 * np.einsum("kv,vw,kw->k", means, precision, means)
    same = found.logits(x).argmax(axis=1) == expected.argmax(axis=1)
    assert same.mean() > 0.99


@pytest.mark.parametrize("shrinkage", [0.1, 0.5, 0.8])
def test_the_discriminant_is_scikit_learns(shrinkage: float) -> None:
    x, labels, _ = examples()
    mine = fit_discriminant(x, labels, 4, np.ones(len(x)), shrinkage=shrinkage)
    z = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-6)
    judge = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage, priors=[0.25] * 4)
    judge.fit(z, labels)
    logits, expected = mine.logits(x), judge.decision_function(z)
    logits, expected = (a - a.mean(axis=1, keepdims=True) for a in (logits, expected))
    np.testing.assert_allclose(logits, expected, atol=1e-6)


def test_one_example_of_each_is_enough() -> None:
    x, labels = np.eye(3, 8), np.arange(3)
    head = fit_logistic(x, labels, 3, np.ones(3), strength=0.03)
    assert (head.logits(x).argmax(axis=1) == labels).all()
