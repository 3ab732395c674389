"""Exporting: from a run to one file that was proven before it was written."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path

from genrekit.artifact.container import Format
from genrekit.errors import ConfigError
from genrekit.train.data.datasets import DataSource
from genrekit.train.runs.run import Run

from .quantization.calibration import Method
from .writing.comparison import ModelComparison
from .writing.verified import (
    Exported,
    Finished,
    Progress,
    finish,
    fresh_tracks,
    refuse_leaky,
    side_of,
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ExportOptions:
    """What to make of a run.

    Parameters
    ----------
    compress : bool
        Quantize (.onnx) or prune (.tflite); else the float model as it is.
    calibration_tracks : int
        Training tracks that give one window each to calibrate on.
    method : {"minmax", "entropy", "percentile"}
        Of calibration.
    sparsity : float
        Share of a .tflite model's weights that pruning removes.
    licence : str
        Of the file.
    test_data : DataSource or None
        Other tracks to compare on; None is the run's own test tracks.
    """

    compress: bool = True
    calibration_tracks: int = 256
    method: Method = "minmax"
    sparsity: float = 0.9
    licence: str = "not stated"
    test_data: DataSource | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ExportReport:
    """What was written and how it compares.

    Parameters
    ----------
    path : str
    steps : tuple of str
        Of compression.
    bytes, gzip_bytes : int
        Of the file, card included, and of the same compressed.
    source_bytes : int
        Of the float model in the same format, without a card.
    ratio : float
        `source_bytes / bytes`.
    tracks : str
        Which tracks the comparison is on.
    proof : ModelComparison
        The framework's model before, the file in its engine after.
    engine : str
        That engine.
    logit_tolerance : float
        Written into the card for `genrekit verify`.
    """

    path: str
    steps: tuple[str, ...]
    bytes: int
    gzip_bytes: int
    source_bytes: int
    ratio: float
    tracks: str
    proof: ModelComparison
    engine: str
    logit_tolerance: float


def export_run(
    run: Run, out: Path, options: ExportOptions, *, progress: Progress | None = None
) -> ExportReport:
    """Export a run's model; nothing is written unless the file proves itself.

    Parameters
    ----------
    run : Run
    out : Path
        `*.onnx` for a torch model, `*.tflite` for a tf_keras model.
    options : ExportOptions
    progress : callable, optional
        Called with a title, things done and things in all.

    Raises
    ------
    ConfigError
        If the suffix is not the model's, no runtime can compute its input from audio, or the
        split leaks.
    EngineError
        If the model cannot be exported, or fails its own verification.
    """
    show = progress or (lambda *_: None)
    kind = _format_of(run, out)
    refuse_leaky(run)
    if not run.representation.deployable:
        raise ConfigError(
            f"{run.folder}: trained on pictures of unknown making, which no device can make from "
            "audio; train on songs or on pictures with --image-recipe stft_5s"
        )
    exported = _export_onnx(run, options) if kind == "onnx" else _export_tflite(run, options, show)
    if options.test_data is None:
        tracks = side_of(run, "test", progress=show)
    else:
        tracks = fresh_tracks(run, options.test_data, progress=show)
    finished = finish(run, exported, out, tracks, licence=options.licence, progress=show)
    return _report(finished, exported, tracks.title)


def _format_of(run: Run, out: Path) -> Format:
    kind: Format = "onnx" if run.architecture.framework == "torch" else "tflite"
    if out.suffix != f".{kind}":
        raise ConfigError(f"{out}: {run.settings.model} exports as *.{kind}; name it so")
    return kind


def _export_onnx(run: Run, options: ExportOptions) -> Exported:
    from .formats.onnx import OUTPUT, export_onnx
    from .quantization.static import quantize
    from .writing.comparison import torch_logits

    model, specs = run.load_model(), run.representation.inputs
    source = data = export_onnx(model, specs)
    steps: tuple[str, ...] = ()
    if options.compress:
        calibration = {
            spec.name: run.calibration_inputs(options.calibration_tracks, index)
            for index, spec in enumerate(specs)
        }
        data = quantize(source, calibration, method=options.method)
        steps = (
            "static int8, QDQ, unsigned 8-bit activations, 7-bit weights per channel, "
            f"{options.method} over {options.calibration_tracks} training windows",
        )
    return Exported(
        format="onnx",
        model=data,
        inputs=specs,
        output=OUTPUT,
        steps=steps,
        source_bytes=len(source),
        before=torch_logits(model),
    )


def _export_tflite(run: Run, options: ExportOptions, show: Progress) -> Exported:
    from .formats.pruned_tflite import prune_run
    from .formats.tflite import TfliteModel, export_tflite
    from .writing.comparison import keras_logits

    model = run.load_model()
    source = data = export_tflite(model)
    steps: tuple[str, ...] = ()
    if options.compress:
        chosen = prune_run(run, model, options.sparsity, show)
        data, steps = chosen.model, chosen.steps
    loaded = TfliteModel(data)
    (spec,) = run.representation.inputs
    return Exported(
        format="tflite",
        model=data,
        # The converter names tensors in its own way.
        inputs=(dataclasses.replace(spec, name=loaded.input_name),),
        output=loaded.output_name,
        steps=steps,
        source_bytes=len(source),
        before=keras_logits(model),
    )


def _report(finished: Finished, exported: Exported, tracks: str) -> ExportReport:
    artifact, card = finished.artifact, finished.artifact.card
    return ExportReport(
        path=str(artifact.path),
        steps=card.compression.steps,
        bytes=artifact.size,
        gzip_bytes=len(gzip.compress(artifact.path.read_bytes(), 9, mtime=0)),
        source_bytes=exported.source_bytes,
        ratio=exported.source_bytes / artifact.size,
        tracks=tracks,
        proof=finished.proof,
        engine=finished.engine,
        logit_tolerance=card.reference.logit_tolerance,
    )
