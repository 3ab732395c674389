"""Songs that a model can tell apart, and finished runs on them."""

from __future__ import annotations

import dataclasses
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from genrekit.train.data.datasets import audio_source
from genrekit.train.models.registry import architecture
from genrekit.train.runs.run import Run
from genrekit.train.runs.trainer import Plan, train

RATE = 22_050
GENRES = ("clicks", "noise", "tones")


def compose(genre: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    seconds = np.arange(4 * RATE) / RATE
    if genre == "noise":
        return 0.2 * rng.standard_normal(len(seconds))
    if genre == "tones":
        return 0.3 * np.sin(2 * np.pi * rng.uniform(200, 800) * seconds)
    return (rng.random(len(seconds)) < 0.001).astype(float)


@pytest.fixture(scope="module")
def export_songs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder of three genres with eight tracks each; features stay out of the cache."""
    folder = tmp_path_factory.mktemp("songs")
    for index, genre in enumerate(GENRES):
        (folder / genre).mkdir()
        for track in range(8):
            samples = compose(genre, 100 * index + track)
            with wave.open(str(folder / genre / f"{genre}.{track:05d}.wav"), "wb") as file:
                file.setparams((1, 2, RATE, 0, "NONE", ""))
                file.writeframes((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENREKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield folder


def fit(songs: Path, model: str, folder: Path, **changes: int) -> Run:
    settings = dataclasses.replace(architecture(model).hyperparameters, **changes)  # type: ignore[arg-type]  # whole numbers only
    plan = Plan(source=audio_source(songs), model=model, hyperparameters=settings)
    return train(plan, folder, device="cpu", jobs=1)


@pytest.fixture(scope="module")
def vector_run(export_songs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return an MLP run that has learned its three genres."""
    folder = tmp_path_factory.mktemp("mlp") / "run"
    return fit(export_songs, "mlp", folder, epochs=20, batch_size=16)


@pytest.fixture(scope="module")
def image_run(export_songs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a ResNet18 run of two epochs."""
    folder = tmp_path_factory.mktemp("resnet18") / "run"
    return fit(export_songs, "resnet18", folder, epochs=2, batch_size=8)
