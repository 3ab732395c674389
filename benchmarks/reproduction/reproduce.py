"""Reproduce: every system of the report under the protocols asked for, cell by cell.

Every row that is planned is written first, as not run; each is replaced as its cells finish. So
what a killed or unfinished run leaves behind says what it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from genrekit.errors import ConfigError, FileError, GenreKitError
from genrekit.locks import locked_folder
from genrekit.train.data.protocols import protocol
from genrekit.train.evaluation.metrics import compare, wilson_interval

from .analysis.export_check import deploy, is_exportable
from .analysis.figure_files import draw_collection
from .experiments import Bench, Outcome
from .rows import (
    ACCURACY,
    FOLDS,
    NOT_RUN,
    OF_REPORT,
    Finding,
    Row,
    merge,
    read_rows,
    write_rows,
)
from .systems import System

SEEDS_OF_FILTERED = (0, 1, 2)
REPORT = "report"
# What `--protocol` takes, and the splits behind it; the report's own differ by system.
PIPELINES: dict[str, tuple[str, ...]] = {
    REPORT: (),
    "track": ("track",),
    "filtered": ("filtered",),
    "artist-folds": ("fold1", "fold2", "fold3"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """One system under one way: the cells of a row."""

    system: System
    way: str
    splits: tuple[str, ...]
    seeds: tuple[int, ...]

    @property
    def protocol(self) -> str:
        """The row's protocol, for people."""
        if self.way == "artist-folds":
            return FOLDS
        label = protocol(self.splits[0]).label
        return f"{label}{OF_REPORT}" if self.way == REPORT else label


def plan(bench: Bench, ways: Sequence[str], only: Sequence[str]) -> list[Task]:
    """List what is to be done.

    Parameters
    ----------
    bench : Bench
    ways : sequence of str
        Of `PIPELINES`.
    only : sequence of str
        Names of systems; empty is all that there is material for.

    Raises
    ------
    ConfigError, DataError
        If a name is unknown.
    """
    if odd := [way for way in ways if way not in PIPELINES]:
        raise ConfigError(f"protocol {odd[0]!r:.40}: must be one of {', '.join(PIPELINES)}")
    there = bench.collection.sources
    chosen = [bench.find(name) for name in only] or [
        system for system in bench.systems if system.material in there
    ]
    tasks = []
    for system in chosen:
        for way in ways:
            splits = PIPELINES[way] or (system.report_protocol,)
            seeds = SEEDS_OF_FILTERED if way == "filtered" else (0,)
            tasks.append(Task(system, way, splits, seeds))
    return tasks


def reproduce(
    bench: Bench, tasks: Sequence[Task], out: Path, *, pictures: bool = False
) -> list[Row]:
    """Do the tasks and keep `report.json` and `report.md` in `out` up to date.

    Parameters
    ----------
    bench : Bench
    tasks : sequence of Task
    out : Path
    pictures : bool
        Whether the figures and distances of the songs are drawn, too.

    Returns
    -------
    list of Row
        All rows of the file.

    Raises
    ------
    FileError
        If another process fills `out`, or it cannot be written.
    """
    with locked_folder(out):
        return _reproduce(bench, tasks, out, pictures=pictures)


def _reproduce(bench: Bench, tasks: Sequence[Task], out: Path, *, pictures: bool) -> list[Row]:
    order = [system.name for system in bench.systems]
    path = out / "report.json"
    known = {row.key: row for row in read_rows(path)}
    planned = [_not_run(bench, task, "not reached") for task in tasks]
    rows = merge(known.values(), [row for row in planned if row.key not in known], order)
    write_rows(out, rows)
    for task in tasks:
        rows = merge(rows, rows_of(bench, task), order)
        write_rows(out, rows)
    if pictures and "songs" in bench.collection.sources:
        bench.say("figures and distances")
        found = draw_collection(bench.collection, out / "figures", jobs=bench.jobs)
        rows = merge(rows, found, order)
        write_rows(out, rows)
    return rows


