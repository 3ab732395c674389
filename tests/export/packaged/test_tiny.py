"""The default model in the tree: what its card promises holds, on pictures and on songs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from genrekit.artifact.container import Artifact, read_artifact
from genrekit.artifact.packaged import packaged_models
from genrekit.classify.verification import verify
from genrekit.engines.registry import load_engine
from genrekit.export.packaged.tiny import agreement, export, fit, mp3_agreement
from genrekit.train.data.datasets import DataSource, open_dataset
from genrekit.train.data.splits import filtered_split
from genrekit.train.inputs.representation import cut_windows
from genrekit.train.inputs.spectrogram_pictures import read_stft_picture

LOG = Path(__file__).parents[3] / "benchmarks" / "results" / "tiny_model.json"


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    return read_artifact(packaged_models()["tiny"])


@pytest.mark.parametrize("engine", ["onnxruntime", "numpy"])
def test_it_verifies_in_both_engines(artifact: Artifact, engine: str) -> None:
    assert verify(artifact, engine=engine).passed


def test_it_is_small_and_says_what_it_is(artifact: Artifact) -> None:
    card = artifact.card
    assert artifact.size <= 1_000_000
    assert card.windowing.window_s == 5.0
    assert card.windowing.hop_s == 2.5
    assert card.windowing.short == "wrap"
    assert "filtered" in card.training.split
    assert "no licence" in card.limits
    assert {accuracy.n for accuracy in card.training.accuracy} == {290}


def test_its_log_tells_what_the_card_tells(artifact: Artifact) -> None:
    log = json.loads(LOG.read_text("utf-8"))
    assert log["bytes"] == artifact.size
    assert [row["accuracy"] for row in log["accuracy"]] == [
        row.accuracy for row in artifact.card.training.accuracy
    ]
    assert (log["valid"]["n"], log["test"]["n"]) == (197, 290)


def test_it_is_made_anew_from_the_pictures(artifact: Artifact, gtzan: Path, tmp_path: Path) -> None:
    again = export(fit(gtzan, tmp_path / "run"), tmp_path / "again.onnx")
    ours, theirs = artifact.card, again.card
    assert theirs.inputs == ours.inputs
    np.testing.assert_allclose(
        theirs.reference.logits, ours.reference.logits, atol=ours.reference.logit_tolerance
    )
    assert theirs.training.accuracy[0].accuracy == pytest.approx(
        ours.training.accuracy[0].accuracy, abs=2 / 290
    )


def test_its_accuracy_is_that_of_the_card(artifact: Artifact, gtzan: Path) -> None:
    source = DataSource(kind="images", path=str(gtzan / "stft_5s"), image_recipe="stft_5s")
    dataset = open_dataset(source)
    engine, (spec,) = load_engine(artifact), artifact.card.inputs
    right = []
    for track_id in filtered_split(dataset, gtzan / "splits").test:
        track = dataset.by_id()[track_id]
        frames = read_stft_picture(track.path, artifact.card.features)
        logits = engine.run({spec.name: cut_windows(frames, spec, [0])})[0]
        right.append(artifact.card.labels[int(logits.argmax())] == track.genre)
    # Kernels of other machines round otherwise: a track may tip over.
    assert abs(np.mean(right) - artifact.card.training.accuracy[0].accuracy) <= 2 / 290


def test_pictures_and_songs_are_given_the_same_label(artifact: Artifact, gtzan: Path) -> None:
    same = agreement(artifact, gtzan)
    assert same.n == 60
    assert same.value is not None
    assert same.value >= 0.9


def test_songs_keep_their_label_through_mp3(artifact: Artifact, gtzan: Path) -> None:
    same = mp3_agreement(artifact, gtzan)
    assert same.n == 60
    assert same.value is not None
    assert same.value >= 0.9
