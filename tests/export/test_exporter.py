"""Exporting: one file per run, proven, repeatable, and usable by the runtime alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from genrekit.artifact.container import read_artifact
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.reference import reference_inputs
from genrekit.classify.verification import verify
from genrekit.commands.main import main
from genrekit.engines.registry import load_engine
from genrekit.errors import ConfigError
from genrekit.export.exporter import ExportOptions, export_run
from genrekit.export.quantization.integer_fusion import count_fusions
from genrekit.export.writing.cards import logit_tolerance
from genrekit.train.data.datasets import audio_source
from genrekit.train.runs.run import Run


@pytest.mark.slow
def test_a_pruned_network_is_one_small_verified_file(
    vector_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mlp.tflite"
    assert main(["export", str(vector_run.folder), "--out", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [path.name for path in tmp_path.iterdir()] == ["mlp.tflite"]
    assert report["bytes"] == out.stat().st_size
    assert report["ratio"] >= 5.5
    assert report["engine"] == "litert"
    artifact = read_artifact(out)
    assert verify(artifact).passed
    card = artifact.card
    assert card.labels == vector_run.labels
    assert card.compression.source_bytes == report["source_bytes"]
    assert "pruned" in card.compression.steps[0]
    assert card.training.accuracy[0].n == len(vector_run.tracks("test"))
    assert card.training.accuracy[0].accuracy == report["proof"]["after"]["value"]


def test_before_is_what_training_measured(vector_run: Run, tmp_path: Path) -> None:
    report = export_run(vector_run, tmp_path / "mlp.tflite", ExportOptions(compress=False))
    assert report.proof.before == vector_run.metrics.test.scores.accuracy
    assert report.proof.logit_difference < 1e-3
    assert report.proof.tracks.agreement.value == 1.0
    assert report.steps == ()


@pytest.mark.slow
def test_exporting_twice_gives_the_same_file(vector_run: Run, tmp_path: Path) -> None:
    files = [tmp_path / "a" / "mlp.tflite", tmp_path / "b" / "mlp.tflite"]
    for file in files:
        export_run(vector_run, file, ExportOptions())
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_suffix_must_fit_the_model(vector_run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mlp exports as \*\.tflite"):
        export_run(vector_run, tmp_path / "mlp.onnx", ExportOptions())
    assert not list(tmp_path.iterdir())


def test_what_no_device_can_feed_is_not_exported(vector_run: Run, tmp_path: Path) -> None:
    representation = vector_run.representation
    (spec,) = representation.inputs
    unknown = dataclasses.replace(
        representation, inputs=(dataclasses.replace(spec, feature="picture"),)
    )
    settings = dataclasses.replace(vector_run.settings, representation=unknown)
    with pytest.raises(ConfigError, match="unknown making"):
        export_run(Run(vector_run.folder, settings), tmp_path / "mlp.tflite", ExportOptions())
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_resnet18_int8(image_run: Run, export_songs: Path, tmp_path: Path) -> None:
    out = tmp_path / "resnet18.onnx"
    options = ExportOptions(test_data=audio_source(export_songs))
    report = export_run(image_run, out, options)
    assert report.proof.tracks.n == 24
    assert report.bytes <= 11.4e6
    assert report.ratio >= 3.9
    artifact = read_artifact(out)
    assert verify(artifact).passed
    fusion = count_fusions(artifact.model)
    assert (fusion.convolutions, fusion.fused_convolutions) == (20, 20)
    song = next(export_songs.glob("noise/*.wav"))
    assert GenreClassifier.load(out).classify(song).label in image_run.labels
    again = tmp_path / "again" / "resnet18.onnx"
    export_run(image_run, again, options)
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.slow
def test_resnet18_float_equals_torch(image_run: Run, tmp_path: Path) -> None:
    out = tmp_path / "resnet18.onnx"
    report = export_run(image_run, out, ExportOptions(compress=False))
    assert report.proof.logit_difference <= 1e-4
    windows = image_run.windows(image_run.tracks("test")[0])
    with torch.inference_mode():
        expected = image_run.load_model()(torch.from_numpy(windows)).numpy()
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {image_run.representation.inputs[0].name: windows})
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_the_tolerance_covers_disturbed_features_and_little_more(
    vector_run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "mlp.tflite"
    export_run(vector_run, out, ExportOptions(compress=False))
    artifact = read_artifact(out)
    engine, inputs = load_engine(artifact), reference_inputs(artifact.card)
    tolerance = logit_tolerance(engine, inputs)
    assert tolerance == artifact.card.reference.logit_tolerance
    expected = engine.run(inputs)
    rng = np.random.default_rng(1)

    def moved(size: float) -> float:
        noisy = {
            name: values + size * rng.choice((-1, 1), values.shape).astype(np.float32)
            for name, values in inputs.items()
        }
        return float(np.abs(engine.run(noisy) - expected).max())

    assert moved(1e-3) < tolerance
    assert moved(0.2) > tolerance
