"""Linear discriminant analysis: one Gaussian per genre, all of one shape.

With a covariance shrunken as far as its own uncertainty says there is nothing to choose: no
epochs, rates or seeds.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import log_softmax
from torch import nn

from genrekit.arrays import Float32, Float64, Int64
from genrekit.artifact.sections import InputSpec
from genrekit.errors import ConfigError

from .closed_form import ClosedFormModel, vector_size
from .texture_statistics import Texture

MOST_DEVIATIONS = 4.0  # a value farther from its mean counts as this far
FOLDS = 5  # in which the training windows judge themselves, for the temperature
TEMPERATURES = np.geomspace(1.0, 16.0, 49)
_CONSTANT = 1e-6  # a deviation below this carries nothing


class LinearDiscriminant(ClosedFormModel):
    """Logits are linear in what describes a window; every genre is equally likely beforehand.

    Parameters
    ----------
    describe : torch.nn.Module
        Maps windows to (windows, values); has nothing to learn.
    n_labels : int

    References
    ----------
    Ledoit, Wolf: "A well-conditioned estimator for large-dimensional covariance matrices",
    Journal of Multivariate Analysis 88, 2004.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, describe: nn.Module, n_labels: int) -> None:
        super().__init__(n_labels)
        self.describe = describe
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("scale", torch.zeros(1))
        self.register_buffer("weight", torch.zeros(1, n_labels))
        self.register_buffer("bias", torch.zeros(n_labels))

    def solve(self, windows: Float32, labels: Int64) -> None:
        """Fit to all windows at once."""
        with torch.inference_mode():
            values = self.describe(torch.from_numpy(windows)).double().numpy()
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        used = deviation > _CONSTANT
        scale = np.where(used, 1.0 / np.where(used, deviation, 1.0), 0.0)
        standard = np.clip((values - mean) * scale, -MOST_DEVIATIONS, MOST_DEVIATIONS)[:, used]
        temperature = _temperature(standard, labels, self.n_labels)
        coefficients, intercepts = _fit(standard, labels, self.n_labels)
        weight = np.zeros((len(mean), self.n_labels), np.float32)
        weight[used] = coefficients / temperature
        self.fill(
            mean=mean.astype(np.float32),
            scale=scale.astype(np.float32),
            weight=weight,
            bias=(intercepts / temperature).astype(np.float32),
        )

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Compute logits, shape (windows, labels)."""
        values: torch.Tensor = self.describe(windows)
        standard = ((values - self.mean) * self.scale).clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
        return standard @ self.weight + self.bias


def _fit(values: Float64, labels: Int64, n_labels: int) -> tuple[Float64, Float64]:
    """Return coefficients, shape (values, labels), and intercepts."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    fitted = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(n_labels, 1.0 / n_labels)
    ).fit(values, labels)
    if n_labels == 2:  # scikit-learn gives the second genre against the first
        half = fitted.coef_[0] / 2, float(fitted.intercept_[0]) / 2
        return np.stack([-half[0], half[0]], axis=1), np.array([-half[1], half[1]])
    return fitted.coef_.T, fitted.intercept_


def _temperature(values: Float64, labels: Int64, n_labels: int) -> float:
    """Choose what logits are divided by, so that probabilities are as sure as they are right.

    Gaussians in hundreds of dimensions are far too sure of themselves. Every training window is
    judged by a discriminant that was fitted without it.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger: "On calibration of modern neural networks", ICML 2017.
    """
    from sklearn.model_selection import StratifiedKFold

    folds = min(FOLDS, int(np.bincount(labels).min()))
    if folds < 2:
        return 1.0
    logits = np.empty((len(values), n_labels))
    for rest, own in StratifiedKFold(folds, shuffle=True, random_state=0).split(values, labels):
        coefficients, intercepts = _fit(values[rest], labels[rest], n_labels)
        logits[own] = values[own] @ coefficients + intercepts

    def loss(temperature: float) -> float:
        softened = log_softmax(logits / temperature, axis=1)
        return -float(softened[np.arange(len(labels)), labels].mean())

    return float(min(TEMPERATURES, key=loss))


def discriminant(inputs: tuple[InputSpec, ...], n_labels: int) -> LinearDiscriminant:
    """Build a discriminant of one vector."""
    vector_size(inputs)
    return LinearDiscriminant(nn.Identity(), n_labels)


def texture_discriminant(inputs: tuple[InputSpec, ...], n_labels: int) -> LinearDiscriminant:
    """Build a discriminant of the texture of one image.

    Raises
    ------
    ConfigError
        If the input is anything else, or too small an image.
    """
    if len(inputs) != 1 or inputs[0].layout != "channel_band_frame":
        raise ConfigError("a texture is that of one image")
    _, bands, frames = inputs[0].shape
    return LinearDiscriminant(Texture(bands, frames), n_labels)
