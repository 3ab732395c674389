"""Finishing: a model in its file format becomes an artifact, proven before it is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from genrekit.arrays import Float32
from genrekit.artifact.container import Artifact, Format, read_artifact, write_artifact
from genrekit.artifact.sections import Compression, InputSpec
from genrekit.classify.verification import verify
from genrekit.engines.base import Engine
from genrekit.engines.registry import load_engine
from genrekit.errors import ConfigError, EngineError
from genrekit.train.data.datasets import DataSource, open_dataset
from genrekit.train.data.protocols import protocol
from genrekit.train.evaluation.track_evaluation import Logits
from genrekit.train.inputs.windows import WindowedDataset
from genrekit.train.runs.run import Run

from .cards import draft_card, provisional, with_comparison, with_reference
from .comparison import ModelComparison, compare_models

Progress = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """A model in its file format, and the framework's model that it came from.

    Parameters
    ----------
    format : {"onnx", "tflite"}
    model : bytes
        Without a card.
    inputs : tuple of InputSpec
        Under the graph's names.
    output : str
    steps : tuple of str
        Of compression.
    source_bytes : int
        Of the float model in the same format.
    before : callable
        The framework's model.
    """

    format: Format
    model: bytes
    inputs: tuple[InputSpec, ...]
    output: str
    steps: tuple[str, ...]
    source_bytes: int
    before: Logits


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TrackSet:
    """Tracks that models are compared on: what to call them, and their features."""

    title: str
    windowed: WindowedDataset


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """An artifact on disk, how its model compares, and the engine that ran it."""

    artifact: Artifact
    proof: ModelComparison
    engine: str


def refuse_leaky(run: Run) -> None:
    """Refuse a run whose split leaks.

    Raises
    ------
    ConfigError
    """
    if protocol(run.settings.split.protocol).by_segment:
        raise ConfigError(
            f"{run.folder}: trained by a leaky split; a card must not carry its accuracy: train "
            "with a split by track"
        )


def side_of(run: Run, side: str, *, progress: Progress | None = None) -> TrackSet:
    """Read one side of a run's own split: "train", "valid" or "test"."""
    title = f"{side} tracks of the {run.settings.split.protocol} split"
    return TrackSet(title=title, windowed=run.windowed(run.tracks(side), on_progress=_of(progress)))


def fresh_tracks(run: Run, source: DataSource, *, progress: Progress | None = None) -> TrackSet:
    """Read all tracks of another collection."""
    tracks = open_dataset(source).tracks
    windowed = run.windowed(tracks, source=source, on_progress=_of(progress))
    return TrackSet(title=f"tracks of {Path(source.path).name}", windowed=windowed)


def finish(
    run: Run,
    exported: Exported,
    out: Path,
    tracks: TrackSet,
    *,
    licence: str,
    progress: Progress | None = None,
) -> Finished:
    """Write a model with its card; nothing is written unless it proves itself.

    Parameters
    ----------
    run : Run
    exported : Exported
    out : Path
    tracks : TrackSet
        Both models judge them; the card tells the outcome.
    licence : str
        Of the file.
    progress : callable, optional
        Called with a title, things done and things in all.

    Raises
    ------
    EngineError
        If the engine refuses the model, or it fails its own verification.
    """
    compression = Compression(
        steps=exported.steps,
        source_bytes=exported.source_bytes,
        label_agreement=None,
        agreement_n=0,
    )
    card = draft_card(
        run,
        inputs=exported.inputs,
        output=exported.output,
        compression=compression,
        licence=licence,
    )
    engine = load_engine(provisional(out, exported.format, exported.model, card))
    proof = compare_models(
        exported.before,
        engine_logits(engine, exported.inputs),
        tracks.windowed,
        list(tracks.windowed.features),
        on_progress=(lambda done, total: progress("comparing", done, total)) if progress else None,
    )
    card = with_reference(with_comparison(card, proof, tracks.title), engine)
    _verify(provisional(out, exported.format, exported.model, card))
    artifact = read_artifact(write_artifact(out, exported.model, card).path)
    return Finished(artifact=artifact, proof=proof, engine=engine.name)


def engine_logits(engine: Engine, inputs: tuple[InputSpec, ...]) -> Logits:
    """Wrap a loaded engine."""
    names = [spec.name for spec in inputs]

    def run(tensors: tuple[Float32, ...]) -> Float32:
        return engine.run(dict(zip(names, tensors, strict=True)))

    return run


def _verify(artifact: Artifact) -> None:
    outcome = verify(artifact)
    if not outcome.passed:
        failed = "; ".join(
            f"{check.what} differ by {check.difference:.2g}, over {check.tolerance:.2g}"
            for check in outcome.checks
            if not check.passed
        )
        raise EngineError(f"{artifact.path}: not written, it fails its own verification: {failed}")


def _of(progress: Progress | None) -> Callable[[int, int], None] | None:
    return (lambda done, total: progress("features", done, total)) if progress else None
