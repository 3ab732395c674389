"""Arrays: their types in signatures, and views of sliding windows that copy nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Float32: TypeAlias = "NDArray[np.float32]"
Float64: TypeAlias = "NDArray[np.float64]"
Complex64: TypeAlias = "NDArray[np.complex64]"
Int64: TypeAlias = "NDArray[np.int64]"

Real = TypeVar("Real", np.float32, np.float64)


def sliding(
    values: NDArray[Real], size: int, *, count: int, first: int = 0, step: int = 1
) -> NDArray[Real]:
    """View `count` overlapping windows.

    NumPy's own `sliding_window_view` refuses windows whose sizes add up to over 2 GB on a 32-bit
    machine, however little memory they share, and each call makes a dict whose keys grow CPython's
    table of interned strings in a process that runs for months. So a view is made of one block of
    windows at a time, by the array constructor.

    Parameters
    ----------
    values : shape (n,), contiguous
    size : int
        Values per window.
    count : int
        Windows; the last must end within `values`.
    first : int
        Where the first begins.
    step : int
        Values between the starts of neighbours.

    Returns
    -------
    shape (count, size)
        To be read only: neighbours share memory.
    """
    width = values.itemsize
    return np.ndarray(
        (count, size), values.dtype, values, first * width, strides=(step * width, width)
    )
