"""Multiply-accumulates: against torch's own counter, and by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from genrekit.artifact.card import Card
from genrekit.artifact.container import Artifact
from genrekit.bench.graph_cost.mac_count import count_operations
from genrekit.bench.graph_cost.operator_profile import profile_operators
from genrekit.engines.graphs.tflite.graph import read_tflite_graph

from ...engines.example_models import (
    CLASSES,
    IMAGE,
    as_artifact,
    float_onnx,
    int8_onnx,
    network,
    tflite_mlp,
    windows,
)

MLP_MACS = 57 * 256 + 256 * 128 + 128 * 64 + 64 * CLASSES


Maker = Callable[[bytes], Artifact]


@pytest.fixture
def image(card: Card, tmp_path: Path) -> Maker:
    """Return a function that writes an image model as an artifact."""
    return lambda model: as_artifact(card, model, tmp_path, "x", IMAGE, "logits", CLASSES)


@pytest.fixture
def mlp(card: Card, tmp_path: Path) -> Maker:
    """Return a function that writes a model of 57 values as an artifact."""

    def write(model: bytes) -> Artifact:
        graph = read_tflite_graph(model)
        given, made = (graph.tensors[edges[0]].name for edges in (graph.inputs, graph.outputs))
        return as_artifact(card, model, tmp_path, given, (57,), made, CLASSES)

    return write


@pytest.fixture(scope="module")
def torch_macs() -> int:
    model = network()  # built, and trained, before anything is counted
    with FlopCounterMode(display=False) as counter:
        model(torch.from_numpy(windows(1, IMAGE)))
    return counter.get_total_flops() // 2


def test_a_networks_operations_are_torchs(image: Maker, torch_macs: int) -> None:
    operations = count_operations(image(float_onnx()))
    assert operations.macs == torch_macs
    assert operations.arithmetic == "fp32"


def test_quantizing_changes_the_arithmetic_and_not_the_count(image: Maker, torch_macs: int) -> None:
    operations = count_operations(image(int8_onnx()))
    assert operations.macs == torch_macs
    assert operations.arithmetic == "int8"
    # Rounding to 7 bits makes a few of the smallest weights zero.
    assert 0.9 * torch_macs < operations.nonzero_macs <= torch_macs


@pytest.mark.parametrize(
    ("kind", "arithmetic"),
    [("float", "fp32"), ("sparse", "fp32"), ("dynamic", "int8"), ("int8", "int8")],
)
def test_an_mlps_operations_are_its_layers(mlp: Maker, kind: str, arithmetic: str) -> None:
    operations = count_operations(mlp(tflite_mlp(kind)))
    assert operations.macs == operations.weights == MLP_MACS
    assert operations.arithmetic == arithmetic


def test_zeros_of_a_sparse_model_are_not_counted(mlp: Maker) -> None:
    dense = count_operations(mlp(tflite_mlp("float")))
    sparse = count_operations(mlp(tflite_mlp("sparse")))
    assert dense.nonzero_macs == MLP_MACS
    assert sparse.nonzero_macs < 0.5 * MLP_MACS


def test_onnx_runtimes_profile_names_its_kernels(image: Maker) -> None:
    artifact = image(float_onnx())
    times = profile_operators(artifact, "onnxruntime", {"x": windows(1, IMAGE)})
    assert "Conv" in {time.operator.removeprefix("Fused") for time in times}
    assert sum(time.share for time in times) == pytest.approx(1.0)
    assert [time.ms for time in times] == sorted((time.ms for time in times), reverse=True)


@pytest.mark.parametrize("kind", ["float", "sparse"])  # sparse weights have operators of their own
def test_a_tflite_profile_has_every_layer(mlp: Maker, kind: str) -> None:
    artifact = mlp(tflite_mlp(kind))
    given = {artifact.card.inputs[0].name: np.ones((1, 57), np.float32)}
    (dense,) = profile_operators(artifact, "litert", given)
    assert (dense.operator, dense.calls) == ("FULLY_CONNECTED", 4)
    assert dense.ms > 0.0
