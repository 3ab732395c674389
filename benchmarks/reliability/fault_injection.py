"""Kills: commands ended by SIGKILL at random moments, begun again, compared with undisturbed runs.

`python -m genrekit.benchmarks.reliability.fault_injection --minutes 30 --json kills.json` takes
every command that writes, on tiny inputs, until each has its number of kills or the time, of which
each gets as much, is up; it adds to what the file has. Half of the kills fall at any moment, half
while a file is being written. After each, no file may be visible under its final name unless it is
whole, and no process may live on; in the end the same command, given once more, must finish with
what an undisturbed run gives. Exits with 1 if not.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from genrekit.bench.machine.hardware import Machine, measured_machine
from genrekit.documents import read_document, timestamp, write_document

from .integrity import find_files, find_leftovers, is_whole, snapshot
from .sandbox import Sandbox
from .scenarios import SCENARIOS, Scenario

COMMAND = "python -m genrekit.benchmarks.reliability.fault_injection"
_KILLS_IN_A_ROW = 6  # before a run is let finish
_SHORTEST_RUN = 0.2  # of what is left to do: earlier, Python is still importing
_STARTING = 0.3  # of the undisturbed time: what is left to do, at least
_POLL_S = 0.002


@dataclasses.dataclass(kw_only=True, slots=True)
class Kills:
    """What became of one scenario.

    Parameters
    ----------
    name : str
    command : str
    goal, kills, while_writing : int
        Kills aimed at, done, and how many of them struck while a file was being written.
    restarts : int
        Runs that were begun again after a kill.
    finished, identical : int
        Runs let finish after kills, and those of them that gave what an undisturbed run gives.
    half_files, survivors, refusals : int
        Files seen under their final names that were not whole; processes that lived on; runs
        that did not start or finish.
    leftovers : int
        Unfinished files, under names of their own, that were still there after the last run.
    """

    name: str
    command: str
    goal: int
    kills: int = 0
    while_writing: int = 0
    restarts: int = 0
    finished: int = 0
    identical: int = 0
    half_files: int = 0
    survivors: int = 0
    refusals: int = 0
    leftovers: int = 0

    @property
    def lost(self) -> int:
        """How often anything was lost, halved or left running."""
        return self.finished - self.identical + self.half_files + self.survivors + self.refusals


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class KillsDocument:
    """All scenarios of one run."""

    kind: Literal["genrekit-kills"] = "genrekit-kills"
    schema: Literal[1] = 1
    command: str
    created: str
    machine: Machine
    scenarios: tuple[Kills, ...]


class Killer:
    """Kills commands in a sandbox.

    Parameters
    ----------
    sandbox : Sandbox
    seed : int
        Of the moments.
    """

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self._workplace = sandbox
        self._random = random.Random(seed)  # noqa: S311 - moments, not secrets

    def trial(self, scenario: Scenario, tally: Kills) -> None:
        """Kill a command a few times in a row, let it finish, and compare."""
        sandbox = self._workplace
        expected, seconds = sandbox.undisturbed(scenario)
        sandbox.clear(scenario)
        before, killed, left = tally.kills, False, seconds
        for _ in range(min(_KILLS_IN_A_ROW, scenario.goal - tally.kills)):
            tally.restarts += killed
            start = time.monotonic()
            killed = self._kill_once(scenario, left, tally)
            left = max(left - (time.monotonic() - start), _STARTING * seconds)
            if not killed:
                break  # it was done before its moment came
        if tally.kills == before:
            return
        if killed:
            tally.restarts += 1
            if status := sandbox.run(scenario):
                print(f"{scenario.name}: exit status {status}: {sandbox.said()}", file=sys.stderr)
                tally.refusals += 1
                return
        tally.finished += 1
        found = snapshot(sandbox.out)
        tally.identical += found == expected
        if found != expected:
            names = [name for name in found | expected if found.get(name) != expected.get(name)]
            print(f"{scenario.name}: differs in {names}", file=sys.stderr)
        tally.leftovers += len(find_leftovers(sandbox.out))

    def _kill_once(self, scenario: Scenario, seconds: float, tally: Kills) -> bool:
        """Start a command that has about so many seconds to do, and kill it before the end."""
        sandbox = self._workplace
        in_a_write = not scenario.appends and self._random.random() < 0.5
        moment = time.monotonic() + seconds * self._random.uniform(_SHORTEST_RUN, 1.0)
        with sandbox.start(scenario) as process:
            while process.poll() is None:
                due = time.monotonic() >= moment
                writing = due and in_a_write and bool(find_leftovers(sandbox.out))
                if due and (writing or not in_a_write):
                    process.send_signal(signal.SIGKILL)
                    break
                time.sleep(_POLL_S)
        if process.returncode != -signal.SIGKILL:
            if process.returncode:
                tally.refusals += 1
                print(f"{scenario.name}: {sandbox.said()}", file=sys.stderr)
            return False
        tally.kills += 1
        tally.while_writing += bool(find_leftovers(sandbox.out))
        tally.survivors += sandbox.end_survivors()
        half = [path for path in find_files(sandbox.out) if not is_whole(path)]
        for path in half:
            print(f"{scenario.name}: {path} is not whole", file=sys.stderr)
        tally.half_files += len(half)
        return True


def _read(path: Path | None) -> tuple[Kills, ...]:
    if path is None or not path.exists():
        return ()
    return read_document(path, KillsDocument, command=COMMAND).scenarios


def run_kills(
    scenarios: tuple[Scenario, ...], *, minutes: float, seed: int, path: Path | None
) -> KillsDocument:
    """Kill every scenario in turns; add the figures to `path` after each turn."""
    known = {tally.name: tally for tally in _read(path)}
    tallies = [
        known.setdefault(
            s.name, Kills(name=s.name, command=" ".join(["genrekit", *s.arguments]), goal=s.goal)
        )
        for s in scenarios
    ]
    spent = {i: 0.0 for i, tally in enumerate(tallies) if tally.kills < tally.goal}
    end = time.monotonic() + 60.0 * minutes
    with tempfile.TemporaryDirectory(prefix="genrekit-kills-") as folder:
        killer = Killer(Sandbox(Path(folder), scenarios), seed)
        while (start := time.monotonic()) < end and spent:
            turn = min(spent, key=spent.__getitem__)
            killer.trial(scenarios[turn], tallies[turn])
            spent[turn] += time.monotonic() - start
            if tallies[turn].kills >= tallies[turn].goal:
                del spent[turn]
            if path is not None:
                write_document(path, _document(known))
    return _document(known)


def _document(tallies: dict[str, Kills]) -> KillsDocument:
    return KillsDocument(
        command=COMMAND,
        created=timestamp(),
        machine=measured_machine(),
        scenarios=tuple(tallies.values()),
    )


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Kill commands, and compare.")
    parser.add_argument("--minutes", type=float, default=30.0, metavar="M", help="default: 30")
    parser.add_argument("--seed", type=int, default=0, help="of the moments; another each time")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some scenarios")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    args = parser.parse_args()
    chosen = tuple(s for s in SCENARIOS if not args.only or s.name in args.only)
    document = run_kills(chosen, minutes=args.minutes, seed=args.seed, path=args.json)
    for tally in document.scenarios:
        print(
            f"{tally.name:24} {tally.kills:>4} kills, {tally.while_writing} while writing: "
            f"{tally.identical} of {tally.finished} identical, {tally.lost} lost"
        )
    return int(any(tally.lost for tally in document.scenarios))


if __name__ == "__main__":
    sys.exit(main())
