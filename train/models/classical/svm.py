"""Support vector machine: one against the rest for each genre, with a radial kernel."""

from __future__ import annotations

import numpy as np
import torch

from genrekit.arrays import Float32, Int64
from genrekit.artifact.sections import InputSpec

from .closed_form import ClosedFormModel, vector_size

C = 10.0  # what a misclassified window costs, against a wide margin


class SupportVectors(ClosedFormModel):
    """Logits are the distances to each genre's border, in margins.

    Parameters
    ----------
    n_values, n_labels : int

    References
    ----------
    Cortes, Vapnik: "Support-vector networks", Machine Learning 20, 1995.
    """

    vectors: torch.Tensor
    coefficients: torch.Tensor
    intercepts: torch.Tensor
    gamma: torch.Tensor

    def __init__(self, n_values: int, n_labels: int) -> None:
        super().__init__(n_labels)
        self.register_buffer("vectors", torch.zeros(1, n_values))
        self.register_buffer("coefficients", torch.zeros(1, n_labels))
        self.register_buffer("intercepts", torch.zeros(n_labels))
        self.register_buffer("gamma", torch.ones(1))

    def solve(self, windows: Float32, labels: Int64) -> None:
        """Fit one machine per genre; they share their support vectors."""
        from sklearn.svm import SVC

        gamma = 1.0 / (windows.shape[1] * float(windows.var()))
        coefficients = np.zeros((len(windows), self.n_labels), np.float64)
        intercepts = np.zeros(self.n_labels)
        for label in range(self.n_labels):
            machine = SVC(C=C, gamma=gamma).fit(windows, labels == label)
            coefficients[machine.support_, label] = machine.dual_coef_[0]
            intercepts[label] = machine.intercept_[0]
        used = coefficients.any(axis=1)
        self.fill(
            vectors=windows[used],
            coefficients=coefficients[used].astype(np.float32),
            intercepts=intercepts.astype(np.float32),
            gamma=np.array([gamma], np.float32),
        )

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Compute logits, shape (windows, labels)."""
        # |a - b|^2 by way of a matrix product.
        squares = (windows * windows).sum(dim=1, keepdim=True) + (self.vectors**2).sum(dim=1)
        distance = squares - 2.0 * windows @ self.vectors.T
        kernel = torch.exp(-self.gamma * distance)
        return kernel @ self.coefficients + self.intercepts


def svm(inputs: tuple[InputSpec, ...], n_labels: int) -> SupportVectors:
    """Build a support vector machine for one vector."""
    return SupportVectors(vector_size(inputs), n_labels)
