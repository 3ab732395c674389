"""Fixtures that every folder's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

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
