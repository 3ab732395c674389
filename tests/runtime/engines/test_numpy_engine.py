"""The NumPy engine gives what ONNX Runtime and LiteRT give."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper

from genrekit.arrays import Float32
from genrekit.artifact.card import Card
from genrekit.artifact.container import Artifact
from genrekit.engines.graphs.tflite.graph import read_tflite_graph
from genrekit.engines.numpy_engine.engine import NumpyEngine
from genrekit.errors import EngineError

from .example_models import (
    CLASSES,
    IMAGE,
    as_artifact,
    float_onnx,
    int8_onnx,
    tflite_mlp,
    tiny_onnx,
    windows,
)


class Series(torch.nn.Module):
    """One-dimensional convolutions over the bands as channels, and an explicit softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Conv1d(32, 16, 5, 2, 2),
            torch.nn.LeakyReLU(0.1),
            torch.nn.MaxPool1d(2),
            torch.nn.Conv1d(16, 8, 3),
            torch.nn.Tanh(),
            torch.nn.Flatten(),
        )
        self.head = torch.nn.Linear(96, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.head(self.body(x.squeeze(1)))
        return torch.log_softmax(y, 1) + torch.softmax(3.0 - y / 2.0, 1) * y.abs()


def onnxruntime_logits(model: bytes, x: Float32, *, fused: bool = True) -> Float32:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    if not fused:
        level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"x": x})
    return np.asarray(logits, np.float32)


def onnx_engine(card: Card, model: bytes, folder: Path) -> NumpyEngine:
    return NumpyEngine(as_artifact(card, model, folder, "x", IMAGE, "logits", CLASSES), 1)


@pytest.mark.parametrize(
    "make",
    [
        float_onnx,
        lambda: float_onnx(dynamo=False),
        lambda: float_onnx(kind=Series),
        lambda: float_onnx(kind=Series, dynamo=False),
    ],
    ids=["dynamo", "torchscript", "series-dynamo", "series-torchscript"],
)
def test_float_model_equals_onnxruntime(
    make: Callable[[], bytes], card: Card, tmp_path: Path
) -> None:
    x = windows(20, IMAGE, 2)
    expected = onnxruntime_logits(make(), x)
    logits = onnx_engine(card, make(), tmp_path).run({"x": x})
    np.testing.assert_allclose(logits, expected, atol=1e-5 * np.ptp(expected))
    assert len(set(expected.argmax(1))) > 2


@pytest.mark.parametrize("dynamo", [True, False])
def test_int8_model_equals_onnxruntime(dynamo: bool, card: Card, tmp_path: Path) -> None:
    """The same labels; logits within 2 % of their range, a few steps of the last layers."""
    model, x = int8_onnx(dynamo=dynamo), windows(100, IMAGE, 2)
    assert sum(node.op_type == "QuantizeLinear" for node in onnx.load_from_string(model).graph.node)
    logits = onnx_engine(card, model, tmp_path).run({"x": x})
    for fused in (True, False):
        expected = onnxruntime_logits(model, x, fused=fused)
        np.testing.assert_allclose(logits, expected, atol=0.02 * np.ptp(expected))
        # Two logits nearer to each other than that may change places.
        clear = np.diff(np.sort(expected, axis=1)[:, -2:])[:, 0] > 0.02 * np.ptp(expected)
        assert clear.mean() > 0.6
        np.testing.assert_array_equal(logits.argmax(1)[clear], expected.argmax(1)[clear])


def test_quantising_is_followed_exactly(card: Card, tmp_path: Path) -> None:
    """One layer, whose integers fit float32: every logit is on ONNX Runtime's level."""
    rng = np.random.default_rng(0)
    scale, zero = np.float32(0.037), np.uint8(117)
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
        helper.make_node("DequantizeLinear", ["wq", "ws"], ["w"], axis=1),
        helper.make_node("Gemm", ["xd", "w"], ["y"]),
        helper.make_node("QuantizeLinear", ["y", "ys", "z"], ["yq"]),
        helper.make_node("DequantizeLinear", ["yq", "ys", "z"], ["logits"]),
    ]
    model = tiny_onnx(
        *nodes,
        s=scale,
        z=zero,
        wq=rng.integers(-127, 128, (4, 3)).astype(np.int8),
        ws=rng.uniform(0.01, 0.02, 3).astype(np.float32),
        ys=np.float32(0.05),
    ).SerializeToString()
    x = rng.standard_normal((1_000, 4), np.float32) * 3.0
    engine = NumpyEngine(as_artifact(card, model, tmp_path, "x", (4,), "logits", 3), 1)
    expected = onnxruntime_logits(model, x, fused=False)
    np.testing.assert_allclose(engine.run({"x": x}), expected, atol=1e-6)
    assert np.abs(expected).max() > 6.0  # some were clipped


