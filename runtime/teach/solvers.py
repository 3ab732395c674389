"""Solvers: linear classifiers fitted in NumPy alone."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable

import numpy as np

from ..arrays import Float64, Int64

_STEPS = 300  # of the quasi-Newton method, at most
_MEMORY = 10  # pairs of steps and gradients that it remembers
_SMALLEST_GRADIENT = 1e-6  # per example
_SMALLEST_DEVIATION = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LinearClassifier:
    """Logits = x @ weight + bias.

    Parameters
    ----------
    weight : float64, shape (values, labels)
    bias : float64, shape (labels,)
    """

    weight: Float64
    bias: Float64

    def logits(self, x: Float64) -> Float64:
        """Return logits, shape (rows, labels)."""
        return np.asarray(x @ self.weight + self.bias)


def fit_logistic(
    x: Float64, labels: Int64, n_labels: int, weights: Float64, *, strength: float
) -> LinearClassifier:
    """Fit a multinomial logistic regression with an L2 penalty on standardised values.

    Minimises `sum(weights * cross-entropy) + |w|^2 / (2 * strength)`, the bias not penalised, by
    L-BFGS.

    Parameters
    ----------
    x : float64, shape (rows, values)
    labels : int64, shape (rows,)
    n_labels : int
    weights : float64, shape (rows,)
        Of each row's loss.
    strength : float
        scikit-learn's C.

    References
    ----------
    Nocedal, Wright: "Numerical Optimization", 2006, algorithm 7.5.
    """
    mean, deviation = x.mean(axis=0), x.std(axis=0) + _SMALLEST_DEVIATION
    z = (x - mean) / deviation
    one_hot = np.eye(n_labels)[labels]
    size = z.shape[1]

    def loss(flat: Float64) -> tuple[float, Float64]:
        matrix = flat.reshape(size + 1, n_labels)
        weight, bias = matrix[:-1], matrix[-1]
        logits = z @ weight + bias
        top = logits.max(axis=1, keepdims=True)
        shares = np.exp(logits - top)
        total = shares.sum(axis=1, keepdims=True)
        entropy = np.log(total[:, 0]) + top[:, 0] - logits[np.arange(len(z)), labels]
        slope = (shares / total - one_hot) * weights[:, None]
        gradient = np.vstack([z.T @ slope + weight / strength, slope.sum(axis=0)])
        value = float(weights @ entropy) + float(np.square(weight).sum()) / (2.0 * strength)
        return value, gradient.ravel()

    found = _minimise(loss, np.zeros((size + 1) * n_labels), tolerance=_SMALLEST_GRADIENT * len(z))
    matrix = found.reshape(size + 1, n_labels)
    weight = matrix[:-1] / deviation[:, None]
    return LinearClassifier(weight=weight, bias=matrix[-1] - mean @ weight)


def fit_discriminant(
    x: Float64, labels: Int64, n_labels: int, weights: Float64, *, shrinkage: float
) -> LinearClassifier:
    """Fit a linear discriminant, its covariance drawn towards a sphere; genres equally likely.

    Parameters
    ----------
    x : float64, shape (rows, values)
    labels : int64, shape (rows,)
        Each label at least once.
    n_labels : int
    weights : float64, shape (rows,)
    shrinkage : float
        Share of the sphere in the covariance of standardised values, in 0..1.
    """
    mean, deviation = x.mean(axis=0), x.std(axis=0) + _SMALLEST_DEVIATION
    z = (x - mean) / deviation
    means = np.stack(
        [np.average(z[labels == k], axis=0, weights=weights[labels == k]) for k in range(n_labels)]
    )
    around = (z - means[labels]) * np.sqrt(weights / weights.sum())[:, None]
    covariance = around.T @ around
    sphere = np.trace(covariance) / len(covariance)
    covariance = (1.0 - shrinkage) * covariance + shrinkage * sphere * np.eye(len(covariance))
    weight = np.linalg.solve(covariance + 1e-9 * np.eye(len(covariance)), means.T)
    bias = -0.5 * np.einsum("kv,vk->k", means, weight)
    weight = weight / deviation[:, None]
    return LinearClassifier(weight=weight, bias=bias - mean @ weight)


def _minimise(
    loss: Callable[[Float64], tuple[float, Float64]], start: Float64, *, tolerance: float
) -> Float64:
    """Minimise a smooth convex function by L-BFGS with backtracking."""
    point = start
    value, gradient = loss(point)
    pairs: deque[tuple[Float64, Float64, float]] = deque(maxlen=_MEMORY)
    for _ in range(_STEPS):
        if float(np.abs(gradient).max()) <= tolerance:
            break
        direction = -_apply_inverse(pairs, gradient)
        slope = float(direction @ gradient)
        step = 1.0 if pairs else 1.0 / max(1.0, float(np.linalg.norm(gradient)))
        while True:
            trial = point + step * direction
            new_value, new_gradient = loss(trial)
            if new_value <= value + 1e-4 * step * slope or step < 1e-12:
                break
            step *= 0.5
        moved, changed = trial - point, new_gradient - gradient
        curvature = float(moved @ changed)
        if curvature > 1e-12:
            pairs.append((moved, changed, 1.0 / curvature))
        point, value, gradient = trial, new_value, new_gradient
    return point


def _apply_inverse(pairs: deque[tuple[Float64, Float64, float]], gradient: Float64) -> Float64:
    """Multiply a gradient by the inverse Hessian that the pairs describe."""
    left = gradient.copy()
    factors = []
    for moved, changed, inverse in reversed(pairs):
        factor = inverse * float(moved @ left)
        factors.append(factor)
        left -= factor * changed
    if pairs:
        moved, changed, _ = pairs[-1]
        left *= float(moved @ changed) / float(changed @ changed)
    for (moved, changed, inverse), factor in zip(pairs, reversed(factors), strict=True):
        left += (factor - inverse * float(changed @ left)) * moved
    return left
