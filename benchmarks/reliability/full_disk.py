"""Disks: commands that write, on a disk that is full and on one that is read-only.

`python -m genrekit.benchmarks.reliability.full_disk --json disks.json`, as root, mounts a small
tmpfs. Each command must say in one line what could not be written, leave what was there, and show
no half file; given more room and called again, it must finish with what an undisturbed run gives.
Exits with 1 if not. What the file holds of other commands (`--only`) stays.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from genrekit.bench.machine.hardware import Machine, measured_machine
from genrekit.documents import read_document, timestamp, write_document
from genrekit.errors import GenreKitError

from .integrity import find_files, is_whole, snapshot
from .sandbox import Sandbox
from .scenarios import SCENARIOS, Scenario

COMMAND = "python -m genrekit.benchmarks.reliability.full_disk"
_SHARES = (0.0, 0.3, 0.7)  # of the room that a command needs
_BLOCK = 4_096
_AMPLE = 1 << 30
_KEPT = "kept.txt"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DiskTrial:
    """One command on one disk.

    Parameters
    ----------
    name : str
    disk : str
        "read-only", or how full.
    refused_in_one_line, others_kept, all_whole : bool
        Whether it said so in one line and failed; whether what was there is as it was; whether
        no half file is visible.
    finished_later : bool
        Whether the same command, with room, then gives what an undisturbed run gives.
    """

    name: str
    disk: str
    refused_in_one_line: bool
    others_kept: bool
    all_whole: bool
    finished_later: bool

    @property
    def passed(self) -> bool:
        """Whether nothing was lost."""
        return all(
            (self.refused_in_one_line, self.others_kept, self.all_whole, self.finished_later)
        )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DisksDocument:
    """All trials of one run."""

    kind: Literal["genrekit-disks"] = "genrekit-disks"
    schema: Literal[1] = 1
    command: str
    created: str
    machine: Machine
    trials: tuple[DiskTrial, ...]


def try_disks(sandbox: Sandbox, scenario: Scenario) -> Iterator[DiskTrial]:
    """Run a command on disks of several sizes and on a read-only one."""
    expected, _ = sandbox.undisturbed(scenario)
    after = _room(sandbox.out)
    sandbox.clear(scenario)
    before = _room(sandbox.out)
    for share in _SHARES:
        size = before + _BLOCK * (2 + int(share * (after - before) / _BLOCK))
        with _disk(sandbox.out, size):
            sandbox.furnish(scenario)
            yield _try(sandbox, scenario, expected, f"full: {share:.0%} of the room it needs")
    with _disk(sandbox.out, _AMPLE):
        sandbox.furnish(scenario)
        yield _try(sandbox, scenario, expected, "read-only")


def _try(sandbox: Sandbox, scenario: Scenario, expected: dict[str, str], disk: str) -> DiskTrial:
    kept = sandbox.out / _KEPT
    kept.write_text("kept\n", "utf-8")
    if disk == "read-only":
        _remount(sandbox.out, "ro")
    status, said = sandbox.run(scenario), sandbox.said()
    lines = [line for line in said.splitlines() if line.startswith("genrekit: ")]
    one_line = status == 1 and len(lines) == 1 and "Traceback" not in said
    if not one_line:
        print(f"{scenario.name}, {disk}: exit status {status}: {said[-1_000:]}", file=sys.stderr)
    whole = all(is_whole(path) for path in find_files(sandbox.out) if path != kept)
    was_kept = kept.read_text("utf-8") == "kept\n"
    _remount(sandbox.out, f"rw,size={_AMPLE}")
    finished = sandbox.run(scenario) == 0
    found = {name: digest for name, digest in snapshot(sandbox.out).items() if name != _KEPT}
    if not finished or found != expected:
        print(f"{scenario.name}, {disk}: later: {sandbox.said()[-1_000:]}", file=sys.stderr)
    return DiskTrial(
        name=scenario.name,
        disk=disk,
        refused_in_one_line=one_line,
        others_kept=was_kept,
        all_whole=whole,
        finished_later=finished and found == expected,
    )


def _read(path: Path) -> tuple[DiskTrial, ...]:
    if not path.exists():
        return ()
    return read_document(path, DisksDocument, command=COMMAND).trials


def _room(folder: Path) -> int:
    """Return the bytes that a folder's files take on a tmpfs, where folders take none."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(-(-path.stat().st_size // _BLOCK) * _BLOCK for path in files)


@contextlib.contextmanager
def _disk(folder: Path, size: int) -> Iterator[None]:
    _call("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield
    finally:
        _call("umount", str(folder))


def _remount(folder: Path, options: str) -> None:
    _call("mount", "-o", f"remount,{options}", str(folder))


def _call(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - mount, umount
    if result.returncode:
        raise GenreKitError(f"{' '.join(command)}: {result.stderr.strip()}: run it as root")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Fill disks, and compare.")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some scenarios")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes here")
    args = parser.parse_args()
    if os.geteuid():
        print("genrekit: mounting a disk needs root", file=sys.stderr)
        return 1
    chosen = tuple(s for s in SCENARIOS if not args.only or s.name in args.only)
    trials: list[DiskTrial] = []
    with tempfile.TemporaryDirectory(prefix="genrekit-disks-") as folder:
        sandbox = Sandbox(Path(folder), chosen)
        for scenario in chosen:
            for trial in try_disks(sandbox, scenario):
                trials.append(trial)
                print(f"{'ok' if trial.passed else 'LOST':5} {trial.name}: {trial.disk}")
    if args.json:
        names = {scenario.name for scenario in chosen}
        others = [trial for trial in _read(args.json) if trial.name not in names]
        document = DisksDocument(
            command=COMMAND,
            created=timestamp(),
            machine=measured_machine(),
            trials=(*others, *trials),
        )
        write_document(args.json, document)
    return int(not all(trial.passed for trial in trials))


if __name__ == "__main__":
    sys.exit(main())
