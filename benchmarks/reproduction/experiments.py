"""Cells: one system trained under one protocol with one seed, kept on disk.

A cell is a run folder whose name carries a digest of everything that decides its outcome. So a
finished cell is taken as it is, one that was killed goes on, and a changed declaration makes a
new one.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from genrekit.errors import DataError, FileError
from genrekit.strict_json import canonical_json
from genrekit.train.data.datasets import open_dataset
from genrekit.train.data.protocols import protocol
from genrekit.train.evaluation.results import Evaluation, TrackResult
from genrekit.train.evaluation.track_evaluation import evaluation
from genrekit.train.runs.documents import METRICS
from genrekit.train.runs.run import Run
from genrekit.train.runs.trainer import Observer, Plan, train

from .collection import Collection
from .systems import System

MOST_MISSING = 20  # of the tracks that a protocol lists
_DIGITS = 10  # of the digest in a folder's name


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a cell gave.

    Parameters
    ----------
    test : Evaluation
    parameters : int
        Of the model, or of all members together.
    seconds : float
        Of training.
    runs : tuple of Run
        One, or one for each member.
    """

    test: Evaluation
    parameters: int
    seconds: float
    runs: tuple[Run, ...]

    @property
    def evaluations(self) -> tuple[str, ...]:
        """The cells that were scored on their test side, each with the time."""
        return tuple(_evaluation(run) for run in self.runs)


@dataclasses.dataclass(frozen=True, slots=True)
class Bench:
    """Trains cells, or finds them.

    Parameters
    ----------
    collection : Collection
    systems : tuple of System
        All that there are: members are looked up here.
    work : Path
        Folder of the runs.
    device : str
    jobs : int or None
        Processes that compute features.
    export : bool
        Whether finished models become files, which are then measured.
    say : callable
        Told what is being trained.
    """

    collection: Collection
    systems: tuple[System, ...]
    work: Path
    device: str = "auto"
    jobs: int | None = None
    export: bool = False
    say: Callable[[str], None] = print

    def find(self, name: str) -> System:
        """Look up a system.

        Raises
        ------
        DataError
            Naming those that there are.
        """
        for system in self.systems:
            if system.name == name:
                return system
        names = ", ".join(system.name for system in self.systems)
        raise DataError(f"system {name!r:.60}: must be one of {names}")

    def outcome(self, system: System, split: str, seed: int) -> Outcome:
        """Train a cell, or take it as it is; for an ensemble, those of its members.

        Raises
        ------
        GenreKitError
            If the material is not there, or cannot be divided or trained on.
        """
        if not system.members:
            run = self.run(system, split, seed)
            metrics = run.metrics
            return Outcome(
                test=metrics.test,
                parameters=metrics.parameters,
                seconds=metrics.seconds,
                runs=(run,),
            )
        members = [self.outcome(self.find(name), split, seed) for name in system.members]
        labels = members[0].runs[0].labels
        return Outcome(
            test=average([member.test for member in members], labels),
            parameters=sum(member.parameters for member in members),
            seconds=sum(member.seconds for member in members),
            runs=tuple(run for member in members for run in member.runs),
        )

    def run(self, system: System, split: str, seed: int) -> Run:
        """Train one model, or open its finished run."""
        plan = self._plan(system, split, seed)
        key = hashlib.sha256(canonical_json(plan_key(plan)).encode()).hexdigest()[:_DIGITS]
        folder = self.work / f"{system.name}-{split}-{seed}-{key}"
        self.say(f"{system.name}, {protocol(split).label}, seed {seed}")
        observer = Observer(say=self.say)
        return train(plan, folder, device=self.device, jobs=self.jobs, observer=observer)

    def _plan(self, system: System, split: str, seed: int) -> Plan:
        if system.material not in self.collection.sources:
            raise DataError(f"{self.collection.root} has no {system.material}")
        source = self.collection.sources[system.material]
        lists = self.collection.splits(split) if protocol(split).listed else None
        if lists:
            try:
                divided = protocol(split).divide(open_dataset(source), {}, lists, seed)
            except FileError as error:  # lists that are not there are like songs that are not
                raise DataError(str(error)) from error
            if len(divided.missing) > MOST_MISSING:
                raise DataError(
                    f"{source.path} lacks {len(divided.missing)} of the tracks that the lists of "
                    f"{split!r} name: no score on the rest would be comparable"
                )
        return Plan(
            source=source,
            model=system.model,
            protocol=split,
            splits_folder=lists,
            seed=seed,
            hyperparameters=system.hyperparameters,
            representation=system.represent() if system.represent else None,
        )


def plan_key(plan: Plan) -> dict[str, object]:
    """Return what decides a cell's outcome, as plain values."""
    return {
        field.name: str(value) if isinstance(value := getattr(plan, field.name), Path) else value
        for field in dataclasses.fields(plan)
    }


def average(evaluations: Sequence[Evaluation], labels: tuple[str, ...]) -> Evaluation:
    """Average what several systems say of the tracks that all of them judged.

    Raises
    ------
    DataError
        If no track was judged by all.
    """
    by_id = [{track.id: track for track in item.tracks} for item in evaluations]
    shared = [name for name in by_id[0] if all(name in other for other in by_id[1:])]
    if not shared:
        raise DataError("the members of an ensemble judged no track in common")
    return evaluation([_mean([own[name] for own in by_id], labels) for name in shared], labels)


def _evaluation(run: Run) -> str:
    scored = (run.folder / METRICS).stat().st_mtime  # the file is written when they are
    when = datetime.datetime.fromtimestamp(scored, datetime.UTC)
    return f"{when.isoformat(timespec='seconds')} {run.folder.name}"


def _mean(results: Sequence[TrackResult], labels: tuple[str, ...]) -> TrackResult:
    probabilities = np.mean([result.probabilities for result in results], axis=0)
    logits = np.mean([result.logits for result in results], axis=0)
    return dataclasses.replace(
        results[0],
        predicted=labels[int(probabilities.argmax())],
        windows=sum(result.windows for result in results),
        probabilities=tuple(float(value) for value in probabilities),
        logits=tuple(float(value) for value in logits),
    )
