"""Matrix products as models: what they compute is NumPy's product."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from genrekit.bench.graph_cost.matmul_ceiling import Product, best, products
from genrekit.bench.graph_cost.matmul_models import onnx_product, tflite_product
from genrekit.engines.interpreters import load_interpreter
from genrekit.errors import ConfigError

RNG = np.random.default_rng(0)


def test_the_onnx_product_passes_the_checker_and_multiplies() -> None:
    weights = RNG.standard_normal((32, 16)).astype(np.float32)
    model = onnx_product(8, weights)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    x = RNG.standard_normal((8, 32)).astype(np.float32)
    np.testing.assert_allclose(session.run(None, {"x": x})[0], x @ weights, rtol=1e-4, atol=1e-5)


def test_the_onnx_int8_product_is_exact() -> None:
    weights = RNG.integers(-64, 64, (32, 16)).astype(np.int8)
    model = onnx_product(8, weights)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    x = RNG.integers(0, 256, (8, 32)).astype(np.uint8)
    expected = x.astype(np.int32) @ weights.astype(np.int32)
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], expected)


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
def test_the_tflite_product_multiplies(dtype: type) -> None:
    weights = (20 * RNG.standard_normal((32, 16))).astype(dtype)
    loaded = load_interpreter("litert")(model_content=tflite_product(8, weights), num_threads=1)
    loaded.allocate_tensors()
    (given,), (made,) = loaded.get_input_details(), loaded.get_output_details()
    x = (20 * RNG.standard_normal((8, 32))).astype(dtype)
    loaded.set_tensor(given["index"], x)
    loaded.invoke()
    found = loaded.get_tensor(made["index"])
    expected = x.astype(np.float64) @ weights.astype(np.float64)
    if dtype is np.int8:  # both scales are 0.01, the output's 0.01 times the root of 32
        expected = np.clip(np.round(expected * 0.01 / np.sqrt(32.0)), -128, 127)
        np.testing.assert_allclose(found, expected, atol=1)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-2)


def test_the_ceiling_is_the_fastest_product() -> None:
    small, large = (
        Product("numpy", "fp32", size, lambda: None) for size in ((1, 10, 100), (10, 100, 1_000))
    )
    ceiling = best([(small, 1e-3), (large, 1e-1)])
    assert ceiling.macs_per_s == pytest.approx(1e7)
    assert ceiling.size == (10, 100, 1_000)


def test_numpy_has_no_int8_product_of_its_own() -> None:
    assert {product.arithmetic for product in products("numpy", "int8")} == {"fp32"}


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="'abacus'"):
        products("abacus", "fp32")
