"""Bench compare: what got slower, larger or hungrier since an older document, beyond noise."""

from __future__ import annotations

import dataclasses

from ..errors import ConfigError
from .paired import Latency
from .results import BenchDocument, ModelBench

# Two sittings differ by more than the rounds of either know: another layout in memory, another
# neighbour. 5 % is chosen, not measured: what one sitting and the next may differ by.
BETWEEN_SITTINGS = 0.05
_SIZE_TOLERANCE = 0.01
_MEMORY_TOLERANCE = 0.05
_CEILING_TOLERANCE = 0.10


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One quantity of one model, then and now.

    Parameters
    ----------
    model, quantity : str
    unit : str
    before, after : float
    regressed : bool
        Worse beyond noise.
    """

    model: str
    quantity: str
    unit: str
    before: float
    after: float
    regressed: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class BenchComparison:
    """All changes, and what to keep in mind about them."""

    changes: tuple[Change, ...]
    warnings: tuple[str, ...]

    @property
    def regressed(self) -> bool:
        """Whether anything got worse beyond noise."""
        return any(change.regressed for change in self.changes)


def compare_bench(old: BenchDocument, new: BenchDocument) -> BenchComparison:
    """Compare documents of one machine, model by model.

    A latency regressed if the interval of its median now lies above that of then, 5 % added.

    Raises
    ------
    ConfigError
        If the machines, or the threads, differ, or no model is in both.
    """
    mine, yours = (
        (d.machine.cpu, d.machine.board, d.machine.cores, d.conditions.threads) for d in (old, new)
    )
    if mine != yours:
        raise ConfigError(
            f"measured on {mine[0]}, {mine[2]} cores, {mine[3]} threads then, on {yours[0]}, "
            f"{yours[2]} cores, {yours[3]} threads now: times of different machines do not compare"
        )
    then = {model.model: model for model in old.models}
    pairs = [(then[model.model], model) for model in new.models if model.model in then]
    if not pairs:
        raise ConfigError(f"no model in both: {', '.join(then)} then; give models the same names")
    changes, warnings = [], []
    for before, after in pairs:
        changes += _changes(before, after)
        if before.engine != after.engine:
            warnings.append(f"{after.model}: run by {before.engine} then, {after.engine} now")
        moved = after.efficiency.ceiling.macs_per_s / before.efficiency.ceiling.macs_per_s
        if abs(moved - 1.0) > _CEILING_TOLERANCE:
            warnings.append(
                f"{after.model}: the machine itself reached {moved:.0%} of its matrix products' "
                "speed of then"
            )
    return BenchComparison(changes=tuple(changes), warnings=tuple(dict.fromkeys(warnings)))


def _changes(before: ModelBench, after: ModelBench) -> list[Change]:
    name = after.model
    times = {
        "single stream": (before.single_stream.total, after.single_stream.total),
        "features": (before.single_stream.features, after.single_stream.features),
        "engine alone": (before.engine_alone, after.engine_alone),
        "offline": (before.offline.total, after.offline.total),
        "cold start": (before.cold_start.total, after.cold_start.total),
    }
    found = [
        Change(
            model=name,
            quantity=quantity,
            unit="ms",
            before=old.p50_ms,
            after=new.p50_ms,
            regressed=is_slower(old, new),
        )
        for quantity, (old, new) in times.items()
    ]
    sizes = {
        "file size": (before.bytes, after.bytes, _SIZE_TOLERANCE),
        "peak memory": (before.memory.peak, after.memory.peak, _MEMORY_TOLERANCE),
    }
    return found + [
        Change(
            model=name,
            quantity=quantity,
            unit="bytes",
            before=old,
            after=new,
            regressed=new > old * (1.0 + tolerance),
        )
        for quantity, (old, new, tolerance) in sizes.items()
    ]


def is_slower(before: Latency, after: Latency) -> bool:
    """Whether the median rose beyond both intervals and what two sittings differ by."""
    return after.p50_ci95_ms[0] > before.p50_ci95_ms[1] * (1.0 + BETWEEN_SITTINGS)
