"""Engines that stand in for the usual ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genrekit.artifact.container import Artifact
from genrekit.engines.registry import load_engine
from genrekit.errors import ConfigError, DependencyError

_TENSORFLOW_THEN_TORCHVISION = """
import sys
import numpy as np
from genrekit.artifact.container import read_artifact
from genrekit.engines.registry import load_engine

artifact = read_artifact(sys.argv[1])
spec = artifact.card.inputs[0]
window = {spec.name: np.random.default_rng(0).normal(size=(1, *spec.shape)).astype("f4")}
mine, usual = (load_engine(artifact, engine=name).run(window) for name in ("tensorflow", "litert"))
np.testing.assert_allclose(mine, usual, atol=1e-5)
import torchvision
print("both")
"""


@pytest.mark.slow
def test_tensorflow_runs_a_tflite_model_and_leaves_torchvision_importable(
    tflite_artifact: Artifact,
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", _TENSORFLOW_THEN_TORCHVISION, str(tflite_artifact.path)],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-2_000:]
    assert result.stdout.split() == ["both"]


def test_an_engine_that_is_not_installed_is_told_with_the_command(
    tflite_artifact: Artifact,
) -> None:
    with pytest.raises(DependencyError, match="not installed: pip install 'tflite-runtime'"):
        load_engine(tflite_artifact, engine="tflite-runtime")


def test_an_engine_for_other_files_is_refused(tflite_artifact: Artifact) -> None:
    with pytest.raises(ConfigError, match=r"'onnxruntime' does not run \.tflite; use litert or"):
        load_engine(tflite_artifact, engine="onnxruntime")