def rows_of(bench: Bench, task: Task) -> list[Row]:
    """Train a task's cells and return its rows; a task that cannot be done says why.

    Raises
    ------
    FileError
        If its cells cannot be written: nor could those of the next.
    """
    try:
        outcomes = _outcomes(bench, task)
        row = _accuracy(bench, task, outcomes)
        rows = [row]
        for name in task.system.against:
            others = _outcomes(bench, dataclasses.replace(task, system=bench.find(name)))
            rows.append(_difference(row, outcomes, others, name))
        return rows + [finding.beside(row) for finding in _findings(bench, task, outcomes[0][0])]
    except FileError:
        raise
    except GenreKitError as error:
        bench.say(f"{NOT_RUN}: {error}")
        return [_not_run(bench, task, str(error))]


def _findings(bench: Bench, task: Task, outcome: Outcome) -> list[Finding]:
    """Measure what else there is to say of the first cell."""
    run = outcome.runs[0]
    found = list(task.system.measure(run)) if task.system.measure else []
    if bench.export and not task.system.members and is_exportable(run):
        bench.say(f"{task.system.name}: exporting")
        found += deploy(run)
    return found


def _outcomes(bench: Bench, task: Task) -> list[list[Outcome]]:
    """Return the outcomes: per split, per seed."""
    return [
        [bench.outcome(task.system, split, seed) for seed in task.seeds] for split in task.splits
    ]


def _accuracy(bench: Bench, task: Task, outcomes: list[list[Outcome]]) -> Row:
    n, hits = 0, 0.0
    for by_seed in outcomes:
        shares = [item.test.scores.accuracy for item in by_seed]
        n += shares[0].n
        hits += sum((share.value or 0.0) * share.n for share in shares) / len(shares)
    first = outcomes[0][0]
    every = [item for by_seed in outcomes for item in by_seed]
    return dataclasses.replace(
        _not_run(bench, task, ""),
        value=hits / n,
        n=n,
        ci95=wilson_interval(round(hits), n),
        parameters=first.parameters,
        seconds=sum(item.seconds for item in every),
        evaluations=tuple(line for item in every for line in item.evaluations),
        note=_note(task, every),
    )


def _difference(
    row: Row, outcomes: list[list[Outcome]], others: list[list[Outcome]], name: str
) -> Row:
    """Compare with another system on the same tracks, first seed of every split."""
    truth, mine, theirs = [], [], []
    for (own, *_), (other, *_) in zip(outcomes, others, strict=True):
        labels = own.runs[0].labels
        judged = {track.id: track for track in other.test.tracks}
        for track in own.test.tracks:
            if track.id in judged:
                truth.append(labels.index(track.label))
                mine.append(labels.index(track.predicted))
                theirs.append(labels.index(judged[track.id].predicted))
    paired = compare(truth, theirs, mine)
    return dataclasses.replace(
        row,
        metric=f"difference to {name}",
        value=paired.difference,
        n=paired.n,
        ci95=paired.ci95,
        seeds=row.seeds[:1],
        report_value=None,
        seconds=0.0,
        note=f"in pairs, McNemar p = {paired.p_value:.2g}",
    )


def _note(task: Task, every: Sequence[Outcome]) -> str:
    parts = [task.system.note] if task.system.note else []
    if not task.system.members:
        run = every[0].runs[0]
        asked, epochs = run.settings.hyperparameters, run.metrics.epochs
        if epochs > 1:
            parts.append(f"{epochs} epochs, batch {asked.batch_size}")
    if len(task.seeds) > 1 and len({_answers(item) for item in every}) == 1:
        parts.append("the same for every seed")
    return "; ".join(parts)


def _answers(outcome: Outcome) -> tuple[str, ...]:
    return tuple(track.predicted for track in outcome.test.tracks)


def _not_run(bench: Bench, task: Task, reason: str) -> Row:
    return Row(
        system=task.system.name,
        title=task.system.title,
        data=bench.collection.describe(task.system.material),
        protocol=task.protocol,
        metric=ACCURACY,
        value=None,
        n=0,
        ci95=None,
        seeds=task.seeds,
        report_value=task.system.report_value,
        parameters=0,
        seconds=0.0,
        evaluations=(),
        note=f"{NOT_RUN}: {reason}" if reason else "",
    )


def names(tasks: Sequence[Task]) -> Iterator[str]:
    """Yield a line for every task, for `--list`."""
    for task in tasks:
        yield f"{task.system.name:<28} {task.way:<13} {task.protocol}"
