"""Live cost: what a hop of the live path costs, soon after its start and hours later.

`python -m genrekit.benchmarks.speed.live_cpu --hours 6` feeds two listeners, one of which has heard
hours already, with the same sound in turn, as a sound card would deliver it, and times each hop.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from genrekit.arrays import Float32
from genrekit.artifact.container import Artifact, read_artifact
from genrekit.artifact.packaged import choose_model
from genrekit.bench.machine.foreign_load import check_quiet
from genrekit.bench.machine.hardware import Machine, measured_machine
from genrekit.bench.paired import Latency, Ratio, time_rounds
from genrekit.classify.streams import CardStream
from genrekit.documents import write_document
from genrekit.engines.registry import load_engine
from genrekit.errors import ConfigError, GenreKitError
from genrekit.live.listener import Listener
from genrekit.live.smoothing import LiveConfig
from genrekit.live.sources import BLOCK_S, Block, Losses

from .synthetic_stream import second_of_sound, stretch

_YOUNG_S = 60  # seconds that the younger listener has heard
_SOUNDS = 16  # different hops of sound, over and over
_MOST_HOURS = 240.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LiveCost:
    """What one hop costs, from its samples to its genre.

    Parameters
    ----------
    model, engine : str
    hop_s : float
        Of sound.
    young_s, old_s : float
        Sound that the two listeners had heard before.
    young, old : Latency
    old_by_young : Ratio
        Of the same round.
    """

    kind: Literal["genrekit-live-cost"] = "genrekit-live-cost"
    schema: int = 1
    machine: Machine
    model: str
    engine: str
    hop_s: float
    young_s: float
    old_s: float
    young: Latency
    old: Latency
    old_by_young: Ratio


def measure(artifact: Artifact, hours: float, *, rounds: int, force: bool = False) -> LiveCost:
    """Time hops on both listeners.

    Parameters
    ----------
    artifact : Artifact
    hours : float
        Of sound that the older listener hears first, at least a minute.
    rounds : int
        Hops, on each.
    force : bool
        On a busy machine, too.

    Raises
    ------
    ConfigError
        If the machine is busy, or `hours` is out of bounds.
    """
    old_s = round(hours * 3600)
    if not _YOUNG_S <= old_s <= _MOST_HOURS * 3600:
        raise ConfigError(f"hours={hours}: must be {_YOUNG_S / 3600:.3f}..{_MOST_HOURS:g}")
    machine = measured_machine()
    check_quiet(machine.cores, force=force)
    rate, engine = artifact.card.features.sample_rate, load_engine(artifact)
    listeners = {
        name: Listener(artifact, engine, LiveConfig(), Losses()) for name in ("young", "old")
    }
    for name, seconds in (("young", _YOUNG_S), ("old", old_s)):
        for second in range(seconds):
            _hear(listeners[name], second_of_sound(second, rate, 0), rate)
    hop_s = CardStream(artifact.card).hop_s
    size = round(hop_s * rate)
    sounds = [stretch(index * size, size, rate, 1) for index in range(_SOUNDS)]
    tasks = {
        name: functools.partial(_hear_next, listener, itertools.cycle(sounds), rate)
        for name, listener in listeners.items()
    }
    seconds_of = time_rounds(tasks, rounds=rounds)
    return LiveCost(
        machine=machine,
        model=artifact.path.name,
        engine=engine.name,
        hop_s=hop_s,
        young_s=_YOUNG_S,
        old_s=old_s,
        young=Latency.of(seconds_of["young"]),
        old=Latency.of(seconds_of["old"]),
        old_by_young=Ratio.of(seconds_of["old"], seconds_of["young"]),
    )


def _hear_next(listener: Listener, sounds: Iterator[Float32], rate: int) -> None:
    _hear(listener, next(sounds), rate)


def _hear(listener: Listener, samples: Float32, rate: int) -> None:
    size = round(BLOCK_S * rate)
    for start in range(0, len(samples), size):
        listener.hear(Block(samples[start : start + size], rate, time.monotonic()))


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was found; return 0, or 1 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m genrekit.benchmarks.speed.live_cpu")
    parser.add_argument("--model", type=Path, metavar="M", help="default: the packaged model")
    parser.add_argument("--hours", type=float, default=6.0, help="of sound (default: 6)")
    parser.add_argument("--rounds", type=int, default=400, metavar="N", help="default: 400")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result")
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, too")
    args = parser.parse_args(argv)
    try:
        artifact = read_artifact(choose_model(args.model))
        found = measure(artifact, args.hours, rounds=args.rounds, force=args.force)
        if args.json:
            write_document(args.json, found)
    except (GenreKitError, OSError) as error:
        sys.stderr.write(f"live_cost: {error}\n")
        return 1
    ratio = found.old_by_young
    sys.stdout.write(
        f"a hop of {found.hop_s:.2f} s costs {found.young.p50_ms:.2f} ms after {_YOUNG_S} s and "
        f"{found.old.p50_ms:.2f} ms after {found.old_s / 3600:g} h: {ratio.median:.3f} times as "
        f"much ({ratio.ci95[0]:.3f} to {ratio.ci95[1]:.3f}), "
        f"{found.old.p50_ms / 1e3 / found.hop_s:.2%} of one core with {found.engine}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
