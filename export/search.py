"""Search: all chains of compression for a run, timed side by side, and the one that fits."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from genrekit.runtime.errors import ConfigError
from genrekit.runtime.measure import Ratio, time_rounds

from .chain import Chain, Result, Workshop, onnx_logits

SHARES = (0.0, 0.25, 0.5, 0.75)  # of channels pruned
FLOAT = Chain(pruned=0.0, int8="none")
ROUNDS = 60


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What is asked for; exactly one of the three.

    Parameters
    ----------
    size : int or None
        Bytes at most: the most accurate within them is returned.
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
    latency_ms : float
        Median of one window, one thread.
    speedup : Ratio
        Time of the run's float network over this one's, round by round.
    """

    result: Result
    latency_ms: float
    speedup: Ratio


def chains() -> list[Chain]:
    """List what is tried: each calibration, and training under quantization, at each width."""
    whole = [Chain(int8=method) for method in ("minmax", "entropy", "percentile", "qat")]
    narrow = [Chain(pruned=p, int8=way) for p in SHARES[1:] for way in ("minmax", "qat")]
    return [FLOAT, *whole, *narrow]


def search(
    workshop: Workshop, tried: Sequence[Chain], *, on_progress: Callable[[int, int], None]
) -> list[Candidate]:
    """Make every candidate and time them in turn.

    Parameters
    ----------
    workshop : Workshop
    tried : sequence of Chain
        `FLOAT` is added where it is missing: everything is compared with it.
    on_progress : callable
        Called with candidates made and in all.
    """
    ways = list(dict.fromkeys((FLOAT, *tried)))
    results = []
    for done, chain in enumerate(ways, start=1):
        results.append(workshop.result(chain))
        on_progress(done, len(ways))
    window = np.random.default_rng(0).standard_normal((1, *workshop.spec.shape))
    inputs = (window.astype(np.float32),)
    tasks = {
        chain.name: functools.partial(
            onnx_logits(workshop.model(chain), workshop.spec.name), inputs
        )
        for chain in ways
    }
    seconds = time_rounds(tasks, rounds=ROUNDS)
    return [
        Candidate(
            result=result,
            latency_ms=float(np.median(seconds[result.chain.name]) * 1e3),
            speedup=Ratio.of(seconds[FLOAT.name], seconds[result.chain.name]),
        )
        for result in results
    ]


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
        fitting = [c for c in candidates if c.result.paired.difference >= bound - 1e-9]
        return min(fitting, key=lambda c: c.result.bytes)  # the float network itself always fits
    if not fitting:
        raise ConfigError(f"no candidate reaches the target: {closest}")
    return max(fitting, key=accuracy)


def warnings_of(candidates: Sequence[Candidate]) -> list[str]:
    """Name the int8 candidates that are larger or slower than the float network."""
    by_name: Mapping[str, Candidate] = {c.result.chain.name: c for c in candidates}
    plain = by_name[FLOAT.name]
    said = []
    for name, candidate in by_name.items():
        if candidate is plain:
            continue
        if candidate.result.bytes > plain.result.bytes:
            said.append(f"{name} is larger than the float network")
        if candidate.speedup.ci95[1] < 1.0:
            said.append(f"{name} is slower than the float network on this machine")
    return said


def frontier(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that no other beats in both size and accuracy, smallest first."""
    best: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: c.result.bytes):
        value = candidate.result.accuracy.value or 0.0
        if not best or value > (best[-1].result.accuracy.value or 0.0):
            best.append(candidate)
    return best
