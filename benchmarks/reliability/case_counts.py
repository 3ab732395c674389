"""Cases: the tests about reliability, run and counted for its table.

`python -m genrekit.benchmarks.reliability.case_counts --json cases.json` runs them with pytest, in
a checkout. Exits with 1 if one fails or is skipped.
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from genrekit.bench.machine.hardware import Machine, measured_machine
from genrekit.documents import timestamp, write_document
from genrekit.errors import DataError, GenreKitError

COMMAND = "python -m genrekit.benchmarks.reliability.case_counts"
TESTS = Path(__file__).parents[2] / "tests"
# What is tested, and where.
SUBJECTS = {
    "models from strangers, through every command under an audit hook": (
        "security/test_hostile_models.py",
        "runtime/engines/graphs/test_check.py",
    ),
    "odd files, names and numbers on the command line": ("security/test_hostile_files.py",),
    "inputs that once broke a bound, and almost valid ones": ("fuzz/test_fuzz.py",),
    "faults of a live source, alone and in any order": (
        "runtime/live/test_faults.py",
        "runtime/live/test_microphone.py",
    ),
    "two at once: processes, threads, folders, files": (
        "runtime/library/test_library.py",
        "runtime/classify/test_classifier.py",
        "runtime/test_files.py",
        "runtime/test_locks.py",
        "runtime/library/test_process_pool.py",
    ),
    "nothing unpickled, no package that could open a socket": ("test_architecture.py",),
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Cases:
    """What became of one subject's tests.

    Parameters
    ----------
    subject : str
    files : tuple of str
    run, failed : int
        Failed counts errors and skipped tests, too.
    """

    subject: str
    files: tuple[str, ...]
    run: int
    failed: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CasesDocument:
    """All subjects of one run."""

    kind: Literal["genrekit-cases"] = "genrekit-cases"
    schema: Literal[1] = 1
    command: str
    created: str
    machine: Machine
    subjects: tuple[Cases, ...]


def run_cases(subject: str, files: tuple[str, ...]) -> Cases:
    """Run the tests of one subject.

    Raises
    ------
    DataError
        If pytest could not run them.
    """
    with tempfile.TemporaryDirectory(prefix="genrekit-cases-") as folder:
        report = Path(folder) / "report.xml"
        paths = [str(TESTS / file) for file in files]
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *paths]
        subprocess.run(command, cwd=TESTS.parent, check=False)  # noqa: S603 - our own tests
        found = count(subject, files, report.read_text("utf-8")) if report.is_file() else None
        if not found or not found.run:
            raise DataError(f"pytest did not run {', '.join(files)}")
        return found


def count(subject: str, files: tuple[str, ...], report: str) -> Cases:
    """Read pytest's report."""
    suites = list(ElementTree.fromstring(report).iter("testsuite"))  # noqa: S314 - pytest wrote it

    def total(*names: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites for name in names)

    failed = total("failures", "errors", "skipped")
    return Cases(subject=subject, files=files, run=total("tests"), failed=failed)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Run and count tests.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts here")
    args = parser.parse_args()
    try:
        document = CasesDocument(
            command=COMMAND,
            created=timestamp(),
            machine=measured_machine(),
            subjects=tuple(run_cases(subject, files) for subject, files in SUBJECTS.items()),
        )
        if args.json:
            write_document(args.json, document)
    except GenreKitError as error:
        print(f"genrekit: {error}", file=sys.stderr)
        return 1
    for cases in document.subjects:
        print(f"{cases.subject}: {cases.run} run, {cases.failed} failed")
    return int(any(cases.failed for cases in document.subjects))


if __name__ == "__main__":
    sys.exit(main())
