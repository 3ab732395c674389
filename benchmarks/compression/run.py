"""Compression: `results/compression.{json,md}` and its pictures, from nothing, by one command.

`python -m genrekit.benchmarks.compression.run --work DIR` composes music, trains a ResNet18 and an
MLP on it, and both again on real material where it is found; makes every candidate of each,
judges it on tracks that were neither trained nor chosen on, and times all of one run in turn.
Whatever was made stays in DIR: a command that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from genrekit.bench.machine.hardware import measured_machine
from genrekit.errors import GenreKitError
from genrekit.export.commands.compress import open_factory
from genrekit.export.search.candidates import CandidateFactory
from genrekit.export.search.image_candidates import OWN, ImageCandidateFactory
from genrekit.export.search.layer_sensitivity import (
    LayerReport,
    describe_layers,
    draw_layers,
    report_layers,
)
from genrekit.export.search.mlp_candidates import MlpCandidateFactory
from genrekit.export.search.search import Target
from genrekit.export.writing.verified import TrackSet, fresh_tracks, side_of
from genrekit.files import write_whole
from genrekit.strict_json import decode
from genrekit.train.data.datasets import DataSource, audio_source
from genrekit.train.models.registry import architecture
from genrekit.train.runs.documents import read_document, write_document
from genrekit.train.runs.run import Run
from genrekit.train.runs.trainer import Observer, Plan, train
from genrekit.train.synth.generator import write_synthetic

from .document import draw_rows, page
from .literature import image_rows, perceptron_rows
from .rows import Row, RowBook, with_ratio

FOLDER = Path(__file__).parents[1] / "results"
GTZAN = Path("../shared/data/gtzan")
# What is composed: tracks per genre, and seed.
COMPOSED = {"train": (140, 0), "valid": (100, 11), "test": (210, 7)}
DURATION_S = 12.0
EPOCHS, LONG_EPOCHS = 3, 10  # of fine-tuning: of all candidates, and of the chosen student
IMAGE_TARGET, PERCEPTRON_TARGET = Target(size=1_100_000), Target(size=80_000)

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """One run that is compressed.

    Parameters
    ----------
    name : str
        Of its folder and its rows.
    title : str
    source : DataSource
    model : str
    settings : dict of str to int
        Hyperparameters that differ from the model's own.
    splits : Path or None
        Lists of the filtered split; None splits at random in each genre.
    composed : Path or None
        Folder of more music to choose and to judge on; None is the run's own tracks.
    """

    name: str
    title: str
    source: DataSource
    model: str
    settings: dict[str, int]
    splits: Path | None = None
    composed: Path | None = None


def subjects(work: Path, gtzan: Path) -> list[Subject]:
    """List the runs: two on composed music, and two on real material where there is some."""
    folder = work / "synth"
    composed = audio_source(folder / "train")
    listed = [
        Subject(
            name="resnet18",
            title="ResNet18 on composed music",
            source=composed,
            model="resnet18",
            settings={"epochs": 16},
            composed=folder,
        ),
        Subject(
            name="mlp",
            title="MLP on composed music",
            source=composed,
            model="mlp",
            settings={},
            composed=folder,
        ),
    ]
    if gtzan.is_dir():
        pictures = str(gtzan / "stft_5s")
        listed += [
            Subject(
                name="pictures",
                title="ResNet18 on GTZAN's first 5 s, filtered split",
                source=DataSource(kind="images", path=pictures, image_recipe="stft_5s"),
                model="resnet18",
                settings={"epochs": 30},
                splits=gtzan / "splits",
            ),
            Subject(
                name="table",
                title="MLP on Kaggle's table of GTZAN, filtered split",
                source=DataSource(kind="features", path=str(gtzan / "features_30_sec.csv")),
                model="mlp",
                settings={},
                splits=gtzan / "splits",
            ),
        ]
    return listed


def compose(work: Path, jobs: int) -> None:
    """Make the music to train, to choose and to judge on; what is there stays."""
    for name, (tracks, seed) in COMPOSED.items():
        write_synthetic(
            work / "synth" / name,
            tracks_per_genre=tracks,
            seed=seed,
            duration_s=DURATION_S,
            jobs=jobs,
        )


def measure(subject: Subject, work: Path, jobs: int, say: Say) -> list[Row]:
    """Train, make every candidate, judge and time: all rows of one run."""
    say(f"{subject.name}: training")
    own = architecture(subject.model).hyperparameters
    plan = Plan(
        source=subject.source,
        model=subject.model,
        protocol="filtered" if subject.splits else "stratified",
        splits_folder=subject.splits,
        hyperparameters=dataclasses.replace(own, **subject.settings),  # type: ignore[arg-type]  # whole numbers only
    )
    observer = Observer(say=say)
    run = train(plan, work / "runs" / subject.name, device="cpu", jobs=jobs, observer=observer)
    factory = open_factory(run, EPOCHS)
    valid, tracks = _track_sets(run, factory, subject)
    book = RowBook(subject.name, factory, valid, tracks, work / "rows" / subject.name)
    for recipe in factory.recipes():
        say(f"{subject.name}: {recipe.name}")
        factory.result(recipe)
    say(f"{subject.name}: judging and timing")
    target = IMAGE_TARGET if isinstance(factory, ImageCandidateFactory) else PERCEPTRON_TARGET
    rows, more = book.candidates(factory.recipes(), target), []
    say(f"{subject.name}: literature")
    if isinstance(factory, ImageCandidateFactory):
        rows = _longer(rows, book, work, say)
        more = image_rows(book, factory)
        _layers(factory, subject, work, say)
    elif isinstance(factory, MlpCandidateFactory):
        more = perceptron_rows(book, factory)
    return [*rows, *(with_ratio(row, rows[0].bytes) for row in more)]


def _longer(rows: list[Row], book: RowBook, work: Path, say: Say) -> list[Row]:
    """Distil the chosen student again, for longer, and choose again."""
    chosen = next((row for row in rows if row.chosen), None)
    name = chosen.name.partition("-")[0] if chosen else OWN
    if chosen is None or name == OWN:
        return rows
    say(f"{book.subject}: {name} for longer")
    factory = ImageCandidateFactory(book.factory.run, LONG_EPOCHS)
    ways = [chain for chain in factory.recipes() if chain.student == name and not chain.pruned]
    folder = work / "rows" / f"{book.subject}-long"
    longer = RowBook(book.subject, factory, book.valid, book.tracks, folder)
    _, *made = longer.candidates([factory.plain, *ways], IMAGE_TARGET)
    together = [*rows, *(dataclasses.replace(row, name=f"{row.name}-long") for row in made)]
    marked = [row for row in together if row.chosen]
    best = max(marked, key=lambda row: (row.valid_accuracy or 0.0, -row.bytes))
    return [row if row is best else dataclasses.replace(row, chosen=None) for row in together]


def _track_sets(
    run: Run, factory: CandidateFactory[Any], subject: Subject
) -> tuple[TrackSet, TrackSet]:
    """Read the tracks to choose on and those to judge on."""
    if subject.composed is None:
        test = side_of(run, "test")
        return factory.valid, dataclasses.replace(test, title=f"GTZAN, {test.title}")
    sets = []
    for name in ("valid", "test"):
        tracks = fresh_tracks(run, audio_source(subject.composed / name))
        n, seed = len(tracks.windowed.features), COMPOSED[name][1]
        sets.append(
            dataclasses.replace(tracks, title=f"{n} fresh synthetic {name} tracks, seed {seed}")
        )
    return sets[0], sets[1]


def _layers(factory: ImageCandidateFactory, subject: Subject, work: Path, say: Say) -> None:
    """Measure, print and draw every layer, once."""
    path = work / "rows" / subject.name / "layers.json"
    if not path.is_file():
        write_document(path, report_layers(factory, say))
    report = decode(LayerReport, read_document(path), str(path))
    say(describe_layers(report))
    draw_layers(report, path.with_suffix(".png"))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Make the rows; return 0, or 1 on an error that a user can cause."""
    parser = argparse.ArgumentParser(description="Measure every chain of compression.")
    parser.add_argument("--work", type=Path, default=Path("build/compression"), metavar="DIR")
    parser.add_argument("--gtzan", type=Path, default=GTZAN, metavar="DIR")
    parser.add_argument("--only", nargs="+", metavar="RUN", help="fill DIR alone; write no result")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    args = parser.parse_args(argv)
    try:
        compose(args.work, args.jobs)
        rows: list[Row] = []
        listed = subjects(args.work, args.gtzan)
        for subject in listed:
            if not args.only or subject.name in args.only:
                rows += measure(subject, args.work, args.jobs, _say)
        if not args.only:
            write(rows, listed, args.work, args.out)
    except (GenreKitError, OSError) as error:
        sys.stderr.write(f"compression: {error}\n")
        return 1
    return 0


def write(rows: Sequence[Row], listed: Sequence[Subject], work: Path, out: Path) -> None:
    """Write the rows, the page and the pictures."""
    write_document(out / "compression.json", list(rows))
    machine = measured_machine()
    notes = [f"Machine: {machine.cpu}, {', '.join(machine.cpu_features) or 'no extensions known'}."]
    titles = {subject.name: subject.title for subject in listed}
    write_whole(out / "compression.md", page(rows, titles, notes))
    for subject in listed:
        own = [row for row in rows if row.subject == subject.name]
        draw_rows(own, subject.title, out / f"compression_{subject.name}.png")
        layers = work / "rows" / subject.name / "layers.png"
        if layers.is_file():
            write_whole(out / f"compression_{subject.name}_layers.png", layers.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