def litert_logits(model: bytes, x: Float32, *, delegate: bool) -> Float32:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kind = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_content=model, num_threads=1, experimental_op_resolver_type=kind
    )
    interpreter.allocate_tensors()
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for row in x:
        interpreter.set_tensor(given["index"], row[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(result["index"])[0])
    return np.array(rows)


def tflite_artifact_of(card: Card, model: bytes, folder: Path) -> Artifact:
    graph = read_tflite_graph(model)
    name, output = graph.tensors[graph.inputs[0]].name, graph.tensors[graph.outputs[0]].name
    return as_artifact(card, model, folder, name, (57,), output, CLASSES)


@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [
        ("float", 1e-6),
        ("softmax", 1e-5),
        ("sparse", 1e-6),
        # A sum that falls on the other side of a level is one level off: 1/255 of its range.
        ("dynamic", 1e-2),
        ("sparse dynamic", 1e-2),
        ("int8", 1e-2),
    ],
)
def test_mlp_equals_litert(kind: str, tolerance: float, card: Card, tmp_path: Path) -> None:
    model, x = tflite_mlp(kind), windows(200, (57,), 3)
    artifact = tflite_artifact_of(card, model, tmp_path)
    # XNNPACK does not run sparse int8 weights; LiteRT's own kernels do.
    expected = litert_logits(model, x, delegate=kind != "sparse dynamic")
    (name,) = [item.name for item in artifact.card.inputs]
    logits = NumpyEngine(artifact, 1).run({name: x})
    np.testing.assert_allclose(logits, expected, atol=tolerance * np.ptp(expected))
    np.testing.assert_array_equal(logits.argmax(1), expected.argmax(1))
    assert len(set(expected.argmax(1))) > 2


def test_batches_equal_single_windows(card: Card, tmp_path: Path) -> None:
    engine, x = onnx_engine(card, int8_onnx(), tmp_path), windows(19, IMAGE, 4)
    single = np.concatenate([engine.run({"x": x[i : i + 1]}) for i in range(len(x))])
    # The matrix products sum in another order, which may tip a value over a level.
    np.testing.assert_allclose(engine.run({"x": x}), single, atol=0.02 * np.ptp(single))


def test_inputs_are_left_alone_and_runs_repeat(card: Card, tmp_path: Path) -> None:
    engine, x = onnx_engine(card, float_onnx(), tmp_path), windows(3, IMAGE, 5)
    kept = x.copy()
    first = engine.run({"x": x})
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(engine.run({"x": x}), first)


def test_threads_may_share_an_engine(card: Card, tmp_path: Path) -> None:
    engine = onnx_engine(card, int8_onnx(), tmp_path)
    inputs = [windows(2, IMAGE, seed) for seed in range(8)]
    expected = [engine.run({"x": x}) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for got, want in zip(
            pool.map(lambda x: engine.run({"x": x}), inputs), expected, strict=True
        ):
            np.testing.assert_array_equal(got, want)


def test_an_unknown_operator_names_the_way_out(card: Card, tmp_path: Path) -> None:
    model = tiny_onnx(
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        helper.make_node("Erf", ["y"], ["logits"]),
        w=np.ones((4, 3), np.float32),
    ).SerializeToString()
    artifact = as_artifact(card, model, tmp_path, "x", (4,), "logits", 3)
    with pytest.raises(EngineError, match=r"operator Erf is not supported .*pip install"):
        NumpyEngine(artifact, 1)


def test_logits_that_are_not_finite_are_refused(card: Card, tmp_path: Path) -> None:
    model = tiny_onnx(
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        helper.make_node("Log", ["y"], ["logits"]),
        w=np.ones((4, 3), np.float32),
    ).SerializeToString()
    engine = NumpyEngine(as_artifact(card, model, tmp_path, "x", (4,), "logits", 3), 1)
    assert np.isfinite(engine.run({"x": np.ones((1, 4), np.float32)})).all()
    with pytest.raises(EngineError, match="not finite"):
        engine.run({"x": -np.ones((1, 4), np.float32)})


def test_an_input_of_another_shape_is_refused(card: Card, tmp_path: Path) -> None:
    engine = onnx_engine(card, float_onnx(), tmp_path)
    with pytest.raises(EngineError, match=r"must be \(2, \*\(1, 32, 57\)\)"):
        engine.run({"x": windows(2, (1, 32, 56))})


def test_weights_used_a_thousand_times_are_refused(card: Card, tmp_path: Path) -> None:
    wide = np.ones((4, 4), np.float32)
    names = ["x", *(f"y{i}" for i in range(3))]
    chain = [helper.make_node("MatMul", [a, "w"], [b]) for a, b in itertools.pairwise(names)]
    last = helper.make_node("MatMul", ["y2", "v"], ["logits"])
    weights = {"w": wide, "v": np.ones((4, 3), np.float32)}
    model = tiny_onnx(*chain, last, **weights).SerializeToString()
    NumpyEngine(as_artifact(card, model, tmp_path, "x", (4,), "logits", 3), 1)
    big = np.ones((600, 600), np.float32)
    names = ["h", *(f"y{i}" for i in range(9))]
    chain = [helper.make_node("MatMul", [a, "w"], [b]) for a, b in itertools.pairwise(names)]
    model = tiny_onnx(
        helper.make_node("MatMul", ["x", "u"], ["h"]),
        *chain,
        helper.make_node("MatMul", ["y8", "v"], ["logits"]),
        w=big,
        u=np.ones((4, 600), np.float32),
        v=np.ones((600, 3), np.float32),
    ).SerializeToString()
    with pytest.raises(EngineError, match="used so often"):
        NumpyEngine(as_artifact(card, model, tmp_path, "x", (4,), "logits", 3), 1)
