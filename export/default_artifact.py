"""Default artifact: the chosen default model as one file, and the account of how it was made."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from genrekit.runtime.artifact import Artifact, read_artifact, write_artifact
from genrekit.runtime.audio import load_audio
from genrekit.runtime.engines import load_engine
from genrekit.runtime.errors import DataError
from genrekit.runtime.features import extract
from genrekit.runtime.verify import verify
from genrekit.train.dataset import audio_source, open_dataset
from genrekit.train.metrics import Share, share
from genrekit.train.pictures import read_stft_picture
from genrekit.train.representation import cut_windows
from genrekit.train.run import Run

from .default_model import DISTILLATION, HYPERPARAMETERS, STUDENT_HYPERPARAMETERS
from .exporting import ExportOptions, export_run

NAME = "genrekit-default"
HOP_S = 2.5  # a new answer this often in live use
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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """One trained network.

    Parameters
    ----------
    run : str
        Name of its run folder.
    seed : int
    parameters : int
    valid, test : Share
        Tracks classified right.
    seconds : float
        Of training.
    """

    run: str
    seed: int
    parameters: int
    valid: Share
    test: Share
    seconds: float


def export(run: Run, out: Path) -> Artifact:
    """Quantize the chosen network and complete its card."""
    export_run(run, out, ExportOptions(licence=LICENCE))
    artifact = read_artifact(out)
    card = dataclasses.replace(
        artifact.card,
        name=NAME,
        windowing=dataclasses.replace(artifact.card.windowing, hop_s=HOP_S),
        training=dataclasses.replace(
            artifact.card.training,
            data="GTZAN: pictures of the first 5 s of each track (stft_5s), and coarser ones of "
            "30 s of the training tracks (spectrograms)",
        ),
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


def describe(runs: list[Run], chosen: Run, artifact: Artifact, data: Path) -> dict[str, Any]:
    """Tell how the model was chosen, for the log."""
    contenders = [
        Contender(
            run=run.folder.name,
            seed=run.settings.seed,
            parameters=run.metrics.parameters,
            valid=run.metrics.valid.scores.accuracy,
            test=run.metrics.test.scores.accuracy,
            seconds=run.metrics.seconds,
        )
        for run in runs
    ]
    return {
        "rule": "highest accuracy on valid_filtered, then lowest loss there; test decides nothing",
        "chosen": chosen.folder.name,
        "contenders": contenders,
        "hyperparameters": {"teachers": HYPERPARAMETERS, "student": STUDENT_HYPERPARAMETERS},
        "distillation": DISTILLATION,
        "bytes": artifact.size,
        "accuracy": artifact.card.training.accuracy,
        "int8_label_agreement": artifact.card.compression.label_agreement,
        "picture_audio_agreement": agreement(artifact, data),
    }
