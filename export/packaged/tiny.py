"""The tiny packaged model, learned from a few hundred pictures alone, from data to card.

Texture statistics of 5 s and a shrunken linear discriminant on them: nothing to tune, seconds to
fit, and right about more validation tracks than every network that was tried on 443 tracks
(`benchmarks/results/report.md`). It stays in float: its logarithms and roots lose too much in 8
bits, and it is small anyway.

It hears up to 8 kHz. What lies above is what MP3, phones and streams take away first: with all of
it, 40 of 60 songs keep their label through MP3, without it 59, and the validation tracks show no
difference (0.569 and 0.558 of 197).
"""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

from genrekit.artifact.container import Artifact, read_artifact, write_artifact
from genrekit.audio.decoding import Audio, load_audio
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.verification import verify
from genrekit.engines.registry import load_engine
from genrekit.errors import DataError
from genrekit.features.kinds import extract
from genrekit.train.data.datasets import DataSource, audio_source, open_dataset
from genrekit.train.evaluation.metrics import Share, share
from genrekit.train.inputs.presets import mel_of_db_image
from genrekit.train.inputs.representation import cut_windows
from genrekit.train.inputs.spectrogram_pictures import read_stft_picture
from genrekit.train.runs.run import Run
from genrekit.train.runs.trainer import Plan, train

from ..exporter import ExportOptions, export_run

NAME = "genrekit-tiny"
MODEL = "texture_discriminant"
F_MAX_HZ = 8_000.0
HOP_S = 2.5  # a new answer this often in live use
DATA = "GTZAN: pictures of the first 5 s of each track (stft_5s)"
INTENDED_USE = (
    "Demonstrations, and a first look at what genrekit does: naming one of GTZAN's ten genres "
    "for a song, from its sound."
)
LIMITS = (
    "Research data: GTZAN comes with no licence on its music. Learned from 443 tracks of "
    "Western music from before 2002; its accuracy above is that on artists that it had not "
    "heard. It answers with one of its labels for any sound, speech and silence included. "
    "Train your own model for your own music."
)
LICENCE = "Apache-2.0 for the weights; the music it learned from is research data, no licence"


def fit(data: Path, work: Path) -> Run:
    """Fit the model on the training tracks of the filtered split.

    Parameters
    ----------
    data : Path
        Has `stft_5s/` and `splits/`.
    work : Path
        Folder of the run; a finished one is taken as it is.

    Raises
    ------
    DataError
        If the folder is not laid out as expected, or the split leaks.
    """
    plan = Plan(
        source=DataSource(kind="images", path=str(data / "stft_5s"), image_recipe="stft_5s"),
        model=MODEL,
        protocol="filtered",
        splits_folder=data / "splits",
        representation=mel_of_db_image(f_max_hz=F_MAX_HZ),
    )
    return train(plan, work, device="cpu")


def export(run: Run, out: Path) -> Artifact:
    """Write the run's model with its complete card.

    Raises
    ------
    DataError
        If it fails its own verification.
    """
    export_run(run, out, ExportOptions(compress=False, licence=LICENCE))
    artifact = read_artifact(out)
    card = dataclasses.replace(
        artifact.card,
        name=NAME,
        windowing=dataclasses.replace(artifact.card.windowing, hop_s=HOP_S),
        training=dataclasses.replace(artifact.card.training, data=DATA),
        intended_use=INTENDED_USE,
        limits=LIMITS,
    )
    artifact = read_artifact(write_artifact(out, artifact.model, card).path)
    if not verify(artifact).passed:
        raise DataError(f"{out}: fails its own verification")
    return artifact


def agreement(artifact: Artifact, data: Path) -> Share:
    """Compare the labels that a track's picture and the first 5 s of its song are given.

    Parameters
    ----------
    artifact : Artifact
    data : Path
        Has `stft_5s/` and `genres_original/`.
    """
    card, engine = artifact.card, load_engine(artifact)
    (spec,) = card.inputs
    same = []
    for song in open_dataset(audio_source(data / "genres_original")).tracks:
        picture = read_stft_picture(data / "stft_5s" / song.genre / f"{song.id}.png", card.features)
        samples = load_audio(song.path, card.features.sample_rate).samples[: card.window_samples]
        said = [
            engine.run({spec.name: cut_windows(frames, spec, [0])})[0].argmax()
            for frames in (picture, extract(spec.feature, samples, card.features))
        ]
        same.append(said[0] == said[1])
    return share(sum(same), len(same))


def mp3_agreement(artifact: Artifact, data: Path) -> Share:
    """Compare the labels that a song and the same song after MP3 are given."""
    import soundfile

    classifier = GenreClassifier(artifact)
    same = []
    for song in open_dataset(audio_source(data / "genres_original")).tracks:
        audio = load_audio(song.path, artifact.card.features.sample_rate)
        buffer = io.BytesIO()
        soundfile.write(buffer, audio.samples, audio.sample_rate, format="MP3")
        buffer.seek(0)
        samples, rate = soundfile.read(buffer, dtype="float32")
        heard = classifier.classify(Audio(samples, rate))
        same.append(heard.label == classifier.classify(audio).label)
    return share(sum(same), len(same))


def account(run: Run, artifact: Artifact, data: Path) -> dict[str, Any]:
    """Tell how the model was made and what it can, for the log."""
    return {
        "model": MODEL,
        "parameters": run.metrics.parameters,
        "valid": run.metrics.valid.scores.accuracy,
        "test": run.metrics.test.scores.accuracy,
        "bytes": artifact.size,
        "accuracy": artifact.card.training.accuracy,
        "picture_audio_agreement": agreement(artifact, data),
        "mp3_agreement": mp3_agreement(artifact, data),
    }
