"""Pictures and songs: what is drawn anew is what GTZAN's pictures show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genrekit.audio.decoding import load_audio
from genrekit.benchmarks.reproduction.analysis.picture_agreement import (
    PIXELS,
    drawn_anew,
    picture_agreement,
)
from genrekit.train.data.datasets import DataSource
from genrekit.train.inputs.presets import mel_picture
from genrekit.train.runs.run import Run
from genrekit.train.runs.trainer import Plan, train

TRACKS = ("blues.00000", "classical.00000", "metal.00000")


@pytest.mark.parametrize("name", TRACKS)
def test_a_picture_drawn_anew_shows_what_the_collection_s_shows(gtzan: Path, name: str) -> None:
    genre = name.partition(".")[0]
    song = sorted((gtzan / "genres_original" / genre).glob("*.wav"))[0]
    with Image.open(gtzan / "spectrograms" / genre / f"{song.stem}.png") as image:
        shown = np.asarray(image.convert("L"), np.float32)[::-1].T / 255
    drawn = drawn_anew(load_audio(song, 22_050).samples, 22_050)
    assert drawn.shape == shown.shape == (PIXELS, PIXELS)
    assert np.corrcoef(drawn.ravel(), shown.ravel())[0, 1] > 0.9
    assert np.abs(drawn.mean() - shown.mean()) < 0.06


def test_silence_can_be_drawn() -> None:
    assert not drawn_anew(np.zeros(22_050, np.float32), 22_050).any()


@pytest.fixture(scope="module")
def runs(gtzan: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Return a quick run on each kind of picture."""
    found = {}
    for recipe, folder in (("stft_5s", "stft_5s"), ("plain", "spectrograms")):
        plan = Plan(
            source=DataSource(kind="images", path=str(gtzan / folder), image_recipe=recipe),  # type: ignore[arg-type]  # one of both
            model="texture_discriminant",
            protocol="filtered",
            splits_folder=gtzan / "splits",
            representation=mel_picture() if recipe == "plain" else None,
        )
        place = tmp_path_factory.mktemp(folder) / "run"
        found[folder] = train(plan, place, device="cpu", jobs=1)
    return found


def test_a_model_of_pictures_hears_in_songs_what_it_saw(runs: dict[str, Run]) -> None:
    (five_seconds,) = picture_agreement(runs["stft_5s"])
    (whole,) = picture_agreement(runs["spectrograms"])
    assert five_seconds.n == whole.n == 60
    assert five_seconds.value >= 0.9
    assert five_seconds.note == "from the runtime's own features"
    assert 0.6 < whole.value < 1.0
    assert whole.note == "from pictures drawn anew"


def test_without_songs_beside_the_pictures_nothing_is_said(
    runs: dict[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "genrekit.benchmarks.reproduction.analysis.picture_agreement.SONGS", ("elsewhere",)
    )
    assert picture_agreement(runs["stft_5s"]) == []
