"""Running median of 31 neighbours along the first axis, exact, as a network of minima and maxima.

Sixteen neighbouring windows share their sixteen middle elements, so these are sorted once; the
fifteen others of each window come in sorted runs of 8, 4, 2 and 1 that the sort has produced on
its way, and each run is shared by as many windows as it is long. At every halving only the
elements that can still become the median are kept. That makes 24 minima or maxima per median,
each over whole arrays, where sorting every window alone would take hundreds.

Convention: windows are centred; beyond its ends the signal is mirrored with the edge repeated
(d c b a | a b c d | d c b a), as in `scipy.ndimage.median_filter(mode="reflect")`.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Float32, Int64
from ...errors import AudioError

WIDTH = 31  # elements per window
_GROUP = (WIDTH + 1) // 2  # windows that share one sorted core; a power of two
# Columns of one network pass: enough to hide the cost of calls, few enough for the cache. Not a
# power of two: rows 4 KiB apart evict each other (2048 columns took 3 times as long as 2080).
_LANES = 4_500
_MAX_BLOCKS = 32  # blocks of one pass along the signal; two more are read as its margins


def running_median(values: Float32) -> Float32:
    """Return the median of the `WIDTH` rows around each row, column by column.

    Parameters
    ----------
    values : float32, shape (n, columns)
        Finite values.

    Returns
    -------
    float32, shape (n, columns)
        Equal, bit for bit, to scipy's `median_filter(values, size=(31, 1), mode="reflect")`.

    Raises
    ------
    AudioError
        If there are no values.

    References
    ----------
    .. [1] Batcher, K. E. "Sorting networks and their applications." AFIPS, 1968 (bitonic merge).
    .. [2] Adams, A. "Fast median filters using separable sorting networks." ACM Transactions on
       Graphics 40(4), 2021 (windows share their sorted parts).
    """
    n, columns = values.shape
    if not values.size:
        raise AudioError(f"a running median of {n} x {columns} values: nothing to filter")
    index = _block_index(n)
    n_groups = index.shape[1] - 2
    medians = np.empty((n_groups, _GROUP, columns), np.float32)
    # Made once: the system takes freed arrays of this size back, and new ones cost 5 times as much.
    buffers = np.empty((7, _GROUP, _LANES), np.float32)
    for first in range(0, n_groups, _MAX_BLOCKS):
        last = min(first + _MAX_BLOCKS, n_groups)
        blocks = index[:, first : last + 2]
        step = _LANES // blocks.shape[1]
        for left in range(0, columns, step):
            part = slice(left, min(left + step, columns))
            width = part.stop - left
            lanes, *free = buffers[:, :, : blocks.shape[1] * width]
            for lane, rows in zip(lanes, blocks, strict=True):
                lane.reshape(-1, width)[:] = values[rows, part]
            found = _medians(lanes, width, free)
            medians[first:last, :, part] = found.reshape(_GROUP, -1, width).swapaxes(0, 1)
    return medians.reshape(-1, columns)[:n]


def _block_index(n: int) -> Int64:
    """Return the rows of each padded block, shape (16, groups + 2).

    Group k's windows start at padded rows 16 k + 1 to 16 k + 16: their core is block k + 1, their
    other rows are in blocks k and k + 2. The very first padded row is in no window.
    """
    n_groups = -(-n // _GROUP)
    mirrored = np.arange(-_GROUP, (n_groups + 1) * _GROUP, dtype=np.int64) % (2 * n)
    mirrored = np.minimum(mirrored, 2 * n - 1 - mirrored)
    return np.ascontiguousarray(mirrored.reshape(n_groups + 2, _GROUP).T)


def _medians(lanes: Float32, block: int, free: list[Float32]) -> Float32:
    """Return the medians of each group's windows, shape (16, lanes - 2 * block).

    `lanes[j]` holds element j of every block; the next block stands `block` columns on. `free`
    are buffers of the same shape; the result is in one of them.
    """
    runs, size = {1: lanes}, 1
    while size < _GROUP:
        runs[2 * size] = _merge(runs[size], size, free)
        size *= 2
    kept = runs[_GROUP][:, block:-block]
    free = [buffer[:, block:-block] for buffer in free]
    while size > 1:
        size //= 2
        kept = _narrow(kept, runs[size], size, block, free)
    return kept


def _merge(runs: Float32, size: int, free: list[Float32]) -> Float32:
    """Merge neighbouring sorted runs of `size` rows into runs of twice that."""
    target = free.pop()
    pairs, merged = _halves(runs, size), _halves(target, size)
    np.minimum(pairs[:, 0], pairs[:, 1, ::-1], out=merged[:, 0])
    np.maximum(pairs[:, 0], pairs[:, 1, ::-1], out=merged[:, 1])
    return _sort_bitonic(target, size, free)


def _narrow(kept: Float32, runs: Float32, size: int, block: int, free: list[Float32]) -> Float32:
    """Split each group of 2 * size windows in two, giving either half the run that it shares.

    `kept` has the 2 * size middle elements of each group's core. The first half of the windows
    adds the last run before the core (from block k), the second half the first run behind it
    (from block k + 2). Of these 3 * size elements the `size` middle ones are kept.
    """
    target = free.pop()
    core, shared, narrowed = _halves(kept, size), _halves(runs, size), _halves(target, size)
    for half, run in enumerate((shared[:, 1, :, : -2 * block], shared[:, 0, :, 2 * block :])):
        # A bitonic half-cleaner, twice: it drops the lowest third, then the highest.
        upper = np.maximum(core[:, 0], run[:, ::-1], out=narrowed[:, half])
        np.minimum(upper, core[:, 1], out=upper)
    free.append(kept)
    return _sort_bitonic(target, size, free)


def _sort_bitonic(runs: Float32, size: int, free: list[Float32]) -> Float32:
    """Sort bitonic runs of `size` rows; `runs` is overwritten and may go to `free`."""
    while size > 1:
        size //= 2
        target = free.pop()
        pairs, sorted_pairs = _halves(runs, size), _halves(target, size)
        np.minimum(pairs[:, 0], pairs[:, 1], out=sorted_pairs[:, 0])
        np.maximum(pairs[:, 0], pairs[:, 1], out=sorted_pairs[:, 1])
        free.append(runs)
        runs = target
    return runs


def _halves(rows: Float32, size: int) -> Float32:
    """View rows as (pairs of runs, 2, size, lanes)."""
    return rows.reshape(-1, 2, size, rows.shape[1])
