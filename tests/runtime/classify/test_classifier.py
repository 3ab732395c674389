"""From a song to ranked genres, and the proof of an artifact."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrekit.artifact.card import Card
from genrekit.artifact.container import Artifact, write_artifact
from genrekit.audio.decoding import Audio
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.prediction import rank, softmax
from genrekit.classify.reference import reference_signal
from genrekit.classify.verification import verify
from genrekit.engines.registry import load_engine
from genrekit.errors import ArtifactError, AudioError, ConfigError
from genrekit.features.config import FeatureConfig
from genrekit.features.kinds import extract


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven seconds of noise that gets darker, in stereo at 44.1 kHz."""
    rng = np.random.default_rng(1)
    samples = 0.1 * rng.standard_normal((7 * 44_100, 2))
    samples[3 * 44_100 :] = np.cumsum(samples[3 * 44_100 :], axis=0) * 0.02
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, np.clip(samples, -1, 1), 44_100, subtype="FLOAT")
    return path


def test_a_song_gets_the_mean_of_its_windows(artifact: Artifact, song: Path) -> None:
    classifier = GenreClassifier.load(artifact.path)
    prediction = classifier.classify(song)
    assert prediction.duration_s == pytest.approx(7.0)
    assert [segment.start_s for segment in prediction.segments] == pytest.approx(
        [0.0, 65 * 512 / 22_050, 130 * 512 / 22_050]
    )
    assert sum(score.probability for score in prediction.ranking) == pytest.approx(1.0)
    assert {score.label for score in prediction.ranking} == set(artifact.card.labels)
    assert prediction.ranking[0].label == prediction.label
    assert set(prediction.latency_ms) == {"decode", "resample", "features", "inference", "total"}
    assert prediction.latency_ms["total"] >= max(
        value for stage, value in prediction.latency_ms.items() if stage != "total"
    )


def test_samples_in_memory_give_what_the_model_says_of_their_features(artifact: Artifact) -> None:
    rng = np.random.default_rng(2)
    samples = (0.1 * rng.standard_normal(66_150)).astype(np.float32)
    prediction = GenreClassifier.load(artifact.path).classify(Audio(samples, 22_050))
    level = extract("log_mel", samples, artifact.card.features)
    window = ((level.T - level.mean()) / level.std())[None, None]
    logits = load_engine(artifact).run({"x": window.astype(np.float32)})
    best = int(logits[0].argmax())
    assert prediction.label == artifact.card.labels[best]
    assert prediction.probability == pytest.approx(softmax(logits)[0, best], abs=1e-4)


def test_a_clip_of_one_sample_has_a_genre_and_an_empty_one_has_none(artifact: Artifact) -> None:
    classifier = GenreClassifier.load(artifact.path)
    assert classifier.classify(Audio(np.ones(1, np.float32), 22_050)).label in artifact.card.labels
    with pytest.raises(AudioError):
        classifier.classify(Audio(np.zeros(0, np.float32), 22_050))


def test_threads_share_one_classifier(artifact: Artifact, song: Path) -> None:
    classifier = GenreClassifier.load(artifact.path)
    expected = classifier.classify(song).ranking
    found = []
    workers = [
        threading.Thread(target=lambda: found.append(classifier.classify(song).ranking))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [expected] * 4


def test_an_artifact_verifies_and_a_changed_one_does_not(
    artifact: Artifact, tmp_path: Path
) -> None:
    outcome = verify(artifact)
    assert outcome.passed
    assert outcome.engine == "onnxruntime"
    card = artifact.card
    (probe,) = card.reference.probes
    other_values = dataclasses.replace(probe, value=tuple(v + 0.1 for v in probe.value))
    other_logits = tuple(value + 1.0 for value in card.reference.logits)
    for reference in (
        dataclasses.replace(card.reference, probes=(other_values,)),
        dataclasses.replace(card.reference, logits=other_logits),
    ):
        changed = dataclasses.replace(card, reference=reference)
        assert not verify(write_artifact(tmp_path / "x.onnx", artifact.model, changed)).passed


def test_an_unknown_reference_signal_is_refused(artifact: Artifact) -> None:
    reference = dataclasses.replace(artifact.card.reference, signal="genrekit-reference-9")
    card = dataclasses.replace(artifact.card, reference=reference)
    with pytest.raises(ArtifactError, match="'genrekit-reference-9' is unknown"):
        verify(dataclasses.replace(artifact, card=card))


def test_the_reference_signal_fills_every_band_and_never_changes() -> None:
    signal = reference_signal(66_150, 22_050)
    level = extract(
        "log_mel",
        signal,
        FeatureConfig(top_db=None),
    )
    assert level.min() > -60.0
    assert np.abs(signal).max() < 1.0
    assert signal[[0, 1, 22_050, 66_149]] == pytest.approx(
        reference_signal(66_150, 22_050)[[0, 1, 22_050, 66_149]]
    )


def test_a_card_that_does_not_fit_its_model_is_refused(artifact: Artifact, card: Card) -> None:
    two = dataclasses.replace(card.reference, logits=(0.0, 0.0))
    for changed, message in (
        (dataclasses.replace(card, labels=("a", "b"), reference=two), r"its card says \[None, 2"),
        (dataclasses.replace(card, output="probabilities"), "its card says .*probabilities"),
    ):
        with pytest.raises(ArtifactError, match=message):
            load_engine(dataclasses.replace(artifact, card=changed))


def test_settings_out_of_bounds_are_named(artifact: Artifact) -> None:
    with pytest.raises(ConfigError, match="threads=0"):
        load_engine(artifact, threads=0)
    with pytest.raises(ConfigError, match=r"'litert' does not run \.onnx"):
        load_engine(artifact, engine="litert")


def test_ranking_sorts_and_keeps_the_labels_order_of_equals() -> None:
    scores = rank(np.array([0.2, 0.4, 0.4]), ("c", "b", "a"))
    assert [score.label for score in scores] == ["b", "a", "c"]
