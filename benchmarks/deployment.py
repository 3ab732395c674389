"""Deployment: a trained system as files, in float and int8, and what that costs and gives.

Both files are verified before they are written. That the float file is the system is shown on
songs: `classify` must name what training named.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from genrekit.export.exporting import ExportOptions, ExportReport, export_run
from genrekit.runtime.artifact import read_artifact
from genrekit.runtime.classifier import GenreClassifier
from genrekit.runtime.engines import load_engine
from genrekit.runtime.measure import Ratio, time_rounds
from genrekit.runtime.reference import reference_inputs
from genrekit.train.metrics import share
from genrekit.train.protocols import protocol
from genrekit.train.run import Run
from genrekit.train.solved import SolvedModel

from .report_rows import Finding

SONGS = 10  # classified from their files
ROUNDS = 40


def is_exportable(run: Run) -> bool:
    """Whether a run is of torch, can be fed from songs and has an accuracy fit for a card.

    tf_keras models have a chain of their own: `genrekit export` prunes them.
    """
    return (
        run.settings.deployable
        and run.settings.data.kind == "audio"
        and run.architecture.framework == "torch"
        and not protocol(run.settings.split.protocol).by_segment
    )


def deploy(run: Run) -> list[Finding]:
    """Export a run's model beside its folder, in float and, for a network, in int8.

    Raises
    ------
    EngineError
        If a file fails its own verification.
    """
    plain = run.folder / "model.onnx"
    export_run(run, plain, ExportOptions(compress=False))
    found = [_from_songs(run, plain)]
    if isinstance(run.load_model(), SolvedModel):
        return found
    small = run.folder / "model_int8.onnx"
    report = export_run(run, small, ExportOptions())
    return [*found, *_int8(report, _speedup(plain, small))]


def _from_songs(run: Run, model: Path) -> Finding:
    classifier = GenreClassifier.load(model)
    paths = {track.id: track.path for track in run.tracks("test")}
    said = {result.id: result.predicted for result in run.metrics.test.tracks}
    chosen = list(said)[:: max(1, len(said) // SONGS)][:SONGS]
    same = share(
        sum(classifier.classify(paths[name]).label == said[name] for name in chosen), len(chosen)
    )
    return Finding(
        metric="genrekit classify: same label as in training",
        value=same.value or 0.0,
        n=same.n,
        ci95=same.ci95,
        note=f"float .onnx, verified, {model.stat().st_size:,} bytes",
    )


def _int8(report: ExportReport, speedup: Ratio) -> list[Finding]:
    paired = report.proof.tracks
    same = paired.agreement.value or 0.0
    return [
        Finding(
            metric="int8 .onnx: difference in accuracy",
            value=paired.difference,
            n=paired.n,
            ci95=paired.ci95,
            note=f"verified, {report.bytes:,} bytes; same label {same:.1%}",
        ),
        Finding(metric="int8 .onnx: times smaller", value=report.ratio),
        Finding(
            metric="int8 .onnx: times faster",
            value=speedup.median,
            n=speedup.n,
            ci95=speedup.ci95,
            note="one window, one thread, paired rounds",
        ),
    ]


def _speedup(plain: Path, small: Path) -> Ratio:
    tasks = {}
    for path in (plain, small):
        artifact = read_artifact(path)
        engine, inputs = load_engine(artifact), reference_inputs(artifact.card)
        tasks[path.name] = lambda engine=engine, inputs=inputs: engine.run(inputs)
    seconds = time_rounds(tasks, rounds=ROUNDS)
    return Ratio.of(np.asarray(seconds[plain.name]), np.asarray(seconds[small.name]))
