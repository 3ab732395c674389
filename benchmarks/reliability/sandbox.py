"""Sandbox: tiny runs of commands, to be disturbed and compared with undisturbed ones."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from genrekit.errors import EngineError

from .integrity import snapshot
from .scenarios import INPUTS, Scenario

_MARK = "GENREKIT_WORKPLACE"  # in the environment of everything that is started here
_END_S = 10.0  # within which every process of a killed run must be gone


class Sandbox:
    """Runs commands one at a time.

    Parameters
    ----------
    folder : Path
        For everything; `out` in it is what commands write to.
    scenarios : tuple of Scenario
        What they start from is made first.

    Raises
    ------
    EngineError
        If that fails.
    """

    def __init__(self, folder: Path, scenarios: tuple[Scenario, ...]) -> None:
        self.out = folder / "out"
        self._program = Path(sys.executable).with_name("genrekit")
        self._inputs, self._log = folder / "inputs", folder / "log"
        self._mark = f"{_MARK}={folder}"
        self._undisturbed: dict[str, tuple[dict[str, str], float]] = {}
        for made in INPUTS:
            place, others = f"{{inputs}}/{made.name}", [s for s in INPUTS if s is not made]
            users = (*scenarios, *others)
            if any(place in user.arguments or user.takes == made.name for user in users):
                self._finish(made)

    def undisturbed(self, scenario: Scenario) -> tuple[dict[str, str], float]:
        """Return what a command leaves when nothing happens to it, and its time in seconds."""
        if scenario.name not in self._undisturbed:
            self.clear(scenario)
            start = time.monotonic()
            self._finish(scenario)
            self._undisturbed[scenario.name] = snapshot(self.out), time.monotonic() - start
        return self._undisturbed[scenario.name]

    def clear(self, scenario: Scenario) -> None:
        """Empty the folder that commands write to, but for what this one works in."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True, exist_ok=True)
        self.furnish(scenario)

    def furnish(self, scenario: Scenario) -> None:
        """Copy what a command works in to the folder that it writes to."""
        if scenario.takes:
            shutil.copytree(self._inputs / scenario.takes, self.out / scenario.takes)

    def start(self, scenario: Scenario) -> subprocess.Popen[bytes]:
        """Start a command."""
        command = scenario.command(self._program, self._inputs, self.out)
        name, _, value = self._mark.partition("=")
        environment = scenario.environment(self._inputs, self.out) | {name: value}
        with self._log.open("wb") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - ours

    def run(self, scenario: Scenario) -> int:
        """Run a command to its end; return its exit status."""
        with self.start(scenario) as process:
            return process.wait()

    def said(self) -> str:
        """Return what the last command printed."""
        return self._log.read_text("utf-8", "backslashreplace").strip()

    def end_survivors(self) -> int:
        """Wait for every process of a killed run to end; end those that do not, and count them."""
        end = time.monotonic() + _END_S
        while (living := self._living()) and time.monotonic() < end:
            time.sleep(0.02)
        for process in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return len(living)

    def _finish(self, scenario: Scenario) -> None:
        if status := self.run(scenario):
            raise EngineError(f"{scenario.name}: exit status {status}: {self.said()}")

    def _living(self) -> list[int]:
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (folder / "environ").read_bytes().split(b"\0")
                if folder.name.isdigit() and self._mark.encode() in words:
                    found.append(int(folder.name))
        return found
