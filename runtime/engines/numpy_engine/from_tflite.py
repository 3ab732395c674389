"""TfliteBuilder: turns a TFLite graph into a NumPy program.

Three kinds of fully connected layers occur. In float32 models all is float32. In models with
int8 weights only (dynamic range), each window's activations are quantised to 8 bits with a
scale of its own, as XNNPACK does. In int8 models every activation has its scale in the file.

References
----------
Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-
Only Inference", CVPR 2018; XNNPACK, xnn_f32_qd8_asymmetric_quantization_params.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ...arrays import Float32
from ...errors import EngineError
from ..graphs.tflite.graph import FLOAT32, TfliteGraph, TfliteOperator, TfliteTensor
from ..graphs.tflite.sparsity import locate_values
from . import elementwise
from .program import Kernel, Program, Value

_LEVELS = {"i1": (-128.0, 127.0), "u1": (0.0, 255.0), "<i2": (-32_768.0, 32_767.0)}
_ARITHMETIC: dict[str, np.ufunc] = {"ADD": np.add, "SUB": np.subtract, "MUL": np.multiply}
_BOUNDS = {"NONE": (-np.inf, np.inf), "RELU": (0.0, np.inf), "RELU6": (0.0, 6.0)}


def build_tflite(graph: TfliteGraph, inputs: Sequence[str]) -> Program:
    """Turn a checked graph into a program.

    Parameters
    ----------
    graph : TfliteGraph
    inputs : sequence of str
        Order in which the program takes them.

    Raises
    ------
    EngineError
        If it uses an operator in a way that the NumPy engine does not know.
    """
    build = _TfliteBuilder(graph, inputs)
    for operator in graph.operators:
        build.add(operator)
    return build.finish()


class _TfliteBuilder:
    def __init__(self, graph: TfliteGraph, inputs: Sequence[str]) -> None:
        self._graph = graph
        self._program = Program(len(inputs))
        slots = {graph.tensors[edge].name: edge for edge in graph.inputs}
        self._values = {slots[name]: Value(slot=slot) for slot, name in enumerate(inputs)}
        # Operators on constants (DENSIFY, DEQUANTIZE) only name where their values come from.
        self._sources: dict[int, int] = {}

    def add(self, operator: TfliteOperator) -> None:
        """Append one operator."""
        first, output = operator.inputs[0], operator.outputs[0]
        if operator.name in ("DENSIFY", "DEQUANTIZE") and self._is_constant(first):
            self._sources[output] = first
            return
        if operator.name == "FULLY_CONNECTED":
            value = self._fully_connected(operator)
        elif operator.name == "RESHAPE":
            value = self._reshape(operator)
        elif operator.name in _ARITHMETIC:
            value = self._arithmetic(operator)
        else:
            value = self._unary(operator)
        self._values[output] = self._rounded(operator, value)

    def finish(self) -> Program:
        """Fix the program's output."""
        (output,) = self._graph.outputs
        self._program.finish(self._plain(output))
        return self._program

    def _tensor(self, edge: int) -> TfliteTensor:
        return self._graph.tensors[edge]

    def _is_constant(self, edge: int) -> bool:
        return edge in self._sources or self._tensor(edge).data is not None

    def _value(self, edge: int) -> Value:
        if edge not in self._values:
            raise EngineError("an operator on constants alone is not supported by the NumPy engine")
        return self._values[edge]

    def _plain(self, edge: int) -> int:
        """Return the slot of a tensor with scale 1."""
        value = self._value(edge)
        if value.scale == 1.0:
            return value.slot
        return self._program.update(elementwise.scale(value.scale), value.slot, overwrite=-1)

    def _stored(self, edge: int) -> tuple[Float32, TfliteTensor]:
        """Return a constant's values less their zero points, and the tensor they come from."""
        while edge in self._sources:
            edge = self._sources[edge]
        tensor = self._tensor(edge)
        if tensor.data is None:
            raise EngineError(f"{tensor.name!r:.80} is computed: the NumPy engine needs a constant")
        values = tensor.data.astype(np.float32)
        if tensor.sparsity is not None:
            dense = np.zeros(tensor.shape, np.float32)
            place = locate_values(tensor.sparsity, tensor.shape, values.size)
            dense.reshape(-1)[place] = values
            values = dense
        if tensor.quantisation is not None and tensor.sparsity is None:
            values -= _along(tensor, tensor.quantisation.zero_point)
        return values, tensor

    def _constant(self, edge: int) -> Float32:
        values, tensor = self._stored(edge)
        if tensor.quantisation is not None:
            values *= _along(tensor, tensor.quantisation.scale)
        return values

    def _rounded(self, operator: TfliteOperator, value: Value) -> Value:
        """Apply the fused activation; round to the output's levels where it is quantised."""
        output = self._tensor(operator.outputs[0])
        low, high = _BOUNDS[operator.activation]
        if output.dtype == FLOAT32:
            if operator.activation == "NONE":
                return value
            kernel = elementwise.clip(low / value.scale, high / value.scale)
            return Value(slot=self._program.update(kernel, value.slot), scale=value.scale)
        scale, zero_point, levels = _step(output)
        low = max(levels[0] - zero_point, low / scale)
        high = min(levels[1] - zero_point, high / scale)
        factor = value.scale / scale
        held = value.levels
        if factor == 1.0 and held is not None and low <= held[0] and held[1] <= high:
            return value
        slot = self._program.update(elementwise.quantise(factor, low, high), value.slot)
        return Value(slot=slot, scale=scale, levels=(low, high))

    def _reshape(self, operator: TfliteOperator) -> Value:
        shape = self._tensor(operator.outputs[0]).shape
        if shape[:1] != (1,):
            raise EngineError("RESHAPE: moves the windows off the first axis: not supported")
        x = self._value(operator.inputs[0])
        slot = self._program.call(lambda a: a.reshape(len(a), *shape[1:]), x.slot, view=True)
        return dataclasses.replace(x, slot=slot)

    def _fully_connected(self, operator: TfliteOperator) -> Value:
        data, weights, *rest = operator.inputs
        output = self._tensor(operator.outputs[0])
        x = self._value(data)
        matrix = self._constant(weights).T
        bias = self._constant(rest[0]) if rest and rest[0] != -1 else np.zeros(1, np.float32)
        # The bias of an int8 layer has no zero point, and its scale is that of the products.
        target = 1.0 if output.dtype == FLOAT32 else _step(output)[0]
        matrix = np.ascontiguousarray(matrix * np.float32(x.scale / target))
        bias = bias.reshape(-1) / np.float32(target)
        dynamic = self._tensor(data).dtype == FLOAT32 and self._stored(weights)[1].dtype == "i1"
        shape = output.shape[1:]
        multiply = _quantising(matrix, bias) if dynamic else _multiplying(matrix, bias)
        slot = self._program.call(
            lambda a: multiply(a.reshape(-1, len(matrix))).reshape(len(a), *shape), x.slot
        )
        return Value(slot=slot, scale=target)

    def _arithmetic(self, operator: TfliteOperator) -> Value:
        left, right = operator.inputs
        ufunc = _ARITHMETIC[operator.name]
        if self._is_constant(right):
            constant = self._constant(right)
            slot = self._program.call(lambda a: ufunc(a, constant), self._plain(left))
        elif self._is_constant(left):
            constant = self._constant(left)
            slot = self._program.call(lambda a: ufunc(constant, a), self._plain(right))
        else:
            slot = self._program.call(ufunc, self._plain(left), self._plain(right))
        return Value(slot=slot)

    def _unary(self, operator: TfliteOperator) -> Value:
        if operator.name in ("QUANTIZE", "DEQUANTIZE"):
            return self._value(operator.inputs[0])
        slot = self._plain(operator.inputs[0])
        if operator.name == "SOFTMAX":
            beta = np.float32(operator.beta)
            return Value(slot=self._program.call(lambda a: elementwise.softmax(a * beta, -1), slot))
        kernel: Kernel
        if operator.name in _BOUNDS:
            kernel = elementwise.clip(*_BOUNDS[operator.name])
        elif operator.name == "LOGISTIC":
            kernel = elementwise.sigmoid
        else:
            kernel = _tanh
        return Value(slot=self._program.update(kernel, slot))


