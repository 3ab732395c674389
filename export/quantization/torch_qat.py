"""Quantization-aware training: a network that learns under the very rounding of its int8 file.

Brevitas puts a quantizer before every convolution and product; ranges are learned together with
the weights, and the ONNX file gets these same scales. The forms are those of `quantize`: 8-bit
unsigned activations, 7-bit weights with one scale per channel (why: see there), float logits.

References
----------
Pappalardo et al., "Brevitas: neural network quantization in PyTorch". Esser et al., "Learned
step size quantization", ICLR 2020: ranges as parameters.
"""

from __future__ import annotations

import contextlib
import copy
import io
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from genrekit.arrays import Float32
from genrekit.artifact.sections import InputSpec
from genrekit.errors import EngineError

from ..formats.onnx import OUTPUT, strip_notes

WEIGHT_BITS = 7
_OPSET = 17  # brevitas writes its operators for this one
_CALIBRATED_AT_ONCE = 32
_UNSIGNED_ZERO = "unsigned_zero"


def make_quantized(model: torch.nn.Module, calibration: Float32) -> torch.nn.Module:
    """Copy a trained network with quantizers in it, ranges set from real input.

    Parameters
    ----------
    model : torch.nn.Module
        Of one image input; left as it is.
    calibration : float32, shape (windows, *spec.shape)
        Training windows.

    Returns
    -------
    torch.nn.Module
        Batch normalisation merged into the convolutions; ready to be fine-tuned as any other.

    Raises
    ------
    EngineError
        If the network cannot be traced.
    """
    try:
        with _quiet():
            from brevitas.graph.calibrate import calibration_mode

            network = _insert_quantizers(copy.deepcopy(model).cpu().eval())
            with torch.no_grad(), calibration_mode(network):
                for start in range(0, len(calibration), _CALIBRATED_AT_ONCE):
                    part = calibration[start : start + _CALIBRATED_AT_ONCE]
                    network(torch.from_numpy(part))
    except Exception as error:  # brevitas and torch.fx raise what their internals raise
        raise EngineError(f"brevitas cannot quantize this network: {error!s:.300}") from error
    return network


def _insert_quantizers(model: torch.nn.Module) -> torch.nn.Module:
    from brevitas import nn as qnn
    from brevitas import quant
    from brevitas.graph import quantize as graphs

    class SevenBitWeights(quant.Int8WeightPerChannelFloat):  # type: ignore[misc]  # untyped base
        bit_width = WEIGHT_BITS

    settings = {
        "weight_quant": SevenBitWeights,
        "bias_quant": quant.Int32Bias,
        "return_quant_tensor": True,
    }
    layers = dict(graphs.COMPUTE_LAYER_MAP)
    layers[torch.nn.Conv2d] = (qnn.QuantConv2d, settings)
    layers[torch.nn.Linear] = (qnn.QuantLinear, settings)
    network: torch.nn.Module = graphs.quantize(
        graphs.preprocess_for_quantize(model),
        compute_layer_map=layers,
        requantize_layer_handler_output=False,
    )
    return network


def export_quantized(network: torch.nn.Module, spec: InputSpec) -> bytes:
    """Write a network of `make_quantized` as ONNX, with the scales that it learned.

    Parameters
    ----------
    network : torch.nn.Module
    spec : InputSpec
        Its only input.

    Returns
    -------
    bytes
        QDQ; weights as 8-bit integers.

    Raises
    ------
    EngineError
        If it cannot be exported.
    """
    buffer = io.BytesIO()
    try:
        with _quiet():
            from brevitas.export.onnx.standard.qcdq.manager import StdQCDQONNXManager

            class Exporter(StdQCDQONNXManager):  # type: ignore[misc]  # it has no types
                run_onnx_passes = False  # its optimizer cannot parse this IR, and says so each time

            Exporter.export(
                network.cpu().eval(),
                args=torch.zeros(2, *spec.shape),
                export_path=buffer,
                opset_version=_OPSET,
                dynamo=False,
                input_names=[spec.name],
                output_names=[OUTPUT],
                dynamic_axes={spec.name: {0: "windows"}, OUTPUT: {0: "windows"}},
            )
    except Exception as error:
        raise EngineError(f"brevitas cannot export this network: {error!s:.300}") from error
    model = onnx.load_from_string(buffer.getvalue())
    _fold_constants(model.graph)
    _make_unsigned(model.graph)
    strip_notes(model)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _fold_constants(graph: onnx.GraphProto) -> None:
    """Turn constants into initialisers, and the clipping of weights into clipped weights.

    Weights of 7 bits come with a Clip that says so; the runtime knows integers of 8.
    """
    known = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type == "Constant":
            known[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.op_type == "Clip" and all(name in known for name in node.input):
            known[node.output[0]] = np.clip(*(known[name] for name in node.input))
        else:
            kept.append(node)
    used = {name for node in kept for name in node.input}
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in known.items() if name in used
    )


def _make_unsigned(graph: onnx.GraphProto) -> None:
    """Move signed activations by 128: the same values, in the form that x86 has kernels for."""
    known = {item.name: item for item in graph.initializer}
    signed = onnx.TensorProto.INT8
    moved = set()
    for node in graph.node:
        if node.op_type == "QuantizeLinear" and known[node.input[2]].data_type == signed:
            moved.add(node.output[0])
            node.input[2] = _UNSIGNED_ZERO
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in moved:
            node.input[2] = _UNSIGNED_ZERO
    if moved:
        graph.initializer.append(numpy_helper.from_array(np.array(128, np.uint8), _UNSIGNED_ZERO))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep away what brevitas and torch's older exporter say of their own deprecations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def learned_scales(model: bytes) -> Sequence[float]:
    """List every activation scale in a QDQ file, in the order of its graph."""
    graph = onnx.load_from_string(model).graph
    known = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    return [float(known[node.input[1]]) for node in graph.node if node.op_type == "QuantizeLinear"]
