"""Training: from a dataset to a finished run folder, taken up again where it was killed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from genrekit.artifact.sections import Normalisation
from genrekit.errors import ConfigError, DataError
from genrekit.locks import locked_folder

from ..data.datasets import Dataset, DataSource, Track, fingerprints, open_dataset
from ..data.protocols import protocol
from ..data.splits import Split, forbid_leakage
from ..evaluation.track_evaluation import evaluation, judge
from ..fitting.learner import make_learner
from ..fitting.loop import History, fit
from ..hyperparameters import Hyperparameters
from ..inputs.representation import Representation, measure_normalisation
from ..inputs.windows import WindowedDataset, load_windowed_dataset
from ..models.registry import architecture
from .documents import (
    ASKED,
    HISTORY,
    METRICS,
    SCHEMA_VERSION,
    Metrics,
    RunSettings,
    differences,
    read_settings,
    write_document,
)
from .run import Run, checkpoint_path, weights_path


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to train, on what.

    Parameters
    ----------
    source : DataSource
    model : str
        Name of an architecture.
    protocol : str
        Name of one of `protocols.PROTOCOLS`.
    splits_folder : Path or None
        Has the lists of a protocol that is listed.
    seed : int
        Of the split, the weights and every random choice.
    hyperparameters : Hyperparameters or None
        The architecture's own by default.
    representation : Representation or None
        What the model sees; the architecture's own choice by default.
    normalisation : {"fixed", "window"} or None
        The way to normalise images; by default "fixed" for levels computed from audio, and
        "window" for pictures, whose levels have no common scale.
    """

    source: DataSource
    model: str
    protocol: str = "stratified"
    splits_folder: Path | None = None
    seed: int = 0
    hyperparameters: Hyperparameters | None = None
    representation: Representation | None = None
    normalisation: Literal["fixed", "window"] | None = None

    def __post_init__(self) -> None:
        if protocol(self.protocol).listed != (self.splits_folder is not None):
            raise ConfigError(
                f"split {self.protocol!r}: a folder of lists goes with the splits that are "
                "listed, and with no other (--splits-dir)"
            )
        if not 0 <= self.seed < 2**31:
            raise ConfigError(f"seed={self.seed}: must be in 0..{2**31 - 1}")


@dataclasses.dataclass(frozen=True, slots=True)
class Observer:
    """Who is told how far it got; each is called with done, in all, and perhaps a remark."""

    features: Callable[[int, int], None] | None = None
    steps: Callable[[int, int, History], None] | None = None
    say: Callable[[str], None] = print


def train(
    plan: Plan,
    folder: Path,
    *,
    device: str = "auto",
    jobs: int | None = None,
    observer: Observer | None = None,
) -> Run:
    """Train a model, judge it and fill its run folder.

    Called again with the same plan and folder it continues after the last finished epoch,
    and ends with the same weights; a finished run is left as it is.

    Parameters
    ----------
    plan : Plan
    folder : Path
        Of the run; made where it is missing.
    device : {"auto", "cpu", "cuda"}
    jobs : int, optional
        Processes that compute features; one per core by default.
    observer : Observer, optional

    Raises
    ------
    DataError
        If the folder holds a run of other settings, the split leaks, or too few tracks can
        be read.
    ConfigError
        If model and data do not fit together.
    FileError
        If another process is training in the folder, or it cannot be written.
    """
    observer = observer or Observer()
    dataset = open_dataset(plan.source)
    settings, windowed = _prepare(plan, dataset, jobs, observer)
    with locked_folder(folder):
        _claim(folder, settings)
        if not (folder / METRICS).is_file():
            _fit_and_judge(settings, windowed, folder, device, observer)
        # The checkpoint is three times the weights, and of no more use.
        checkpoint_path(folder, plan.model).unlink(missing_ok=True)
        return Run.load(folder)


def make_split(plan: Plan, dataset: Dataset, prints: dict[str, str]) -> Split:
    """Split a dataset by the plan's protocol, and make sure that it does not leak."""
    split = protocol(plan.protocol).divide(dataset, prints, plan.splits_folder, plan.seed)
    forbid_leakage(split, prints)
    return split