def _along(
    tensor: TfliteTensor, numbers: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
) -> Float32:
    """Shape scales or zero points so that they broadcast along the tensor's axis."""
    shape = [1] * len(tensor.shape)
    if tensor.quantisation is not None and numbers.size > 1:
        shape[tensor.quantisation.axis] = numbers.size
    return numbers.astype(np.float32).reshape(shape)


def _step(tensor: TfliteTensor) -> tuple[float, float, tuple[float, float]]:
    """Return scale, zero point and levels of a quantised activation."""
    step = tensor.quantisation
    if step is None or step.scale.size != 1 or tensor.dtype not in _LEVELS:
        raise EngineError(f"{tensor.name!r:.80}: its quantisation is not supported")
    return float(step.scale[0]), float(step.zero_point[0]), _LEVELS[tensor.dtype]


def _multiplying(matrix: Float32, bias: Float32) -> Kernel:
    def multiply(rows: Float32) -> Float32:
        product: Float32 = rows @ matrix
        product += bias
        return product

    return multiply


def _quantising(matrix: Float32, bias: Float32) -> Kernel:
    """Quantise each row to 8 bits around its own zero point before it is multiplied."""
    lowest, highest = np.float32(-128.0), np.float32(127.0)

    def multiply(rows: Float32) -> Float32:
        low = np.minimum(rows.min(axis=1, keepdims=True), np.float32(0.0))
        high = np.maximum(rows.max(axis=1, keepdims=True), np.float32(0.0))
        span = high - low
        span[span == 0.0] = 255.0
        steps = np.float32(255.0) / span
        # The zero point that puts the nearer end of the range exactly on a level.
        from_low = low * steps + (lowest + highest) + high * steps > 0.0
        zero_point = np.where(from_low, lowest - low * steps, highest - high * steps)
        zero_point = np.rint(np.clip(zero_point, lowest, highest))
        levels = np.clip(np.rint(rows * steps) + zero_point, lowest, highest) - zero_point
        product: Float32 = (levels @ matrix) / steps
        product += bias
        return product

    return multiply


def _tanh(x: Float32, out: Float32 | None) -> Float32:
    y: Float32 = np.tanh(x, out=out)
    return y
