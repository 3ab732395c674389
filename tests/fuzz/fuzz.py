"""Coverage-guided fuzzing of every target with atheris: `make fuzz MINUTES=10`.

Each target runs in a process of its own, starting from the committed corpus and from what earlier
runs found (`build/fuzz`). Address space is limited, so that a promise of gigabytes fails. An input
that breaks a bound is written to `tests/fuzz/regressions`, where the tests find it.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "fuzz"
MAX_INPUT_BYTES = 4_096
_SPARE_ADDRESS_SPACE = 2 << 30  # above what the process has when it starts
_LARGEST_TURN_S = 120.0
_ENDLESS_S = 900
_INTERRUPTED = 72  # libFuzzer's exit status when it is told to stop


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What one process did to one target."""

    inputs: int
    cpu_s: float
    peak_mb: int
    features: int
    crashed: bool


def main() -> int:
    """Fuzz every target in turns until the time is up; return 1 if one broke a bound."""
    args = _parse()
    if args.child:
        _fuzz(args.child, args.seconds)
    names = args.target or _target_names()
    turns: dict[str, list[Turn]] = {name: [] for name in names}
    before = _read(args.json) if args.json else {}
    end = time.monotonic() + 60.0 * args.minutes
    while time.monotonic() < end:
        for place, name in enumerate(names):
            share = (end - time.monotonic()) / (len(names) - place)
            turns[name].append(_take_turn(name, min(_LARGEST_TURN_S, share)))
            if args.json:
                _write(args.json, before, turns)
    for name, done in turns.items():
        crashes = sum(turn.crashed for turn in done)
        inputs = sum(turn.inputs for turn in done)
        print(f"{name:14} {inputs:>12,} inputs  {crashes} broken bounds")
    return int(any(turn.crashed for done in turns.values() for turn in done))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0, metavar="M", help="default: 1")
    parser.add_argument("--target", action="append", metavar="NAME", help="default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the figures to this file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0.0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _target_names() -> list[str]:
    return sorted(folder.name for folder in (HERE / "corpus").iterdir())


def _take_turn(name: str, seconds: float) -> Turn:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    log = BUILD / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        command = [sys.executable, __file__, "--child", name, "--seconds", str(seconds)]
        code = subprocess.run(command, stdout=output, stderr=output, check=False).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = log.read_text("utf-8", "replace")
    if code not in (0, _INTERRUPTED):
        print(f"{name}: broke a bound, see {log}\n{text[-2_000:]}", flush=True)
    return Turn(
        inputs=_figure(r"stat::number_of_executed_units:\s*(\d+)", text),
        cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        peak_mb=_figure(r"stat::peak_rss_mb:\s*(\d+)", text),
        features=_figure(r"ft: (\d+)", text),
        crashed=code not in (0, _INTERRUPTED),
    )


def _figure(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def _fuzz(name: str, seconds: float) -> None:
    """Fuzz one target in this process; libFuzzer ends it."""
    import atheris

    import genrekit  # noqa: F401 - found by setuptools' hook, its modules by atheris's

    with atheris.instrument_imports(include=["genrekit"]):
        from bounds import attempt_watched
        from targets import TARGETS

    target = TARGETS[name]
    found = BUILD / "corpus" / name
    found.mkdir(parents=True, exist_ok=True)
    crashes = HERE / "regressions" / name
    crashes.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-max_len={MAX_INPUT_BYTES}",
        "-print_final_stats=1",
        "-verbosity=1",
        # By the clock, so only for what never ends: `bounds` counts the CPU's seconds.
        f"-timeout={_ENDLESS_S}",
        f"-report_slow_units={_ENDLESS_S}",
        f"-artifact_prefix={crashes}/",
    ]
    atheris.Setup(
        [sys.argv[0], *options, str(found), str(HERE / "corpus" / name)],
        lambda data: attempt_watched(target, data),
    )
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + _SPARE_ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    atheris.Fuzz()


Figures = dict[str, dict[str, float]]


def _read(path: Path) -> Figures:
    """Return what earlier runs wrote."""
    if not path.exists():
        return {}
    figures: Figures = json.loads(path.read_text("utf-8"))["targets"]
    return figures


def _write(path: Path, before: Figures, turns: dict[str, list[Turn]]) -> None:
    """Write the figures so far, added to those of earlier runs; whole or not at all."""
    from genrekit.files import write_whole

    targets = dict(before)
    for name, done in turns.items():
        old = before.get(name, {})
        now = {
            "inputs": sum(turn.inputs for turn in done),
            "cpu_s": round(sum(turn.cpu_s for turn in done), 1),
            "broken_bounds": sum(turn.crashed for turn in done),
        }
        targets[name] = {key: old.get(key, 0) + value for key, value in now.items()}
        most = {
            "peak_mb": max((turn.peak_mb for turn in done), default=0),
            "coverage_features": max((turn.features for turn in done), default=0),
        }
        targets[name] |= {key: max(old.get(key, 0), value) for key, value in most.items()}
    document = {
        "command": "python tests/fuzz/fuzz.py --json FILE, as often as wanted",
        "updated": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "max_input_bytes": MAX_INPUT_BYTES,
        "inputs": sum(figures["inputs"] for figures in targets.values()),
        "targets": dict(sorted(targets.items())),
    }
    write_whole(path, json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
