"""Texture: statistics of a spectrogram over time, some 700 numbers for a window of any length.

The mean shape of the spectrum, how much and how fast it changes, how rough it is along both axes,
which bands move together and how sharply they rise: what distinguishes genres before any melody
does.

References
----------
Tzanetakis, Cook: "Musical genre classification of audio signals", IEEE Transactions on Speech and
Audio Processing 10(5), 2002. McDermott, Simoncelli: "Sound texture perception via statistics of
the auditory periphery", Neuron 71, 2011: the correlations of bands.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn.functional import conv2d

from genrekit.arrays import Float32, Int64
from genrekit.errors import ConfigError
from genrekit.features.cepstrum import dct_matrix

COEFFICIENTS = 24  # of the cepstrum, whose course over time is described
LAGS = (1, 2, 4, 8)  # frames between which change is measured
PERIODS = 24  # ranges of the whole cepstrum, evenly spaced on a logarithmic axis
ROUGH_REGIONS = 10  # of bands, for roughness
CORRELATED_REGIONS = 16  # whose correlations are taken
MOVING_REGIONS = 12  # whose rises and falls are compared
_FLOOR = 1e-3  # kept below logarithms and divisions; the input's deviation is 1


class Texture(nn.Module):
    """Describe images by statistics over their frames.

    Every step is one that all engines of the runtime have: matrices and kernels that are fixed,
    absolute values, products, means, roots and logarithms.

    Parameters
    ----------
    bands, frames : int
        Size of the images, which are standardised.
    """

    cepstrum: torch.Tensor
    leading: torch.Tensor
    periods: torch.Tensor
    rough: torch.Tensor
    correlated: torch.Tensor
    moving: torch.Tensor
    upper: torch.Tensor
    lags: torch.Tensor
    step: torch.Tensor
    bend: torch.Tensor

    def __init__(self, bands: int, frames: int) -> None:
        super().__init__()
        if bands < 2 * COEFFICIENTS or frames <= 2 * max(LAGS):
            raise ConfigError(
                f"images of {bands} bands and {frames} frames: texture needs at least "
                f"{2 * COEFFICIENTS} bands and {2 * max(LAGS) + 1} frames"
            )
        cuts = np.unique(np.rint(np.geomspace(1, bands, PERIODS + 1)).astype(np.int64))
        upper = np.triu(np.ones((CORRELATED_REGIONS, CORRELATED_REGIONS)), 1)
        for name, array in {
            "cepstrum": dct_matrix(bands, bands),
            "leading": dct_matrix(COEFFICIENTS, bands),
            "periods": _averages(bands, cuts),
            "rough": _averages(bands - 2, _even(bands - 2, ROUGH_REGIONS)),
            "correlated": _averages(bands, _even(bands, CORRELATED_REGIONS)),
            "moving": _averages(bands, _even(bands, MOVING_REGIONS)),
            "upper": upper / frames,
            "lags": _differences(LAGS),
            "step": _differences((1,)),
            "bend": np.array([1.0, -2.0, 1.0]).reshape(1, 1, 3, 1),
        }.items():
            fixed = torch.from_numpy(np.array(array, np.float32))
            self.register_buffer(name, fixed, persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (windows, 1, bands, frames) to (windows, statistics)."""
        levels = images.transpose(2, 3)  # (windows, 1, frames, bands)
        regions = levels @ self.correlated
        statistics = (
            *self._shape(levels),
            *self._roughness(levels),
            self._correlation(regions),
            self._correlation(conv2d(regions, self.step)),
            *self._attacks(conv2d(levels @ self.moving, self.step)),
        )
        return torch.cat([part.flatten(1) for part in statistics], dim=1)

    def _shape(self, levels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Mean cepstrum, how far it strays, how far it moves in each lag, and its fineness."""
        leading = levels @ self.leading
        mean = leading.mean(dim=2, keepdim=True)
        moved = conv2d(leading, self.lags)
        fineness = (levels @ self.cepstrum).abs().mean(dim=2, keepdim=True) @ self.periods
        return mean, _log(_rms(leading - mean)), _log(_rms(moved)), _log(fineness)

    def _roughness(self, levels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Curvature along frames, along bands, and along the bands of the mean spectrum."""
        along_bands = self.bend.transpose(2, 3)
        spectrum = conv2d(levels.mean(dim=2, keepdim=True), along_bands).abs()
        bent = conv2d(levels, along_bands).abs().mean(dim=2, keepdim=True)
        # The outermost bands are left out, as they are of the curvature along bands.
        inner = torch.nn.functional.avg_pool2d(levels, (1, 3), stride=1)
        jumped = conv2d(inner, self.bend).abs().mean(dim=2, keepdim=True)
        return tuple(_log(part @ self.rough) for part in (jumped, bent, spectrum))

    def _correlation(self, regions: torch.Tensor) -> torch.Tensor:
        """Correlate regions over time; what is below the diagonal would say the same again."""
        centred = regions - regions.mean(dim=2, keepdim=True)
        unit = centred / (_rms(centred) + _FLOOR)
        return unit.transpose(2, 3) @ unit * self.upper

    def _attacks(self, steps: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Skewness of the steps, their evenness and their size."""
        size = _rms(steps) + _FLOOR
        unit = steps / size
        cubed = (unit * unit * unit).mean(dim=2, keepdim=True)
        return cubed, unit.abs().mean(dim=2, keepdim=True), size.log()


def _rms(values: torch.Tensor) -> torch.Tensor:
    """Root of the mean square over frames."""
    return (values * values).mean(dim=2, keepdim=True).sqrt()


def _log(values: torch.Tensor) -> torch.Tensor:
    return (values + _FLOOR).log()


def _even(size: int, parts: int) -> Int64:
    return np.rint(np.linspace(0, size, parts + 1)).astype(np.int64)


def _averages(size: int, cuts: Int64) -> Float32:
    """Columns that average the bands between neighbouring cuts, shape (size, cuts - 1)."""
    matrix = np.zeros((size, len(cuts) - 1), np.float32)
    for column, (start, stop) in enumerate(itertools.pairwise(cuts)):
        matrix[start:stop, column] = 1.0 / (stop - start)
    return matrix


def _differences(lags: tuple[int, ...]) -> Float32:
    """Kernels over frames that subtract the frame `lag` earlier, shape (lags, 1, longest, 1)."""
    kernels = np.zeros((len(lags), 1, max(lags) + 1, 1), np.float32)
    kernels[:, 0, 0] = -1.0
    for kernel, lag in zip(kernels, lags, strict=True):
        kernel[0, lag] = 1.0
    return kernels
