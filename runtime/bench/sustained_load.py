"""Sustained: one prediction after another for minutes, and what the machine makes of it.

A passively cooled board is fast for a minute and slow after five.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .machine.sensors import Reading, Sensors
from .paired import Latency

_MOST_POINTS = 600


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SustainedPoint:
    """One interval of a sustained run: predictions in it, their median, and the sensors after."""

    elapsed_s: float
    predictions: int
    p50_ms: float
    clock_mhz: float | None
    temperature_c: float | None
    throttled: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Sustained:
    """A sustained run.

    Parameters
    ----------
    seconds : float
    predictions : int
    latency : Latency
        Over all of it.
    slowdown : float
        Median of the last fifth of the time, divided by that of the first.
    throttle_events : int or None
        How often the processor was slowed meanwhile; None where the kernel does not count.
    energy_j, energy_per_prediction_j : float or None
        Of everything that the meter covers, idle share included; None without a meter.
    points : tuple of SustainedPoint
    """

    seconds: float
    predictions: int
    latency: Latency
    slowdown: float
    throttle_events: int | None
    energy_j: float | None
    energy_per_prediction_j: float | None
    points: tuple[SustainedPoint, ...]


def sustain(
    task: Callable[[], Any], seconds: float, sensors: Sensors, *, interval_s: float = 1.0
) -> Sustained:
    """Repeat a task for so many seconds and watch.

    Parameters
    ----------
    task : callable
        One prediction.
    seconds : float
        Above 0.
    sensors : Sensors
    interval_s : float
        Between two looks at the sensors; longer where a run would have over 600 points.
    """
    interval_s = max(interval_s, seconds / _MOST_POINTS)
    first = last = sensors.read()
    start = looked = time.perf_counter()
    durations: list[float] = []
    points: list[SustainedPoint] = []
    counted = 0
    integrated_j = 0.0
    while looked - start < seconds:
        before = time.perf_counter()
        task()
        now = time.perf_counter()
        durations.append(now - before)
        if now - looked < interval_s and now - start < seconds:
            continue
        integrated_j += (last.power_w or 0.0) * (now - looked)
        last = sensors.read()
        points.append(_point(now - start, durations[counted:], last))
        counted, looked = len(durations), now
    elapsed = looked - start
    energy_j = _energy_j(first, last, integrated_j)
    return Sustained(
        seconds=elapsed,
        predictions=len(durations),
        latency=Latency.of(np.array(durations)),
        slowdown=_slowdown(durations, elapsed),
        throttle_events=None
        if first.throttle_events is None or last.throttle_events is None
        else last.throttle_events - first.throttle_events,
        energy_j=energy_j,
        energy_per_prediction_j=None if energy_j is None else energy_j / len(durations),
        points=tuple(points),
    )


def _point(elapsed_s: float, durations: list[float], reading: Reading) -> SustainedPoint:
    return SustainedPoint(
        elapsed_s=elapsed_s,
        predictions=len(durations),
        p50_ms=float(np.median(durations)) * 1e3,
        clock_mhz=reading.clock_mhz,
        temperature_c=reading.temperature_c,
        throttled=reading.throttled_now,
    )


def _slowdown(durations: list[float], elapsed_s: float) -> float:
    ends = np.cumsum(durations)
    early = np.asarray(durations)[ends <= max(elapsed_s / 5, ends[0])]
    late = np.asarray(durations)[ends >= min(elapsed_s * 4 / 5, ends[-1])]
    return float(np.median(late) / np.median(early))


def _energy_j(first: Reading, last: Reading, integrated_j: float) -> float | None:
    if first.energy_j is not None and last.energy_j is not None:
        return last.energy_j - first.energy_j
    return integrated_j if first.power_w is not None else None
