"""Default model: the artifact that ships inside the wheel, from data to card.

Networks of several seeds are trained on the first 5 s of the training tracks, and beside them
on the 30 s pictures of the same tracks, which are coarser in frequency but show six times as
much music. A student is distilled from all of them. Which network ships is decided on the
validation tracks; test tracks are looked at once per network, and the log has every look.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from genrekit.runtime.card import Normalisation
from genrekit.runtime.errors import DataError
from genrekit.train.dataset import DataSource, fingerprints, open_dataset
from genrekit.train.documents import (
    ASKED,
    METRICS,
    SCHEMA_VERSION,
    Metrics,
    RunSettings,
    write_document,
)
from genrekit.train.evaluate import evaluation, judge
from genrekit.train.fit import fit
from genrekit.train.hyperparameters import Hyperparameters
from genrekit.train.learner import Learner, make_learner
from genrekit.train.material import Material, load_material
from genrekit.train.models import architecture
from genrekit.train.pictures import read_stft_picture
from genrekit.train.run import Run, checkpoint_path, weights_path
from genrekit.train.splits import filtered_split, forbid_leakage

from .distil import Distillation, DistillingLearner

MODEL = "small_cnn"
PICTURE_S = 30.0  # music in each picture of `spectrograms/`
TEACHERS = (0, 1)  # seeds
STUDENT = 100
# The recipe of the registry, shorter: a window of 5 s is all that there is of a track.
HYPERPARAMETERS = dataclasses.replace(
    architecture(MODEL).hyperparameters, epochs=30, patience=30, crops_per_track=1
)
# A student gains from more windows: its teachers answer each of them anew.
STUDENT_HYPERPARAMETERS = dataclasses.replace(HYPERPARAMETERS, epochs=45, patience=45)
DISTILLATION = Distillation(temperature=2.0, soft_share=0.7)


def settings_of(data: Path, seed: int, hyperparameters: Hyperparameters) -> RunSettings:
    """Describe a training on the 5 s pictures, filtered split.

    Raises
    ------
    DataError
        If the folder is not laid out as expected, or the split leaks.
    """
    source = DataSource(kind="images", path=str(data / "stft_5s"), image_recipe="stft_5s")
    dataset = open_dataset(source)
    split = filtered_split(dataset, data / "splits")
    forbid_leakage(split, fingerprints(dataset))
    representation = architecture(MODEL).represent(source)
    representation = representation.normalised((Normalisation(kind="window"),))
    return RunSettings(
        schema=SCHEMA_VERSION,
        genrekit=version("genrekit"),
        model=MODEL,
        data=source,
        split=split,
        excluded={},
        labels=dataset.labels,
        representation=representation,
        seed=seed,
        hyperparameters=hyperparameters,
        deployable=True,
    )


def read_material(data: Path, settings: RunSettings) -> tuple[Material, list[str]]:
    """Read all pictures, and the longer ones of the training tracks under names of their own.

    Returns
    -------
    Material
    list of str
        What to train on: training tracks, once as 5 s and once as 30 s pictures.
    """
    split = settings.split
    wanted = {*split.train, *split.valid, *split.test}
    tracks = [track for track in open_dataset(settings.data).tracks if track.id in wanted]
    material = load_material(settings.data, tracks, settings.representation, settings.labels)
    if material.excluded:
        raise DataError(next(iter(material.excluded.values())))
    features, targets = dict(material.features), dict(material.targets)
    config = settings.representation.features
    n_frames = config.n_frames(round(PICTURE_S * config.sample_rate))
    longer = []
    for track in tracks:
        path = data / "spectrograms" / track.genre / f"{track.id}.png"
        if track.id in split.train and path.is_file():
            name = f"{track.id} (30 s)"
            coarse = read_stft_picture(path, config)
            places = np.linspace(0, len(coarse) - 1, n_frames)
            columns = [np.interp(places, np.arange(len(coarse)), band) for band in coarse.T]
            features[name] = (np.stack(columns, axis=1).astype(np.float32),)
            targets[name] = material.targets[track.id]
            longer.append(name)
    return dataclasses.replace(material, features=features, targets=targets), [
        *split.train,
        *longer,
    ]


def train_run(
    folder: Path, settings: RunSettings, learner: Learner, material: Material, train: Sequence[str]
) -> Run:
    """Fit, judge and fill a run folder; one that is finished is left as it is."""
    if not (folder / METRICS).is_file():
        write_document(folder / ASKED, settings)
        history = fit(
            learner,
            material,
            train,
            settings.split.valid,
            settings.hyperparameters,
            seed=settings.seed,
            checkpoint=checkpoint_path(folder, MODEL),
            best=weights_path(folder, MODEL),
        )
        valid, test = (
            evaluation(judge(learner, material, side), settings.labels)
            for side in (settings.split.valid, settings.split.test)
        )
        metrics = Metrics(
            parameters=learner.parameters(),
            epochs=len(history.epochs),
            best_epoch=history.best_epoch,
            seconds=sum(row.seconds for row in history.epochs),
            valid=valid,
            test=test,
        )
        write_document(folder / METRICS, metrics)
        checkpoint_path(folder, MODEL).unlink()
    return Run.load(folder)


def train_all(data: Path, work: Path) -> list[Run]:
    """Train the teachers and the student; finished ones are taken from `work`."""
    settings = settings_of(data, STUDENT, STUDENT_HYPERPARAMETERS)
    material, train = read_material(data, settings)
    chosen = architecture(MODEL)
    runs = []
    for seed in TEACHERS:
        learner = make_learner(
            chosen,
            settings.representation,
            len(settings.labels),
            HYPERPARAMETERS,
            seed=seed,
            device="cpu",
        )
        asked = dataclasses.replace(settings, seed=seed, hyperparameters=HYPERPARAMETERS)
        runs.append(train_run(work / f"teacher{seed}", asked, learner, material, train))
    student = _student([run.load_model() for run in runs], settings)
    runs.append(train_run(work / "student", settings, student, material, train))
    return runs


def _student(teachers: list[Any], settings: RunSettings) -> DistillingLearner:
    from genrekit.train.torch_learner import choose_device, seed_torch

    seed_torch(settings.seed)
    model = architecture(MODEL).build(settings.representation.inputs, len(settings.labels))
    decay = settings.hyperparameters.weight_decay
    return DistillingLearner(model, teachers, DISTILLATION, decay, choose_device("cpu"))


def choose(runs: Iterable[Run]) -> Run:
    """Return the run that did best on the validation tracks, by accuracy, then by loss."""

    def rank(run: Run) -> tuple[float, float]:
        tracks = run.metrics.valid.tracks
        shares = [result.probabilities[run.labels.index(result.label)] for result in tracks]
        return run.metrics.valid.scores.accuracy.value or 0.0, float(np.log(shares).mean())

    return max(runs, key=rank)
