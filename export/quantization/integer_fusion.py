"""Fusion: which operators ONNX Runtime computes in integers, read from its optimised graph."""

from __future__ import annotations

import dataclasses
import tempfile
from collections import Counter
from pathlib import Path

import onnx
import onnxruntime

_LOG_ERRORS_ONLY = 3  # it would warn that an optimised graph is for this machine alone
# Weighted operator -> the integer one that it becomes.
INTEGER = {"Conv": "QLinearConv", "Gemm": "QGemm", "MatMul": "QLinearMatMul"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Fusion:
    """Convolutions and matrix products before optimising, and how many became integer."""

    convolutions: int
    fused_convolutions: int
    products: int
    fused_products: int


def count_fusions(model: bytes) -> Fusion:
    """Count what ONNX Runtime fuses on this machine.

    A quantized convolution is fast only if the runtime joins it with the quantizers around it;
    one that is left over runs in float, with the conversions on top.

    Parameters
    ----------
    model : bytes
        A quantized ONNX model.
    """
    before = Counter(node.op_type for node in onnx.load_from_string(model).graph.node)
    after = Counter(node.op_type for node in optimised_graph(model).graph.node)
    products = ("Gemm", "MatMul")
    return Fusion(
        convolutions=before["Conv"],
        fused_convolutions=after[INTEGER["Conv"]],
        products=sum(before[name] for name in products),
        fused_products=sum(after[INTEGER[name]] for name in products),
    )


def optimised_graph(model: bytes) -> onnx.ModelProto:
    """Return the graph that ONNX Runtime would run on this machine."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _LOG_ERRORS_ONLY
    with tempfile.TemporaryDirectory(prefix="genrekit-") as folder:
        path = Path(folder, "optimised.onnx")
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return onnx.load(path)
