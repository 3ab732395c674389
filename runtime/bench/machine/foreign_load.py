"""Disturbance: how much of the processor is taken by others while something is measured.

The load average lags by a minute and counts what only waits; the kernel's tick counters tell
what ran between two moments, and a process knows its own share of that.
"""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

from ...errors import ConfigError

HEAVY = 0.25  # of all cores: latencies of more disturbed rounds say little
NOTICEABLE = 0.10


@dataclasses.dataclass(frozen=True, slots=True)
class CpuTimes:
    """Processor time spent so far, in seconds.

    Parameters
    ----------
    wall_s : float
        A clock.
    busy_s : float or None
        By everyone, over all cores, time stolen by a hypervisor included; None where the
        kernel does not tell.
    own_s : float
        By this process and its finished children.
    """

    wall_s: float
    busy_s: float | None
    own_s: float

    @classmethod
    def now(cls, stat: Path = Path("/proc/stat")) -> CpuTimes:
        """Read the counters."""
        return cls(time.monotonic(), _busy_s(stat), sum(os.times()[:4]))


def foreign_load(before: CpuTimes, after: CpuTimes, cores: int) -> float | None:
    """Share of all cores, 0..1, that others kept busy between two moments; None if unknown."""
    if before.busy_s is None or after.busy_s is None:
        return None
    foreign_s = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    wall_s = after.wall_s - before.wall_s
    return min(1.0, max(0.0, foreign_s / (wall_s * cores))) if wall_s > 0.0 else 0.0


def check_quiet(cores: int, *, seconds: float = 1.0, force: bool = False) -> float | None:
    """Look whether this machine is quiet enough to measure on.

    Parameters
    ----------
    cores : int
    seconds : float
        How long to look.
    force : bool
        Only look, refuse nothing.

    Returns
    -------
    float or None
        As `foreign_load`.

    Raises
    ------
    ConfigError
        If other processes keep a quarter of the cores or more busy.
    """
    before = CpuTimes.now()
    time.sleep(seconds)
    load = foreign_load(before, CpuTimes.now(), cores)
    if load is not None and load >= HEAVY and not force:
        raise ConfigError(
            f"other processes use {load:.0%} of this machine, over {HEAVY:.0%}: the figures would "
            "be theirs; stop them, or measure all the same with --force"
        )
    return load


def idle_ticks(stat: Path = Path("/proc/stat")) -> dict[int, int]:
    """Return how long each core was idle since the start, in kernel ticks; empty if unknown."""
    try:
        rows = [line.split() for line in stat.read_text("ascii").splitlines()]
    except (OSError, ValueError):
        return {}
    return {
        int(row[0][3:]): int(row[4])
        for row in rows
        if len(row) > 4 and row[0].startswith("cpu") and row[0][3:].isdigit()
    }


def _busy_s(stat: Path) -> float | None:
    try:
        words = stat.read_text("ascii").split("\n", 1)[0].split()
        ticks = [int(word) for word in words[1:9]]
    except (OSError, ValueError):
        return None
    if words[:1] != ["cpu"] or len(ticks) < 8:
        return None
    user, nice, system, _idle, _waiting, irq, softirq, steal = ticks
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
