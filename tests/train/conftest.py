"""Songs made of tones, noise and clicks: enough for a model to tell apart."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

RATE = 22_050
SECONDS = 4.0
GENRES = ("clicks", "noise", "tones")
TRACKS_PER_GENRE = 6


def write_song(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())


def compose(genre: str, seed: int, seconds: float = SECONDS) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    if genre == "noise":
        return 0.2 * rng.standard_normal(len(time))
    if genre == "tones":
        return 0.3 * np.sin(2 * np.pi * rng.uniform(200, 800) * time)
    return (rng.random(len(time)) < 0.001).astype(float)


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of three genres with six tracks each."""
    folder = tmp_path_factory.mktemp("songs")
    for genre in GENRES:
        for index in range(TRACKS_PER_GENRE):
            seed = 100 * GENRES.index(genre) + index
            write_song(folder / genre / f"{genre}.{index:05d}.wav", compose(genre, seed))
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests' features out of the user's cache, and share them between tests."""
    monkeypatch.setenv("GENREKIT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
