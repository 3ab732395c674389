"""A model whose graph is not what its card says, or could do more, is refused in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from genrekit.runtime.artifact import Artifact
from genrekit.runtime.card import Card
from genrekit.runtime.errors import ArtifactError
from genrekit.runtime.graph_check import check_graph

from .graph_models import CLASSES, IMAGE, as_artifact, float_onnx, int8_onnx, tflite_mlp, tiny_onnx

WEIGHT = np.arange(12, dtype=np.float32).reshape(4, 3)


def gemm() -> onnx.ModelProto:
    return tiny_onnx(helper.make_node("Gemm", ["x", "w"], ["logits"]), w=WEIGHT)


def tiny_artifact(card: Card, model: onnx.ModelProto, folder: Path) -> Artifact:
    return as_artifact(card, model.SerializeToString(), folder, "x", (4,), "logits", 3)


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


def _integer_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT32


def _second_output(model: onnx.ModelProto) -> None:
    model.graph.output.add().CopyFrom(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3]))


def _lying_output(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(WEIGHT[:, :2].copy(), "w"))


def _custom_domain(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.microsoft"


def _control_flow(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="Loop", input=["x"], output=["looped"])


def _sequence(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="SequenceConstruct", input=["x"], output=["s"])


def _random(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="RandomNormalLike", input=["x"], output=["r"])


def _external(model: onnx.ModelProto) -> None:
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "/etc/passwd")


def _undefined(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "ghost"


def _made_twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(model.graph.node[0])


def _data_dependent(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="Reshape", input=["x", "logits"], output=["r"])


def _constant(model: onnx.ModelProto, name: str, *values: int) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array(values), name))


def _vast_expansion(model: onnx.ModelProto) -> None:
    _constant(model, "sizes", 1 << 20, 1 << 20, 4)
    model.graph.node.add(op_type="Expand", input=["x", "sizes"], output=["e"])


def _doubling(model: onnx.ModelProto) -> None:
    """Forty concatenations of a tensor with itself."""
    for number in range(40):
        source = f"c{number - 1}" if number else "x"
        node = helper.make_node("Concat", [source, source], [f"c{number}"], axis=1)
        model.graph.node.append(node)


def _outer_product(model: onnx.ModelProto) -> None:
    """Windows by windows: harmless for one, not for a long recording."""
    model.graph.node.add(op_type="Transpose", input=["x"], output=["t"])
    model.graph.node.add(op_type="MatMul", input=["x", "t"], output=["outer"])


def _slow(model: onnx.ModelProto) -> None:
    """Three tensors of 64 MiB, 2**36 multiplications for each."""
    _constant(model, "sizes", 1 << 12, 1 << 12)
    model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 1), np.float32), "one"))
    model.graph.node.add(op_type="Expand", input=["one", "sizes"], output=["m0"])
    for number in range(3):
        names = [f"m{number}", "m0"]
        model.graph.node.add(op_type="MatMul", input=names, output=[f"m{number + 1}"])


def _padding(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(
        numpy_helper.from_array(np.ones((1, 1, 1), np.float32), "kernel")
    )
    _constant(model, "axes", 1)
    model.graph.node.add(op_type="Unsqueeze", input=["x", "axes"], output=["u"])
    node = helper.make_node(
        "Conv", ["u", "kernel"], ["p"], pads=[1 << 30, 1 << 30], strides=[1 << 12]
    )
    model.graph.node.append(node)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_integer_input, "element type 6, must be float32"),
        (_second_output, "gives"),
        (_lying_output, r"has shape \[1, 2\]"),
        (_custom_domain, "custom operator domain 'com.microsoft'"),
        (_control_flow, "Loop node 'looped': not an operator"),
        (_sequence, "SequenceConstruct node 's': not an operator"),
        (_random, "not an operator"),
        (_external, "another file"),
        (_undefined, "'ghost' is not made before it"),
        (_made_twice, "made twice"),
        (_data_dependent, "depends on data"),
        (_vast_expansion, "empty or over"),
        (_doubling, "empty or over"),
        (_outer_product, "grows faster than the number of windows"),
        (_slow, "m2.*needs over"),
        (_padding, "pad must be shorter"),
    ],
)
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
