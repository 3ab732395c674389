"""OnnxBuilder: turns an ONNX graph into a NumPy program; what each layer needs to be built.

QuantizeLinear and DequantizeLinear are followed exactly: an activation is rounded and clipped
where the graph says so. Weights are dequantised while the program is built.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ...arrays import Float32
from ...errors import EngineError
from ..graphs.onnx.graph import OnnxGraph
from ..graphs.onnx.node import Node
from ..graphs.onnx.sliding import Shape
from ..graphs.onnx.values import Tensor
from . import elementwise
from .program import Kernel, Program, Value

_LEVELS = {
    "uint8": (0, 255),
    "int8": (-128, 127),
    "uint16": (0, 65_535),
    "int16": (-32_768, 32_767),
}


class OnnxBuilder:
    """A program in the making.

    Parameters
    ----------
    graph : OnnxGraph
    shapes : mapping of str to tuple of int
        Of every tensor for one window, from `infer_shapes`.
    inputs : sequence of str
        Order in which the program will take them.
    """

    def __init__(
        self, graph: OnnxGraph, shapes: Mapping[str, Shape], inputs: Sequence[str]
    ) -> None:
        self.program = Program(len(inputs))
        self.shapes = shapes
        self.constants: dict[str, Tensor] = graph.constants()
        self._values = {name: Value(slot=slot) for slot, name in enumerate(inputs)}
        self._dequantised: dict[str, Node] = {}
        self._uses = Counter(name for node in graph.nodes for name in node.inputs)
        self._uses.update(list(graph.outputs))
        self._quantisers = {n.inputs[0]: n for n in graph.nodes if n.operator == "QuantizeLinear"}
        # One initializer could feed any number of layers, each with its own copy.
        self._floats_left = 4 * sum(c.size for c in self.constants.values()) + (1 << 20)

    def stored(self, name: str) -> Value:
        """Return a tensor that is computed, of real numbers or quantised."""
        if name not in self._values:
            raise EngineError(f"tensor {name!r:.80} is constant: not supported by the NumPy engine")
        return self._values[name]

    def value(self, name: str) -> Value:
        """Return a tensor of real numbers that is computed."""
        value = self.stored(name)
        if value.zero_point is not None:
            raise EngineError(f"tensor {name!r:.80} is used before it is dequantised")
        return value

    def is_constant(self, name: str) -> bool:
        """Whether a tensor's values are known while the program is built."""
        return name in self.constants or name in self._dequantised

    def constant(self, name: str) -> Float32:
        """Return a constant in float32, dequantised."""
        if name in self._dequantised:
            node = self._dequantised[name]
            stored = self.constants[node.inputs[0]]
            scale, zero_point = (_column(node, part, stored.ndim) for part in self._steps(node))
            self._charge(stored.size)
            real = (stored.astype(np.float32) - zero_point.astype(np.float32)) * scale
            return real.astype(np.float32)
        if name not in self.constants:
            raise EngineError(f"tensor {name!r:.80} is computed: the NumPy engine needs a constant")
        self._charge(self.constants[name].size)
        return self.constants[name].astype(np.float32)

    def fold(self, node: Node, result: Tensor) -> None:
        """Note that the output of a node is known already."""
        self._charge(result.size)
        self.constants[node.outputs[0]] = result

    def set(self, node: Node, value: Value) -> None:
        """Note the output of a node."""
        self._values[node.outputs[0]] = value

    def update(self, node: Node, kernel: Kernel, *inputs: Value) -> int:
        """Append an elementwise call that may overwrite an input as large as the output."""
        shape = self.shapes[node.outputs[0]]
        fits = [
            i for i, name in enumerate(node.inputs[: len(inputs)]) if self.shapes[name] == shape
        ]
        slots = [value.slot for value in inputs]
        return self.program.update(kernel, *slots, overwrite=fits[0] if fits else -1)

    def plain(self, name: str) -> Value:
        """Return a computed tensor with scale 1."""
        value = self.value(name)
        if value.scale == 1.0:
            return value
        slot = self.program.update(elementwise.scale(value.scale), value.slot, overwrite=-1)
        return Value(slot=slot)

    def negate(self, value: Value) -> int:
        """Append a change of sign, for the scale of a value must stay positive."""
        return self.program.update(elementwise.scale(-1.0), value.slot, overwrite=-1)

    def target_scale(self, node: Node) -> float:
        """Return the scale that a linear layer should give: its quantiser's, where that is all."""
        name = node.outputs[0]
        quantiser = self._quantisers.get(name)
        if quantiser is None or self._uses[name] != 1:
            return 1.0
        return self._scalar_step(quantiser)[0]

    def quantise(self, node: Node) -> None:
        """Build a QuantizeLinear of a computed tensor."""
        x = self.value(node.inputs[0])
        scale, zero_point, levels = self._scalar_step(node)
        low, high = levels[0] - zero_point, levels[1] - zero_point
        factor = x.scale / scale
        slot = x.slot
        if factor != 1.0 or x.levels is None or x.levels[0] < low or x.levels[1] > high:
            slot = self.update(node, elementwise.quantise(factor, low, high), x)
        self.set(node, Value(slot=slot, levels=(low, high), zero_point=zero_point))

    def dequantise(self, node: Node) -> None:
        """Build a DequantizeLinear: of a computed tensor it only names the scale."""
        if node.inputs[0] in self.constants:
            self._dequantised[node.outputs[0]] = node
            return
        x = self.stored(node.inputs[0])
        scale, zero_point, _ = self._scalar_step(node)
        if zero_point != x.zero_point:
            raise EngineError(
                f"{node}: zero point {zero_point}, it was quantised with {x.zero_point}"
            )
        self.set(node, Value(slot=x.slot, scale=scale, levels=x.levels))

    def _steps(self, node: Node) -> tuple[Tensor, Tensor]:
        """Return scale and zero point as they stand in the file."""
        names = (*node.inputs, "")[1:3]
        scale = self.constants.get(names[0])
        zero_point = self.constants.get(names[1]) if names[1] else np.zeros((), np.uint8)
        if scale is None or zero_point is None or node.integer("block_size", 0):
            raise EngineError(f"{node}: scale and zero point must be constants, without blocks")
        if not scale.size or not (np.isfinite(scale) & (scale > 0.0)).all():
            raise EngineError(f"{node}: a scale must be above 0 and finite")
        return scale, zero_point

    def _scalar_step(self, node: Node) -> tuple[float, float, tuple[int, int]]:
        scale, zero_point = self._steps(node)
        if scale.size != 1 or zero_point.size != 1 or zero_point.dtype.name not in _LEVELS:
            raise EngineError(f"{node}: activations are quantised per tensor to 8 or 16 bits only")
        return float(scale.item()), float(zero_point.item()), _LEVELS[zero_point.dtype.name]

    def _charge(self, size: int) -> None:
        self._floats_left -= size
        if self._floats_left < 0:
            raise EngineError("its weights are used so often that they would not fit in memory")


def _column(node: Node, step: Tensor, rank: int) -> Tensor:
    """Shape scales or zero points so that they broadcast along the node's axis."""
    if step.size == 1:
        return step.reshape(())
    shape = [1] * rank
    shape[node.integer("axis", 1)] = math.prod(step.shape)
    return step.reshape(shape)
