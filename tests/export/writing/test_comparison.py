"""Proof: two models compared on tracks, against sums done by hand."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from genrekit.arrays import Float32
from genrekit.errors import DataError
from genrekit.export.commands.export import describe
from genrekit.export.exporter import ExportReport
from genrekit.export.writing.comparison import compare_models, track_label, track_scores
from genrekit.train.inputs.presets import feature_vector
from genrekit.train.inputs.windows import WindowedDataset

# Per track its windows' logits of two genres; the "model" reads them from the first values.
TRACKS = {
    "a": [[2.0, 0.0], [0.0, 1.0]],  # mean probability says 0
    "b": [[0.0, 3.0]],
    "c": [[1.0, 0.0]],
    "d": [[0.0, 1.0]],
}
TARGETS = {"a": 0, "b": 1, "c": 1, "d": 1}


def windowed() -> WindowedDataset:
    features = {}
    for name, logits in TRACKS.items():
        values = np.zeros((len(logits), 57), np.float32)
        values[:, :2] = logits
        features[name] = (values,)
    return WindowedDataset(feature_vector(3.0), ("x", "y"), TARGETS, features, {})


def before(inputs: tuple[Float32, ...]) -> Float32:
    return inputs[0][:, :2]


def after(inputs: tuple[Float32, ...]) -> Float32:
    """Give what `before` gives, with half a point less for the second genre."""
    return inputs[0][:, :2] - np.float32([0.0, 1.25])


def test_tracks_are_labelled_by_mean_probability() -> None:
    # Mean logits would say the second genre; mean probabilities say the first.
    assert track_label(np.float32([[2.0, 0.0], [2.0, 0.0], [0.0, 9.0]])) == 0


def test_prove_counts_tracks_windows_and_logits() -> None:
    proof = compare_models(before, after, windowed(), list(TRACKS))
    assert (proof.before.value, proof.after.value) == (0.75, 0.5)  # d is lost
    assert (proof.tracks.lost, proof.tracks.gained) == (1, 0)
    assert proof.tracks.difference == -0.25
    assert proof.tracks.agreement.value == 0.75
    assert (proof.windows.value, proof.windows.n) == (0.6, 5)
    assert proof.logit_difference == 1.25
    assert proof.logit_rms == pytest.approx(np.sqrt(1.25**2 / 2))


def test_track_scores_average_the_probabilities() -> None:
    accuracy, cross_entropy = track_scores(before, windowed(), list(TRACKS))
    assert accuracy == 0.75

    def sigmoid(x: float) -> float:
        return 1.0 / (1.0 + np.exp(-x))

    shares = [(sigmoid(2.0) + sigmoid(-1.0)) / 2, sigmoid(3.0), sigmoid(-1.0), sigmoid(1.0)]
    assert cross_entropy == pytest.approx(-np.mean(np.log(shares)), rel=1e-6)


def test_logits_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(DataError, match="after gives logits that are not finite"):
        compare_models(before, lambda inputs: before(inputs) * np.nan, windowed(), ["a"])


def test_no_track_is_an_error() -> None:
    with pytest.raises(DataError, match="no track"):
        compare_models(before, after, windowed(), [])


def test_the_table_shows_what_was_measured() -> None:
    report = ExportReport(
        path="m.onnx",
        steps=("int8",),
        bytes=1_000,
        gzip_bytes=900,
        source_bytes=4_000,
        ratio=4.0,
        tracks="test tracks",
        proof=compare_models(before, after, windowed(), list(TRACKS)),
        engine="onnxruntime",
        logit_tolerance=0.05,
    )
    text = describe(report)
    assert "4.00x smaller" in text
    assert "before 75.0%" in text
    assert "-25.00 points" in text


def test_the_command_is_registered_without_any_framework() -> None:
    code = (
        "import sys, genrekit.export.commands.export as c, argparse;"
        "c.export(argparse.ArgumentParser().add_subparsers());"
        "print(sorted({'torch', 'tensorflow', 'onnx', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
