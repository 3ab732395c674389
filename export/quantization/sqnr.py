"""SQNR: how much signal each layer of a quantized graph keeps over its rounding noise.

A layer whose figure falls far below its neighbours' is the one to leave in float
(`quantize(..., exclude=[name])`).
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization.shape_inference import quant_pre_process

from genrekit.arrays import Float32, Float64

from .integer_fusion import INTEGER

_SMALLEST = 1e-20  # of a mean square


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LayerError:
    """Rounding noise at the output of one convolution or product.

    Parameters
    ----------
    name : str
        The node's, as `quantize` takes it in `exclude`.
    weight : str
        Name of its weights in the float graph, which is that of the torch layer.
    operator : str
    sqnr_db : float
        Power of the float output over the power of the difference, in decibels.
    """

    name: str
    weight: str
    operator: str
    sqnr_db: float


def layer_errors(
    model: bytes, quantized: bytes, inputs: Mapping[str, Float32]
) -> tuple[LayerError, ...]:
    """Compare both graphs layer by layer on the same windows.

    Parameters
    ----------
    model : bytes
        The float graph that `quantize` was given.
    quantized : bytes
        What it returned.
    inputs : mapping of str to float32, shape (windows, ...)

    Returns
    -------
    tuple of LayerError
        In the order of the graph; noise from earlier layers is included.
    """
    with tempfile.TemporaryDirectory(prefix="genrekit-") as folder:
        path = Path(folder, "prepared.onnx")
        quant_pre_process(onnx.load_from_string(model), path)
        prepared = onnx.load(path)
    rounded = onnx.load_from_string(quantized)
    # Both graphs name the weighted layers alike; what they give may be named otherwise.
    layers = [node for node in prepared.graph.node if node.op_type in INTEGER]
    twins = {node.name: node for node in rounded.graph.node}
    kept = [node for node in layers if node.name in twins]
    exact = _run(prepared, [node.output[0] for node in kept], inputs)
    noisy = _run(rounded, [twins[node.name].output[0] for node in kept], inputs)
    return tuple(
        LayerError(
            name=node.name,
            weight=node.input[1],
            operator=node.op_type,
            sqnr_db=_sqnr(signal, value),
        )
        for node, signal, value in zip(kept, exact, noisy, strict=True)
    )


def _run(
    model: onnx.ModelProto, outputs: list[str], inputs: Mapping[str, Float32]
) -> list[Float32]:
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
    options = onnxruntime.SessionOptions()
    # Unfused: every inner tensor must exist, as the float simulation of the integer graph.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return [np.asarray(value, np.float32) for value in session.run(outputs, dict(inputs))]


def _sqnr(signal: Float32, noisy: Float32) -> float:
    def power(values: Float64) -> float:
        return max(float(np.square(values).mean()), _SMALLEST)

    exact = signal.astype(np.float64)
    return float(10.0 * np.log10(power(exact) / power(exact - noisy)))