def _prepare(
    plan: Plan, dataset: Dataset, jobs: int | None, observer: Observer
) -> tuple[RunSettings, WindowedDataset]:
    chosen = architecture(plan.model)
    blank = plan.representation or chosen.represent(plan.source)
    by_segment = protocol(plan.protocol).by_segment
    tracks = dataset.tracks
    if not by_segment:
        split = make_split(plan, dataset, fingerprints(dataset))
        wanted = {*split.train, *split.valid, *split.test}
        tracks = tuple(track for track in tracks if track.id in wanted)
    windowed = load_windowed_dataset(
        plan.source, tracks, blank, dataset.labels, jobs=jobs, on_progress=observer.features
    )
    if by_segment:
        windowed = windowed.segmented()
        split = make_split(plan, _of_segments(dataset, windowed), {})
    for name, reason in windowed.excluded.items():
        observer.say(f"left out {name}: {reason}")
    split = split.without(windowed.excluded)
    for side in ("train", "valid", "test"):
        if not getattr(split, side):
            raise DataError(f"{plan.source.path}: no readable track is left in {side}")
    representation = _normalised(plan, blank, windowed, split)
    settings = RunSettings(
        schema=SCHEMA_VERSION,
        genrekit=version("genrekit"),
        model=plan.model,
        # Absolute, so that the run can be used from any folder.
        data=dataclasses.replace(plan.source, path=os.path.abspath(plan.source.path)),  # noqa: PTH100 -- resolve() would follow links
        split=split,
        excluded=dict(windowed.excluded),
        labels=dataset.labels,
        representation=representation,
        seed=plan.seed,
        hyperparameters=plan.hyperparameters or chosen.hyperparameters,
        deployable=representation.deployable,
    )
    return settings, dataclasses.replace(windowed, representation=representation)


def _of_segments(dataset: Dataset, windowed: WindowedDataset) -> Dataset:
    """Return a dataset whose tracks are segments: what a leaky protocol divides."""
    place = Path(dataset.source.path)
    tracks = tuple(
        Track(name, dataset.labels[target], place) for name, target in windowed.targets.items()
    )
    return dataclasses.replace(dataset, tracks=tracks)


def _normalised(
    plan: Plan, blank: Representation, windowed: WindowedDataset, split: Split
) -> Representation:
    kind = plan.normalisation or ("window" if plan.source.kind == "images" else "fixed")
    normalisations = []
    for index, spec in enumerate(blank.inputs):
        # A vector of unlike quantities cannot be standardised by its own mean; the rows of a
        # plot are no bands, of which each has its own.
        is_plot = "@" in spec.feature
        if is_plot or (kind == "window" and spec.layout != "vector"):
            normalisations.append(Normalisation(kind="window"))
            continue
        arrays = [windowed.features[name][index] for name in split.train]
        normalisations.append(measure_normalisation(arrays))
    return blank.normalised(tuple(normalisations))


def _claim(folder: Path, settings: RunSettings) -> None:
    held = read_settings(folder)
    if held is None:
        if any(folder.iterdir()):
            raise DataError(f"{folder}: holds other files; name an empty or a new folder")
        write_document(folder / ASKED, settings)
    elif odd := differences(held, settings):
        raise DataError(
            f"{folder}: holds a run with other settings: {'; '.join(odd[:6])}; name another "
            "folder, or remove this one"
        )


def _fit_and_judge(
    settings: RunSettings, windowed: WindowedDataset, folder: Path, device: str, observer: Observer
) -> None:
    from .figures import draw_confusion, draw_history

    learner = make_learner(
        architecture(settings.model),
        settings.representation,
        len(settings.labels),
        settings.hyperparameters,
        seed=settings.seed,
        device=device,
    )
    history = fit(
        learner,
        windowed,
        settings.split.train,
        settings.split.valid,
        settings.hyperparameters,
        seed=settings.seed,
        checkpoint=checkpoint_path(folder, settings.model),
        best=weights_path(folder, settings.model),
        on_step=observer.steps,
    )
    write_document(folder / HISTORY, history)
    draw_history(history, folder / "learning_curves.png")
    valid, test = (
        evaluation(judge(learner.logits, windowed, side), settings.labels)
        for side in (settings.split.valid, settings.split.test)
    )
    draw_confusion(test.scores, settings.labels, folder / "confusion.png")
    # Written last: a run with metrics is a finished run.
    metrics = Metrics(
        parameters=learner.parameters(),
        epochs=len(history.epochs),
        best_epoch=history.best_epoch,
        seconds=sum(row.seconds for row in history.epochs),
        valid=valid,
        test=test,
    )
    write_document(folder / METRICS, metrics)
