"""The running median against SciPy's and against a sort of every window, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import median_filter

from genrekit.arrays import Float32
from genrekit.errors import AudioError
from genrekit.features.hpss.median_filter import WIDTH, running_median


def scipy_median(values: Float32) -> Float32:
    filtered: Float32 = median_filter(values, size=(WIDTH, 1), mode="reflect")
    return filtered


def sorted_median(values: Float32) -> Float32:
    padded = np.pad(values, ((WIDTH // 2, WIDTH // 2), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WIDTH, axis=0)
    middle: Float32 = np.sort(windows, axis=-1)[..., WIDTH // 2]
    return middle


@pytest.mark.parametrize(
    ("n", "columns"),
    [
        *((n, 3) for n in (15, 16, 17, 30, 31, 32, 33, 47, 48)),
        (130, 1_025),  # 3 s, along time
        (1_025, 130),  # 3 s, along frequency
        (600, 5),  # more blocks than one pass takes
        (20, 4_600),  # more columns than one pass takes
    ],
)
def test_equals_scipy_bit_for_bit(n: int, columns: int) -> None:
    values = np.random.default_rng(n).exponential(size=(n, columns)).astype(np.float32)
    np.testing.assert_array_equal(running_median(values), scipy_median(values))


@pytest.mark.parametrize("n", range(1, 50))
def test_equals_the_middle_of_every_sorted_window(n: int) -> None:
    # SciPy 1.17 reads past the end of a signal of two values, so it is no judge of those.
    values = np.random.default_rng(n).standard_normal((n, 6)).astype(np.float32)
    np.testing.assert_array_equal(running_median(values), sorted_median(values))


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 120), levels=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_many_ties_make_no_difference(n: int, levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(-levels, levels, size=(n, 4)).astype(np.float32)
    np.testing.assert_array_equal(running_median(values), sorted_median(values))


def test_leaves_its_input_alone_and_takes_strided_views() -> None:
    values = np.random.default_rng(0).random((40, 50), dtype=np.float32)
    kept = values.copy()
    np.testing.assert_array_equal(
        running_median(values.T[::2]), scipy_median(np.ascontiguousarray(values.T[::2]))
    )
    np.testing.assert_array_equal(values, kept)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_refuses_an_empty_array(shape: tuple[int, int]) -> None:
    with pytest.raises(AudioError, match=f"{shape[0]} x {shape[1]} values"):
        running_median(np.zeros(shape, np.float32))
