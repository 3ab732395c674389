"""Exporting: from a run to one file that was proven before it was written."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Callable
from pathlib import Path

from genrekit.runtime.arrays import Float32
from genrekit.runtime.artifact import Artifact, Format, read_artifact, write_artifact
from genrekit.runtime.card import Card, Compression, InputSpec
from genrekit.runtime.engines import Engine, load_engine
from genrekit.runtime.errors import ConfigError, EngineError
from genrekit.runtime.verify import Verification, verify
from genrekit.train.dataset import DataSource, open_dataset
from genrekit.train.material import Material
from genrekit.train.protocols import protocol
from genrekit.train.run import Run

from .calibration import Method
from .cards import draft_card, provisional, with_proof, with_reference
from .proof import Logits, Proof, prove

Progress = Callable[[str, int, int], None]


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
    proof : Proof
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
    proof: Proof
    engine: str
    logit_tolerance: float


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
    if protocol(run.settings.split.protocol).by_segment:
        raise ConfigError(
            f"{run.folder}: trained by a leaky split; a card must not carry its accuracy: train "
            "with a split by track"
        )
    if not run.representation.deployable:
        raise ConfigError(
            f"{run.folder}: trained on pictures of unknown making, which no device can make from "
            "audio; train on songs or on pictures with --image-recipe stft_5s"
        )
    exported = _export_onnx(run, options) if kind == "onnx" else _export_tflite(run, options, show)
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
        licence=options.licence,
    )
    engine = load_engine(provisional(out, kind, exported.model, card))
    material, tracks = _test_material(run, options, show)
    proof = prove(
        exported.before,
        _engine_logits(engine, exported.inputs),
        material,
        list(material.features),
        on_progress=lambda done, total: show("comparing", done, total),
    )
    card = with_reference(with_proof(card, proof, tracks), engine)
    _verify(provisional(out, kind, exported.model, card))
    artifact = read_artifact(write_artifact(out, exported.model, card).path)
    return _report(artifact, exported, proof, tracks, engine.name)


def _format_of(run: Run, out: Path) -> Format:
    kind: Format = "onnx" if run.architecture.framework == "torch" else "tflite"
    if out.suffix != f".{kind}":
        raise ConfigError(f"{out}: {run.settings.model} exports as *.{kind}; name it so")
    return kind


def _export_onnx(run: Run, options: ExportOptions) -> Exported:
    from .onnx_export import OUTPUT, export_onnx
    from .proof import torch_logits
    from .quantize import quantize

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
    from .perceptron import prune_run
    from .proof import keras_logits
    from .tflite_export import TfliteModel, export_tflite

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


def _test_material(run: Run, options: ExportOptions, show: Progress) -> tuple[Material, str]:
    if options.test_data is None:
        tracks, name = run.tracks("test"), f"test tracks of the {run.settings.split.protocol} split"
    else:
        tracks = open_dataset(options.test_data).tracks
        name = f"tracks of {Path(options.test_data.path).name}"
    material = run.material(
        tracks,
        source=options.test_data,
        on_progress=lambda done, total: show("features", done, total),
    )
    return material, name


def _engine_logits(engine: Engine, inputs: tuple[InputSpec, ...]) -> Logits:
    names = [spec.name for spec in inputs]

    def run(tensors: tuple[Float32, ...]) -> Float32:
        return engine.run(dict(zip(names, tensors, strict=True)))

    return run


def _verify(artifact: Artifact) -> Verification:
    outcome = verify(artifact)
    if not outcome.passed:
        failed = "; ".join(
            f"{check.what} differ by {check.difference:.2g}, over {check.tolerance:.2g}"
            for check in outcome.checks
            if not check.passed
        )
        raise EngineError(f"{artifact.path}: not written, it fails its own verification: {failed}")
    return outcome


def _report(
    artifact: Artifact, exported: Exported, proof: Proof, tracks: str, engine: str
) -> ExportReport:
    card: Card = artifact.card
    return ExportReport(
        path=str(artifact.path),
        steps=card.compression.steps,
        bytes=artifact.size,
        gzip_bytes=len(gzip.compress(artifact.path.read_bytes(), 9, mtime=0)),
        source_bytes=exported.source_bytes,
        ratio=exported.source_bytes / artifact.size,
        tracks=tracks,
        proof=proof,
        engine=engine,
        logit_tolerance=card.reference.logit_tolerance,
    )
