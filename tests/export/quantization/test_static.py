"""Quantize: integer graphs that are small, fused, and the same on every machine."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from genrekit.arrays import Float32
from genrekit.errors import ConfigError
from genrekit.export.formats.onnx import export_onnx
from genrekit.export.quantization.calibration import METHODS, Method
from genrekit.export.quantization.integer_fusion import count_fusions
from genrekit.export.quantization.static import quantize

from ..networks import IMAGE, NarrowResNet, random_windows


@pytest.fixture(scope="module")
def float_graph() -> bytes:
    torch.manual_seed(0)
    return export_onnx(NarrowResNet(), [IMAGE])


@pytest.fixture(scope="module")
def calibration() -> dict[str, Float32]:
    return {IMAGE.name: random_windows(32, IMAGE.shape, seed=1)}


@pytest.fixture(scope="module")
def int8_graph(float_graph: bytes, calibration: dict[str, Float32]) -> bytes:
    return quantize(float_graph, calibration)


def run(graph: bytes, windows: Float32, *, fused: bool = True) -> Float32:
    options = onnxruntime.SessionOptions()
    if not fused:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {IMAGE.name: windows})
    return logits


def test_every_convolution_and_product_becomes_integer(int8_graph: bytes) -> None:
    fusion = count_fusions(int8_graph)
    assert (fusion.convolutions, fusion.fused_convolutions) == (NarrowResNet.convolutions,) * 2
    assert (fusion.products, fusion.fused_products) == (1, 1)


def test_a_float_graph_has_no_integer_convolution(float_graph: bytes) -> None:
    assert count_fusions(float_graph).fused_convolutions == 0


def test_integer_kernels_equal_the_float_simulation(int8_graph: bytes) -> None:
    """Saturating kernels differ by tenths here; rounding alone moves few values by one step."""
    windows = random_windows(16, IMAGE.shape, seed=2)
    logits = run(int8_graph, windows)
    simulated = run(int8_graph, windows, fused=False)
    assert np.abs(logits - simulated).max() < 0.02 * np.abs(simulated).max()


def test_float_simulation_equals_the_onnx_reference(int8_graph: bytes) -> None:
    windows = random_windows(2, IMAGE.shape, seed=3)
    graph = onnx.load_from_string(int8_graph)
    graph.opset_import[0].version = 19  # the reference's first; it adds only 8-bit floats
    (expected,) = ReferenceEvaluator(graph).run(None, {IMAGE.name: windows})
    np.testing.assert_allclose(
        run(int8_graph, windows, fused=False), expected, atol=0.02 * np.abs(expected).max()
    )


def test_logits_stay_close_to_the_float_graph(float_graph: bytes, int8_graph: bytes) -> None:
    windows = random_windows(64, IMAGE.shape, seed=4)
    expected, logits = run(float_graph, windows), run(int8_graph, windows)
    error = np.sqrt(((logits - expected) ** 2).mean())
    assert error < 0.05 * expected.std()


def test_weights_keep_to_seven_bits_so_that_no_kernel_saturates(int8_graph: bytes) -> None:
    tensors = [
        onnx.numpy_helper.to_array(item)
        for item in onnx.load_from_string(int8_graph).graph.initializer
        if item.data_type == onnx.TensorProto.INT8
    ]
    weights = [tensor for tensor in tensors if tensor.ndim > 1]
    assert len(weights) == NarrowResNet.convolutions + 1
    assert max(int(np.abs(tensor.astype(int)).max()) for tensor in weights) == 64


def test_activations_are_unsigned_and_weights_have_a_scale_per_channel(int8_graph: bytes) -> None:
    graph = onnx.load_from_string(int8_graph).graph
    tensors = {item.name: item for item in graph.initializer}
    zero_points = [tensors[n.input[2]] for n in graph.node if n.op_type == "QuantizeLinear"]
    assert {item.data_type for item in zero_points} == {onnx.TensorProto.UINT8}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in tensors:
            weight = tensors[node.input[0]]
            if len(weight.dims) == 4:
                assert list(tensors[node.input[1]].dims) == [weight.dims[0]]


@pytest.mark.parametrize("method", METHODS)
def test_quantizing_twice_gives_the_same_bytes(
    float_graph: bytes, calibration: dict[str, Float32], method: Method
) -> None:
    first = quantize(float_graph, calibration, method=method)
    assert first == quantize(float_graph, calibration, method=method)


def test_methods_treat_an_outlier_each_in_its_way(float_graph: bytes) -> None:
    windows = random_windows(64, IMAGE.shape, seed=1)
    windows[0, 0, 0, 0] = 30.0  # one value in 133 120; all others lie within 5

    def range_of_input(method: Method) -> float:
        graph = onnx.load_from_string(quantize(float_graph, {IMAGE.name: windows}, method=method))
        (node,) = [node for node in graph.graph.node if node.input[0] == IMAGE.name]
        (scale,) = [item for item in graph.graph.initializer if item.name == node.input[1]]
        return 255.0 * float(onnx.numpy_helper.to_array(scale))

    everything = range_of_input("minmax")
    assert everything == pytest.approx(30.0 - windows.min(), rel=0.01)
    assert range_of_input("percentile") < 0.3 * everything
    assert range_of_input("entropy") < 0.5 * everything


def test_the_library_prints_nothing(
    float_graph: bytes, calibration: dict[str, Float32], capfd: pytest.CaptureFixture[str]
) -> None:
    quantize(float_graph, calibration, method="entropy")
    assert capfd.readouterr() == ("", "")


def test_calibration_must_fit_the_graph(float_graph: bytes) -> None:
    with pytest.raises(ConfigError, match="graph takes"):
        quantize(float_graph, {"other": random_windows(2, IMAGE.shape)})
    with pytest.raises(ConfigError, match="at least 1"):
        quantize(float_graph, {IMAGE.name: random_windows(0, IMAGE.shape)})
