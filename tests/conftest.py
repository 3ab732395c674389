"""Fixtures that every folder's tests share."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import hypothesis
import pytest

# librosa's functions are compiled on first use and kept on disk by numba. Two processes that do
# so at once leave a file from which the next one crashes, so each test worker has its own.
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "genrekit"
_PLACE = hashlib.sha256(sys.prefix.encode()).hexdigest()[:12]
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["NUMBA_CACHE_DIR"] = str(_CACHE / "numba" / _PLACE / _WORKER)

# A busy machine stalls now and then; pytest's own timeout ends what hangs.
hypothesis.settings.register_profile("genrekit", deadline=None)
hypothesis.settings.load_profile("genrekit")


@pytest.fixture(scope="session")
def gtzan() -> Path:
    """Return the folder of real GTZAN material; it is read in place and never committed."""
    given = os.environ.get("GENREKIT_GTZAN")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "gtzan"
    folder = Path(given) if given else beside
    if folder.is_dir():
        return folder
    if given:
        pytest.fail(f"GENREKIT_GTZAN={given}: no such folder")
    pytest.skip(f"needs GTZAN at {beside}, or GENREKIT_GTZAN=/path/to/gtzan")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--strict-skips", action="store_true", help="a skipped test fails the run")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a strict run in which a test was skipped: CI has everything that tests need."""
    if not session.config.getoption("--strict-skips") or hasattr(session.config, "workerinput"):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and (skipped := reporter.stats.get("skipped")):
        reporter.write_line(f"{len(skipped)} skipped, which --strict-skips forbids", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
