"""Reliability: one table of what was done to the kit, how often, and what was lost.

`make reliability MINUTES=30` fuzzes every parser, kills every command that writes, fills disks
under them and runs the tests of all that, adding the figures to those in `benchmarks/results`, and
then writes `reliability.md` beside them with this module, which only reads.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genrekit.documents import read_document
from genrekit.errors import GenreKitError
from genrekit.files import read_bounded, write_whole

from . import case_counts, fault_injection, full_disk

COMMAND = "python -m genrekit.benchmarks.reliability.summary"
RESULTS = Path(__file__).parents[1] / "results"
_MAX_BYTES = 1 << 20

_HEAD = """# Reliability

What was done, how many times, and what was lost. `make reliability MINUTES=30` repeats it and adds
to the figures, which are in `fuzz.json`, `kills.json`, `disks.json` and `cases.json` beside this
page; a smaller number than its goal means that the time was up. An input that broke a bound is kept
in `tests/fuzz/regressions`, and its parser was mended.

"""


def describe(folder: Path) -> str:
    """Render the figures in a folder as Markdown.

    Raises
    ------
    ConfigError, FileError
        If a figure file is missing or not what its command writes.
    """
    rows = [
        *_fuzz_rows(folder),
        *_kill_rows(folder),
        *_disk_rows(folder),
        *_case_rows(folder),
    ]
    head = ["| what | how often | how it ended | lost |", "|---|--:|---|--:|"]
    return _HEAD + "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _fuzz_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    content = read_bounded(folder / "fuzz.json", _MAX_BYTES)
    document: dict[str, Any] = json.loads(content)
    for name, figures in document["targets"].items():
        yield (
            f"fuzzed `{name}`",
            f"{figures['inputs']:,} inputs",
            f"only `GenreKitError`, at most 1 s and 64 MB each; {figures['cpu_s']:.0f} s of CPU",
            str(figures["broken_bounds"]),
        )
    broken = sum(figures["broken_bounds"] for figures in document["targets"].values())
    yield "all targets", f"{document['inputs']:,} inputs", "", str(broken)


def _kill_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    document = read_document(
        folder / "kills.json", fault_injection.KillsDocument, command=fault_injection.COMMAND
    )
    for tally in document.scenarios:
        yield (
            f"SIGKILL of `{tally.name}`",
            f"{tally.kills} of {tally.goal}",
            f"{tally.while_writing} in the middle of a write; {tally.identical} of "
            f"{tally.finished} restarted runs ended as undisturbed, {tally.half_files} half files, "
            f"{tally.survivors} processes and {tally.leftovers} unfinished files left",
            str(tally.lost),
        )


def _disk_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    document = read_document(
        folder / "disks.json", full_disk.DisksDocument, command=full_disk.COMMAND
    )
    for name in dict.fromkeys(trial.name for trial in document.trials):
        trials = [trial for trial in document.trials if trial.name == name]
        yield (
            f"full and read-only disk under `{name}`",
            str(len(trials)),
            "one line each; with room, the same command went on to the same result",
            str(sum(not trial.passed for trial in trials)),
        )


def _case_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    document = read_document(
        folder / "cases.json", case_counts.CasesDocument, command=case_counts.COMMAND
    )
    for subject in document.subjects:
        where = ", ".join(f"`tests/{file}`" for file in subject.files)
        yield subject.subject, f"{subject.run} tests", where, str(subject.failed)


def main() -> int:
    """Run the command."""
    try:
        write_whole(RESULTS / "reliability.md", describe(RESULTS))
    except GenreKitError as error:
        print(f"genrekit: {error}", file=sys.stderr)
        return 1
    print(RESULTS / "reliability.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
