"""Warp: windows of another tempo, pitch and tone that keep their level and spread."""

from __future__ import annotations

import numpy as np
import pytest

from genrekit.train.inputs import augmentation
from genrekit.train.inputs.augmentation import warp


def windows(n: int = 8) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (3.0 + 2.0 * rng.standard_normal((n, 1, 24, 40))).astype(np.float32)


def test_mean_and_deviation_stay_and_the_source_is_left_alone() -> None:
    source = windows()
    kept = source.copy()
    warped = warp(source, np.random.default_rng(1))
    np.testing.assert_array_equal(source, kept)
    assert warped.dtype == np.float32
    axes = (1, 2, 3)
    np.testing.assert_allclose(warped.mean(axes), source.mean(axes), rtol=1e-4)
    np.testing.assert_allclose(warped.std(axes), source.std(axes), rtol=1e-4)
    assert np.abs(warped - source).mean() > 0.1


def test_bands_and_frames_are_moved_apart_from_each_other() -> None:
    steady = np.broadcast_to(np.arange(24.0)[:, None], (4, 1, 24, 40)).astype(np.float32)
    warped = warp(steady, np.random.default_rng(0))
    # What does not change in time stays so, and its bands end elsewhere.
    np.testing.assert_allclose(warped, np.broadcast_to(warped[..., :1], warped.shape), atol=1e-4)
    assert np.abs(warped - steady).max() > 0.2


@pytest.mark.parametrize("shift", [-2.5, 0.0, 1.25])
def test_positions_are_a_line_reflected_at_both_ends(shift: float) -> None:
    places = augmentation._positions(16, 1.1, shift)
    assert places.min() >= 0
    assert places.max() <= 15
    line = (np.arange(16) - 7.5) * 1.1 + 7.5 + shift
    inside = (line >= 0) & (line <= 15)
    np.testing.assert_allclose(places[inside], line[inside], rtol=1e-5)


def test_the_same_seed_gives_the_same_windows() -> None:
    first, second = (warp(windows(), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
