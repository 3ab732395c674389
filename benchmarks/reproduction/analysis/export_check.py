"""Deployment: a trained system as files, in float and made smaller, and what that costs and gives.

Networks of torch become int8, those of tf_keras are pruned; solved models are small as they are.
Both files are verified before they are written. That the float file is the system is shown on
songs: `classify` must name what training named.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from genrekit.artifact.container import read_artifact
from genrekit.bench.paired import Ratio, time_rounds
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.reference import reference_inputs
from genrekit.engines.registry import load_engine
from genrekit.export.exporter import ExportOptions, ExportReport, export_run
from genrekit.train.data.protocols import protocol
from genrekit.train.evaluation.metrics import share
from genrekit.train.models.classical.closed_form import ClosedFormModel
from genrekit.train.runs.run import Run

from ..rows import Finding

SONGS = 10  # classified from their files
ROUNDS = 40
_SMALLER = {"torch": (".onnx", "int8"), "tf_keras": (".tflite", "pruned")}


def is_exportable(run: Run) -> bool:
    """Whether a device can compute the run's input, and its accuracy is fit for a card."""
    return run.settings.deployable and not protocol(run.settings.split.protocol).by_segment


def deploy(run: Run) -> list[Finding]:
    """Export a run's model beside its folder, as it is and, for a network, made smaller.

    Raises
    ------
    EngineError
        If a file fails its own verification.
    """
    suffix, word = _SMALLER[run.architecture.framework]
    plain = run.folder / f"model{suffix}"
    report = export_run(run, plain, ExportOptions(compress=False))
    found = [_from_songs(run, report) if run.settings.data.kind == "audio" else _verified(report)]
    if run.architecture.framework == "torch" and isinstance(run.load_model(), ClosedFormModel):
        return found
    small = run.folder / f"model_{word}{suffix}"
    report = export_run(run, small, ExportOptions())
    return [*found, *_smaller(f"{word} {suffix}", report, _speedup(plain, small))]


def _verified(report: ExportReport) -> Finding:
    same = report.proof.tracks.agreement
    return Finding(
        metric="exported: same label as in training",
        value=same.value or 0.0,
        n=same.n,
        ci95=same.ci95,
        note=_size(report),
    )


def _from_songs(run: Run, report: ExportReport) -> Finding:
    classifier = GenreClassifier.load(report.path)
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
        note=_size(report),
    )


def _size(report: ExportReport) -> str:
    return f"float {Path(report.path).suffix}, verified, {report.bytes:,} bytes"


def _smaller(what: str, report: ExportReport, speedup: Ratio) -> list[Finding]:
    paired = report.proof.tracks
    same = paired.agreement.value or 0.0
    return [
        Finding(
            metric=f"{what}: difference in accuracy",
            value=paired.difference,
            n=paired.n,
            ci95=paired.ci95,
            note=f"verified, {report.bytes:,} bytes; same label {same:.1%}",
        ),
        Finding(metric=f"{what}: times smaller", value=report.ratio),
        Finding(
            metric=f"{what}: times faster",
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
