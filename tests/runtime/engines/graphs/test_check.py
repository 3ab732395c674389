"""A model whose graph is not what its card says, or could do more, is refused in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from genrekit.artifact.card import Card
from genrekit.engines.graphs.check import check_graph
from genrekit.errors import ArtifactError

from ....security.hostile_graphs import HOSTILE_ONNX, gemm, tiny_artifact
from ..example_models import (
    CLASSES,
    IMAGE,
    as_artifact,
    float_onnx,
    int8_onnx,
    tflite_mlp,
    tiny_onnx,
)


@pytest.mark.parametrize(
    "make", [float_onnx, lambda: float_onnx(dynamo=False), int8_onnx], ids=["dynamo", "ts", "int8"]
)
def test_exported_models_pass(make: Callable[[], bytes], card: Card, tmp_path: Path) -> None:
    check_graph(as_artifact(card, make(), tmp_path, "x", IMAGE, "logits", CLASSES))


def test_recurrent_models_pass(card: Card, tmp_path: Path) -> None:
    """As torch exports an LSTM: its first state is made with the number of windows."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Shape", ["x"], ["n"], start=0, end=1),
        helper.make_node("Concat", ["one", "n", "hidden"], ["state"], axis=0),
        helper.make_node("Expand", ["zero", "state"], ["h"]),
        helper.make_node("Unsqueeze", ["x", "axis"], ["series"]),
        helper.make_node("LSTM", ["series", "w", "r", "b", "", "h", "h"], ["", "y"], hidden_size=3),
        helper.make_node("Squeeze", ["y", "axis"], ["logits"]),
    ]
    model = tiny_onnx(
        *nodes,
        one=np.array([1]),
        hidden=np.array([3]),
        zero=np.zeros((1, 1, 1), np.float32),
        axis=np.array([0]),
        w=rng.standard_normal((1, 12, 4)).astype(np.float32),
        r=rng.standard_normal((1, 12, 3)).astype(np.float32),
        b=np.zeros((1, 24), np.float32),
    )
    onnx.checker.check_model(model, full_check=True)
    check_graph(tiny_artifact(card, model, tmp_path))


@pytest.mark.parametrize("kind", ["float", "sparse", "sparse dynamic", "int8"])
def test_exported_mlps_pass(kind: str, card: Card, tmp_path: Path) -> None:
    model = tflite_mlp(kind)
    check_graph(as_artifact(card, model, tmp_path, *_tflite_interface(model)))


def _tflite_interface(model: bytes) -> tuple[str, tuple[int, ...], str, int]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    return given["name"], (57,), result["name"], CLASSES


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "y"}, r"takes \['x'\], its card says \['y'\]"),
        ({"shape": (5,)}, r"'x' has shape \[None, 4\]"),
        ({"output": "scores"}, r"gives \['logits'\], its card says \['scores'\]"),
        ({"labels": 4}, r"'logits' has shape \[None, 3\]"),
    ],
)
def test_onnx_interface_must_be_the_cards(
    change: dict[str, object], reason: str, card: Card, tmp_path: Path
) -> None:
    given = {"name": "x", "shape": (4,), "output": "logits", "labels": 3} | change
    artifact = as_artifact(card, gemm().SerializeToString(), tmp_path, **given)  # type: ignore[arg-type]  # of mixed types
    with pytest.raises(ArtifactError, match=reason):
        check_graph(artifact)


@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_tflite_interface_must_be_the_cards(part: int, card: Card, tmp_path: Path) -> None:
    model = tflite_mlp("float")
    given = list(_tflite_interface(model))
    given[part] = ("y", (58,), "scores", CLASSES + 1)[part]
    with pytest.raises(ArtifactError, match="its card"):
        check_graph(as_artifact(card, model, tmp_path, *given))  # type: ignore[arg-type]  # of mixed types


@pytest.mark.parametrize(("spoil", "reason"), HOSTILE_ONNX)
def test_a_hostile_graph_is_refused_in_one_line(
    spoil: Callable[[onnx.ModelProto], None], reason: str, card: Card, tmp_path: Path
) -> None:
    check_graph(tiny_artifact(card, gemm(), tmp_path))
    model = gemm()
    spoil(model)
    artifact = tiny_artifact(card, model, tmp_path)
    with pytest.raises(ArtifactError, match=reason) as caught:
        check_graph(artifact)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(artifact.path))


def test_a_fixed_number_of_windows_other_than_one_is_refused(card: Card, tmp_path: Path) -> None:
    model = gemm()
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    check_graph(tiny_artifact(card, model, tmp_path))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    with pytest.raises(ArtifactError, match=r"shape \[2, 4\]"):
        check_graph(tiny_artifact(card, model, tmp_path))


def test_the_checked_graph_is_returned(card: Card, tmp_path: Path) -> None:
    artifact = tiny_artifact(card, gemm(), tmp_path)
    graph = check_graph(dataclasses.replace(artifact, size=0))
    assert [node.operator for node in graph.nodes] == ["Gemm"]  # type: ignore[union-attr]  # an .onnx
