"""The wheel on emulated Raspberry Pis: what x86 computes, they compute."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.arm64, pytest.mark.timeout(1_800)]


def here(*arguments: object) -> str:
    """Run the command line on this machine."""
    command = [sys.executable, "-m", "genrekit.runtime.cli", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def song(gtzan: Path) -> Path:
    return gtzan / "genres_original" / "jazz" / "jazz.00000.wav"


def test_features_equal_this_machines(pi: Any, song: Path) -> None:
    mine = json.loads(here("features", song, "--kind", "mfcc"))
    its = json.loads(pi.genrekit("features", song, "--kind", "mfcc"))
    np.testing.assert_allclose(its["frames"], mine["frames"], atol=1e-3)


def test_the_57_features_equal_this_machines(pi: Any, song: Path) -> None:
    mine = json.loads(here("features", song, "--kind", "tabular"))
    its = json.loads(pi.genrekit("features", song, "--kind", "tabular"))
    np.testing.assert_allclose(list(its.values()), list(mine.values()), rtol=1e-4, atol=1e-6)
