"""Heads: linear classifiers on an embedding, and the rule for what is like nothing learned."""

from __future__ import annotations

import dataclasses

import numpy as np

from genrekit.arrays import Float64, Int64

_MISSING = -50.0  # bias of a genre without an example
_OTHER_STRENGTH = 1e-3  # scikit-learn's C of music against other sounds
_OTHER_WEIGHT = 0.5  # of its logit, beside a distance whose median is 1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """Logits = embedding @ weight + bias.

    Parameters
    ----------
    weight : float64, shape (values, labels)
    bias : float64, shape (labels,)
    """

    weight: Float64
    bias: Float64

    def logits(self, embedding: Float64) -> Float64:
        """Return logits, shape (windows, labels)."""
        return np.asarray(embedding @ self.weight + self.bias)

    def cooled(self, temperature: float) -> Linear:
        """Return the head with its logits divided by a temperature."""
        return Linear(weight=self.weight / temperature, bias=self.bias / temperature)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Strangeness:
    """Distance to music: Mahalanobis' squared, and a step towards sounds that are none.

    Parameters
    ----------
    centre : float64, shape (values,)
    whitening : float64, shape (values, directions)
        Scaled so that the median distance of music is 1.
    towards : Linear
        One output, which grows from music to sounds that are none.
    """

    centre: Float64
    whitening: Float64
    towards: Linear

    def measure(self, embedding: Float64) -> Float64:
        """Return the strangeness of each row of (windows, values)."""
        distance = np.square((embedding - self.centre) @ self.whitening).sum(axis=1)
        return np.asarray(distance + self.towards.logits(embedding)[:, 0])


def fit_genres(embedding: Float64, tags: Linear, labels: Int64, n_labels: int) -> Linear:
    """Fit the head of genres: the mean of two linear classifiers of different kinds.

    A shrunken discriminant on the network's tag logits and a regularised logistic regression on
    its embedding err in different places; each is linear in the embedding, and so is their mean.

    Parameters
    ----------
    embedding : float64, shape (windows, values)
    tags : Linear
        The network's own head.
    labels : int64, shape (windows,)
    n_labels : int
    """
    discriminant = fit_discriminant(tags.logits(embedding), labels, n_labels, shrinkage=0.5)
    regression = fit_logistic(embedding, labels, n_labels, strength=0.03)
    return Linear(
        weight=(tags.weight @ discriminant.weight + regression.weight) / 2.0,
        bias=(tags.bias @ discriminant.weight + discriminant.bias + regression.bias) / 2.0,
    )


def fit_discriminant(x: Float64, labels: Int64, n_labels: int, *, shrinkage: float) -> Linear:
    """Fit a linear discriminant whose covariance is drawn towards a sphere."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(x, labels)
    return _spread(model.coef_, model.intercept_, model.classes_, n_labels)


def fit_logistic(x: Float64, labels: Int64, n_labels: int, *, strength: float) -> Linear:
    """Fit a logistic regression on standardised values; `strength` is scikit-learn's C."""
    from sklearn.linear_model import LogisticRegression

    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
    model = LogisticRegression(C=strength, max_iter=500).fit((x - mean) / deviation, labels)
    weight = model.coef_ / deviation
    return _spread(weight, model.intercept_ - weight @ mean, model.classes_, n_labels)


def fit_strangeness(music: Float64, degraded: Float64, other: Float64) -> Strangeness:
    """Fit the rule for sounds that are like nothing learned.

    The distance alone passes one in ten sounds that are no music, a classifier alone knows only
    what it was shown; their sum does better than either.

    Parameters
    ----------
    music : float64, shape (windows, values)
        Embeddings whose mean and covariance (Ledoit and Wolf's) make the distance.
    degraded : float64, shape (windows, values)
        Music as phones and rooms leave it, `music` included.
    other : float64, shape (windows, values)
        Sounds that are no music.
    """
    from sklearn.covariance import LedoitWolf
    from sklearn.linear_model import LogisticRegression

    model = LedoitWolf().fit(music)
    usual = float(np.median(model.mahalanobis(degraded)))
    whitening = np.linalg.cholesky(np.linalg.inv(model.covariance_)) / np.sqrt(usual)
    mean, deviation = degraded.mean(axis=0), degraded.std(axis=0) + 1e-6
    values = (np.concatenate([degraded, other]) - mean) / deviation
    is_other = np.repeat([0, 1], [len(degraded), len(other)])
    fitted = LogisticRegression(C=_OTHER_STRENGTH, max_iter=1_000, class_weight="balanced")
    fitted.fit(values, is_other)
    weight = _OTHER_WEIGHT * fitted.coef_[0] / deviation
    bias = _OTHER_WEIGHT * fitted.intercept_[0] - weight @ mean
    return Strangeness(
        centre=np.asarray(model.location_),
        whitening=np.asarray(whitening),
        towards=Linear(weight=weight[:, None], bias=np.array([bias])),
    )


def _spread(weight: Float64, bias: Float64, classes: Int64, n_labels: int) -> Linear:
    """Put a classifier of the labels that it saw into one of all."""
    whole = np.zeros((weight.shape[1], n_labels))
    offsets = np.full(n_labels, _MISSING)
    whole[:, classes] = weight.T
    offsets[classes] = bias
    return Linear(weight=whole, bias=offsets)
