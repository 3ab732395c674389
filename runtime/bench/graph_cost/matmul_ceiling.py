"""Ceiling: the fastest matrix product that an engine manages here, to hold models against.

A model that reaches most of it can only get faster with fewer operations; one far below it
spends its time on memory, on small layers, or outside the engine's fast kernels.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ...engines.interpreters import INTERPRETERS, load_interpreter
from ...errors import ConfigError
from .mac_count import Arithmetic
from .matmul_models import INPUT, OUTPUT, onnx_product, tflite_product

# Rows, inner size, columns: small enough for a core's own cache, large enough to fill kernels.
SIZES = ((128, 256, 256), (256, 512, 512))

Task = Callable[[], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Product:
    """One matrix product, ready to run."""

    engine: str
    arithmetic: Arithmetic
    size: tuple[int, int, int]
    run: Task

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        rows, inner, columns = self.size
        return rows * inner * columns


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Ceiling:
    """The best of the products: multiply-accumulates per second on one thread."""

    engine: str
    arithmetic: Arithmetic
    size: tuple[int, ...]
    macs_per_s: float


def products(engine: str, arithmetic: Arithmetic) -> list[Product]:
    """Make the products of an engine, of all `SIZES`, for one thread.

    NumPy has no int8 product, and its engine computes int8 models in float32: there the
    ceiling of int8 is that of float32.

    Parameters
    ----------
    engine : str
        One of `engines.ENGINES`, installed.
    arithmetic : {"int8", "fp32"}

    Raises
    ------
    ConfigError
        If the engine is none of them.
    """
    if engine not in _MAKERS:
        raise ConfigError(f"engine {engine!r}: must be one of {', '.join(_MAKERS)}")
    if engine == "numpy":
        arithmetic = "fp32"
    rng = np.random.default_rng(0)
    found = []
    for size in SIZES:
        rows, inner, columns = size
        weights: Any = rng.standard_normal((inner, columns)).astype(np.float32)
        if arithmetic == "int8":
            weights = rng.integers(-64, 64, (inner, columns)).astype(np.int8)
        found.append(Product(engine, arithmetic, size, _MAKERS[engine](rows, weights)))
    return found


def best(timed: list[tuple[Product, float]]) -> Ceiling:
    """Return the fastest of products with their median seconds; at least one."""
    product, seconds = max(timed, key=lambda pair: pair[0].macs / pair[1])
    return Ceiling(
        engine=product.engine,
        arithmetic=product.arithmetic,
        size=product.size,
        macs_per_s=product.macs / seconds,
    )


def _onnxruntime(rows: int, weights: Any) -> Task:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        onnx_product(rows, weights), options, providers=["CPUExecutionProvider"]
    )
    kind = np.uint8 if weights.dtype == np.int8 else np.float32
    inputs = {INPUT: np.ones((rows, len(weights)), kind)}
    return lambda: session.run([OUTPUT], inputs)


def _tflite(engine: str, rows: int, weights: Any) -> Task:
    model = tflite_product(rows, weights)
    loaded = load_interpreter(engine)(model_content=model, num_threads=1)
    loaded.allocate_tensors()
    values = np.ones((rows, len(weights)), weights.dtype)
    loaded.set_tensor(loaded.get_input_details()[0]["index"], values)
    return lambda: loaded.invoke()


def _numpy(rows: int, weights: Any) -> Task:
    values = np.ones((rows, len(weights)), np.float32)
    out = np.empty((rows, weights.shape[1]), np.float32)
    return lambda: np.matmul(values, weights, out=out)


_MAKERS: dict[str, Callable[[int, Any], Task]] = {
    "onnxruntime": _onnxruntime,
    **{engine: functools.partial(_tflite, engine) for engine in INTERPRETERS},
    "numpy": _numpy,
}
