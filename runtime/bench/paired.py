"""Measure: latencies in interleaved rounds, and ratios with intervals from the pairs.

A shared machine drifts while it is measured; what is timed in the same round drifts alike, so
two things are compared by the ratio within each round, never by two separate times.
"""

from __future__ import annotations

import dataclasses
import gc
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from ..arrays import Float64
from ..errors import ConfigError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """Distribution of one duration, in milliseconds.

    `p50_ci95_ms` is the 95 % interval of the median over the rounds of one sitting; it does not
    know how a machine drifts from one day to the next.
    """

    n: int
    mean_ms: float
    sd_ms: float
    p50_ms: float
    p50_ci95_ms: tuple[float, ...]
    p90_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, seconds: Float64) -> Latency:
        """Summarise durations, shape (rounds,), in seconds."""
        ms = np.sort(np.asarray(seconds) * 1e3)
        p50, p90, p95, p99 = (float(value) for value in np.percentile(ms, (50, 90, 95, 99)))
        return cls(
            n=len(ms),
            mean_ms=float(ms.mean()),
            sd_ms=float(ms.std(ddof=1)) if len(ms) > 1 else 0.0,
            p50_ms=p50,
            p50_ci95_ms=_median_interval(ms),
            p90_ms=p90,
            p95_ms=p95,
            p99_ms=p99,
            max_ms=float(ms.max()),
        )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """Median of the ratios of paired durations, with its 95 % interval."""

    median: float
    ci95: tuple[float, float]
    n: int

    @classmethod
    def of(cls, numerator: Float64, denominator: Float64) -> Ratio:
        """Compare durations pair by pair; both of shape (rounds,)."""
        ratios = np.sort(np.asarray(numerator) / np.asarray(denominator))
        return cls(median=float(np.median(ratios)), ci95=_median_interval(ratios), n=len(ratios))


def _median_interval(ordered: Float64) -> tuple[float, float]:
    """95 % interval of the median of sorted values, whatever their distribution.

    References
    ----------
    Order statistics around the median, by the normal approximation of the binomial (Conover,
    "Practical Nonparametric Statistics", section 3.2).
    """
    n = len(ordered)
    reach = 1.96 * np.sqrt(n) / 2
    low = max(0, int(np.floor(n / 2 - reach)))
    high = min(n - 1, int(np.ceil(n / 2 + reach)))
    return float(ordered[low]), float(ordered[high])


def time_rounds(
    tasks: Mapping[str, Callable[[], Any]], *, rounds: int, warmup: int = 3
) -> dict[str, Float64]:
    """Time several tasks in turn, round by round.

    Parameters
    ----------
    tasks : mapping of str to callable
        Every second round runs them in reverse, so that none always follows the same one.
    rounds : int
        Counted rounds, at least 1.
    warmup : int
        Rounds before that.

    Returns
    -------
    dict of str to float64, shape (rounds,)
        Seconds of each task in each round.
    """
    timed = {name: _stopwatch(task) for name, task in tasks.items()}
    return {
        name: np.array(seconds)
        for name, seconds in run_rounds(timed, rounds=rounds, warmup=warmup).items()
    }


def run_rounds(
    tasks: Mapping[str, Callable[[], T]], *, rounds: int, warmup: int = 3
) -> dict[str, list[T]]:
    """Run several tasks in turn, round by round, and keep what they return.

    Parameters are those of `time_rounds`; the garbage collector rests meanwhile.

    Returns
    -------
    dict of str to list
        What each task returned, in the order of the rounds, warm-up left out.
    """
    if rounds < 1 or warmup < 0:
        raise ConfigError(f"rounds={rounds}, warmup={warmup}: must be at least 1 and 0")
    for _ in range(warmup):
        for task in tasks.values():
            task()
    results: dict[str, list[T]] = {name: [] for name in tasks}
    order = list(tasks.items())
    collecting = gc.isenabled()
    gc.disable()
    try:
        for index in range(rounds):
            for name, task in order if index % 2 == 0 else reversed(order):
                results[name].append(task())
    finally:
        if collecting:
            gc.enable()
    return results


def second_run(task: Callable[[], Any]) -> Callable[[], float]:
    """Return a task that runs twice and tells the seconds of the second run.

    The first brings back into the caches what the other models and the products drove out.
    """

    def timed() -> float:
        task()
        start = time.perf_counter()
        task()
        return time.perf_counter() - start

    return timed


def fitting_rounds(round_s: float, *, budget_s: float, fewest: int = 30, most: int = 500) -> int:
    """Return how many rounds of `round_s` seconds fit a budget, within bounds."""
    return max(fewest, min(most, int(budget_s / max(round_s, 1e-9))))


def _stopwatch(task: Callable[[], Any]) -> Callable[[], float]:
    def timed() -> float:
        start = time.perf_counter()
        task()
        return time.perf_counter() - start

    return timed
