"""Engine speed: a model's graph alone, on one core beside its ceiling, and on more threads."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ..arrays import Float64
from ..engines.registry import load_engine
from .graph_cost.mac_count import Arithmetic
from .graph_cost.matmul_ceiling import Ceiling, Product, best, products
from .machine.foreign_load import idle_ticks
from .model_under_test import BenchSettings, Subject
from .paired import Latency, run_rounds, second_run, time_rounds
from .results import ThreadPoint

_LOOK_S = 0.25  # to find an idle core

_Key: TypeAlias = tuple[str, Arithmetic]  # engine and arithmetic


@dataclasses.dataclass(frozen=True, slots=True)
class EngineSpeeds:
    """Engines alone.

    Parameters
    ----------
    seconds : dict of str to float64, shape (rounds,)
        One window, by label of the model.
    ceilings : dict of str to Ceiling
        By label, too; models of the same engine and arithmetic share one.
    core : int or None
        Where it was measured; None where a process cannot be pinned.
    """

    seconds: dict[str, Float64]
    ceilings: dict[str, Ceiling]
    core: int | None


def time_engines(subjects: list[Subject], settings: BenchSettings) -> EngineSpeeds:
    """Time one window of every model and the products of every engine, in turn on one core."""
    keys: dict[str, _Key] = {s.label: (s.engine.name, s.operations.arithmetic) for s in subjects}
    found: dict[_Key, list[Product]] = {key: products(*key) for key in dict.fromkeys(keys.values())}
    tasks: dict[str, Callable[[], float]] = {
        s.label: second_run(lambda s=s: s.engine.run(s.inputs))  # type: ignore[misc]  # a lambda with a default
        for s in subjects
    }
    for key, group in found.items():
        tasks |= {f"{key} {product.size}": second_run(product.run) for product in group}
    with pinned() as core:
        results = run_rounds(tasks, rounds=settings.rounds_of(tasks.values()), warmup=10)
    seconds = {name: np.array(values) for name, values in results.items()}
    ceilings = {
        key: best([(p, float(np.median(seconds[f"{key} {p.size}"]))) for p in group])
        for key, group in found.items()
    }
    return EngineSpeeds(
        {label: seconds[label] for label in keys},
        {label: ceilings[key] for label, key in keys.items()},
        core,
    )


def sweep_threads(subject: Subject, settings: BenchSettings, cores: int) -> tuple[ThreadPoint, ...]:
    """Time one window with 1, 2, 4 ... threads up to all cores.

    NumPy's library chose its threads when NumPy was imported: for its engine there is nothing
    to sweep.
    """
    if subject.engine.name == "numpy":
        return ()
    counts = sorted({cores, *(1 << power for power in range(8) if 1 << power <= cores)})
    engines = {
        str(count): load_engine(subject.artifact, threads=count, engine=settings.engine)
        for count in counts
    }
    tasks = {
        name: lambda engine=engine: engine.run(subject.inputs) for name, engine in engines.items()
    }
    seconds = time_rounds(tasks, rounds=settings.rounds_of(tasks.values()))
    return tuple(
        ThreadPoint(threads=int(name), latency=Latency.of(values))
        for name, values in seconds.items()
    )


@contextlib.contextmanager
def pinned() -> Iterator[int | None]:
    """Keep this thread on one core while the context lasts: the idlest of the fastest."""
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    allowed = os.sched_getaffinity(0)
    before = idle_ticks()
    time.sleep(_LOOK_S)
    idle = {core: ticks - before.get(core, 0) for core, ticks in idle_ticks().items()}
    core = max(allowed, key=lambda core: (_fastest_khz(core), idle.get(core, 0), core))
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, allowed)


def _fastest_khz(core: int) -> int:
    try:
        path = Path(f"/sys/devices/system/cpu/cpu{core}/cpufreq/cpuinfo_max_freq")
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return 0
