"""Search: all candidates of a run, timed side by side, and the one that fits a target."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from genrekit.bench.paired import Ratio, run_rounds, second_run
from genrekit.errors import ConfigError

from .candidates import CandidateFactory, R, Result

ROUNDS = 60


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What is asked for; exactly one of the three.

    Parameters
    ----------
    size : int or None
        Bytes at most, card included: the most accurate within them is returned.
    latency_ms : float or None
        Of one window on one thread, at most: likewise.
    max_loss : float or None
        Points of validation accuracy at most below the run's network: the smallest file.
    """

    size: int | None = None
    latency_ms: float | None = None
    max_loss: float | None = None

    def __post_init__(self) -> None:
        given = [
            value for value in (self.size, self.latency_ms, self.max_loss) if value is not None
        ]
        if len(given) != 1 or given[0] < 0:
            raise ConfigError("name exactly one target: a size, a latency or a loss, not negative")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A result with its speed on this machine.

    Parameters
    ----------
    result : Result
        Not rejected.
    latency_ms : float
        Median of one window, one thread.
    speedup : Ratio
        Time of the run's plain network over this one's, round by round.
    against_float : Ratio
        Time of the same network in float over this one's.
    float_bytes : int
        Size of that one.
    """

    result: Result
    latency_ms: float
    speedup: Ratio
    against_float: Ratio
    float_bytes: int


def make_all(
    factory: CandidateFactory[R], tried: Sequence[R], *, on_progress: Callable[[int, int], None]
) -> list[Result]:
    """Make every candidate; rejected ones are among them.

    Parameters
    ----------
    factory : CandidateFactory
    tried : sequence of recipes
    on_progress : callable
        Called with candidates made and in all.
    """
    results = []
    for done, recipe in enumerate(tried, start=1):
        results.append(factory.result(recipe))
        on_progress(done, len(tried))
    return results


def time_all(factory: CandidateFactory[R], tried: Sequence[R]) -> list[Candidate]:
    """Time the candidates that are not rejected, in turn.

    Parameters
    ----------
    factory : CandidateFactory
        Has made them.
    tried : sequence of recipes
        The plain one among them: all are compared with it.
    """
    results = {recipe.name: factory.result(recipe) for recipe in tried}
    usable = [recipe for recipe in tried if results[recipe.name].rejected is None]
    tasks = {recipe.name: second_run(factory.timed(recipe)) for recipe in usable}
    seconds = {name: np.array(taken) for name, taken in run_rounds(tasks, rounds=ROUNDS).items()}
    plain = factory.plain.name
    found = []
    for recipe in usable:
        taken, result = seconds[recipe.name], results[recipe.name]
        twin = recipe.float_name if recipe.float_name in tasks else plain
        found.append(
            Candidate(
                result=result,
                latency_ms=float(np.median(taken) * 1e3 / factory.windows_at_once),
                speedup=Ratio.of(seconds[plain], taken),
                against_float=Ratio.of(seconds[twin], taken),
                float_bytes=results[twin].bytes,
            )
        )
    return found


def choose(candidates: Sequence[Candidate], target: Target) -> Candidate:
    """Return the candidate that a target asks for.

    Raises
    ------
    ConfigError
        If none reaches it; says how close they come.
    """

    def accuracy(candidate: Candidate) -> tuple[float, int]:
        return candidate.result.accuracy.value or 0.0, -candidate.result.bytes

    if target.size is not None:
        fitting = [c for c in candidates if c.result.bytes <= target.size]
        closest = f"the smallest has {min(c.result.bytes for c in candidates):,} bytes"
    elif target.latency_ms is not None:
        fitting = [c for c in candidates if c.latency_ms <= target.latency_ms]
        closest = f"the fastest takes {min(c.latency_ms for c in candidates):.2f} ms"
    else:
        bound = -(target.max_loss or 0.0) / 100
        fitting = [c for c in candidates if _difference(c) >= bound - 1e-9]
        return min(fitting, key=lambda c: c.result.bytes)  # the plain network itself always fits
    if not fitting:
        raise ConfigError(f"no candidate reaches the target: {closest}")
    return max(fitting, key=accuracy)


def warnings_of(candidates: Sequence[Candidate]) -> list[str]:
    """Name the candidates that are larger or slower than the same network in float."""
    said = []
    for candidate in candidates:
        name = candidate.result.name
        if candidate.result.bytes > candidate.float_bytes:
            said.append(f"{name} is larger than the same network in float")
        if candidate.against_float.ci95[1] < 1.0:
            said.append(f"{name} is slower than the same network in float on this machine")
    return said


def frontier(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that no other beats in both size and accuracy, smallest first."""
    best: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: c.result.bytes):
        value = candidate.result.accuracy.value or 0.0
        if not best or value > (best[-1].result.accuracy.value or 0.0):
            best.append(candidate)
    return best


def _difference(candidate: Candidate) -> float:
    paired = candidate.result.paired
    return paired.difference if paired else -1.0
