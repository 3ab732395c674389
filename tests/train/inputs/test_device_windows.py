"""What a model is trained on is what the device computes: the promise that all else rests on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrekit.artifact.card import Card
from genrekit.artifact.sections import Accuracy, Compression, Probe, Reference, Training
from genrekit.classify.streams import CardStream
from genrekit.train.data.datasets import Track, audio_source
from genrekit.train.inputs.presets import feature_vector, log_mel_image, mel_of_db_image
from genrekit.train.inputs.representation import Representation, measure_normalisation
from genrekit.train.inputs.windows import load_windowed_dataset


def _card(representation: Representation) -> Card:
    return Card(
        schema=1,
        name="test",
        task="single-label-classification",
        labels=("a", "b"),
        features=representation.features,
        inputs=representation.inputs,
        output="logits",
        windowing=representation.windowing,
        aggregation="mean-probability",
        training=Training(
            architecture="none",
            data="none",
            synthetic=False,
            split="none",
            seed=0,
            accuracy=(Accuracy(split="none", n=1, accuracy=0.5, ci95=(0.0, 1.0)),),
        ),
        compression=Compression(steps=(), source_bytes=1, label_agreement=None, agreement_n=0),
        licence="Apache-2.0",
        intended_use="a test",
        limits="a test",
        reference=Reference(
            signal="none",
            probes=(Probe(input="none", index=(0,), value=(0.0,), tolerance=1.0),),
            logits=(0.0, 0.0),
            logit_tolerance=1.0,
        ),
        model_sha256="",
        card_sha256="",
    )


def segment_vector() -> Representation:
    return feature_vector(window_s=3.0)


@pytest.mark.parametrize("seconds", [30.013, 6.2, 2.0])
@pytest.mark.parametrize("represent", [log_mel_image, mel_of_db_image, segment_vector])
def test_training_windows_are_the_device_s_windows(
    tmp_path: Path, gtzan: Path, represent: type[Representation], seconds: float
) -> None:
    song = gtzan / "genres_original" / "disco" / "disco.00001.wav"
    samples = soundfile.read(song, dtype="float32")[0][: round(seconds * 22_050)]
    path = tmp_path / "song.wav"
    soundfile.write(path, samples, 22_050, subtype="FLOAT")
    track = Track("a.00000", "a", path)
    blank = represent()
    windowed = load_windowed_dataset(audio_source(tmp_path), [track], blank, ("a", "b"))
    (features,) = windowed.features[track.id]
    representation = blank
    if blank.inputs[0].feature != "mel_of_db":
        representation = blank.normalised((measure_normalisation([features]),))
    trained_on = dataclasses.replace(windowed, representation=representation).windows(track.id)[0]
    stream = CardStream(_card(representation))
    windows = [*stream.push(samples), *stream.flush()]
    computed = np.stack([window[representation.inputs[0].name] for window in windows])
    assert len(computed) >= 1
    assert computed.shape == trained_on.shape
    np.testing.assert_allclose(computed, trained_on, atol=2e-3)
