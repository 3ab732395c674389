"""The musicnn wheel, fetched once into the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from genrekit.train.data.musicnn import REQUIREMENT, fetch_musicnn


@pytest.fixture(scope="session")
def musicnn_wheel() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "genrekit" / "musicnn"
    found = list(cache.glob("*.whl"))
    if not found:
        command = ["download", "--no-deps", "--quiet", "--dest", str(cache), REQUIREMENT]
        subprocess.run([sys.executable, "-m", "pip", *command], check=True)
        found = list(cache.glob("*.whl"))
    return found[0]


@pytest.fixture(scope="session")
def musicnn_weights(musicnn_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("musicnn")
    fetch_musicnn(out, wheel=musicnn_wheel)
    return out / "MSD_musicnn.safetensors"
