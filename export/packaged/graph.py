"""Graph: the reduced network and its heads as ONNX, its weights in 8 bits or in float.

Only weights are quantised: activations of this network do not bear it. Each filter has a scale of
its own. The weights are unpacked by a Cast and a Mul rather than a DequantizeLinear, which ONNX
Runtime would repeat at every run: it folds these two when it loads the file, and computes with
floats from then on. Opset 13 and IR 7 are the lowest that hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from genrekit.arrays import Float64

from .heads import Linear, Strangeness
from .reduction import Convolution, Reduced

INPUT = "log_mel"
LOGITS, EMBEDDING, STRANGENESS = "logits", "embedding", "strangeness"
BANDS, FRAMES = 96, 187
OPSET, IR = 13, 7
_FEWEST_QUANTISED = 512  # weights; fewer are not worth a scale
_STEPS = 127


class GraphBuilder:
    """Nodes and constants of one graph.

    Parameters
    ----------
    quantised : bool
        Whether large weights are stored in 8 bits.
    """

    def __init__(self, *, quantised: bool) -> None:
        self._quantised = quantised
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def call(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Append a node of one output; return its name."""
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, name: str, values: Any) -> str:
        """Add a float32 constant, or one of integers; return its name."""
        array = np.asarray(values)
        array = array if array.dtype == np.int64 else array.astype(np.float32)
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, name: str, values: Float64, axis: int) -> str:
        """Add a weight, in 8 bits with one scale for each slice along an axis, or in float."""
        if not self._quantised or values.size < _FEWEST_QUANTISED:
            return self.constant(name, values)
        rest = tuple(i for i in range(values.ndim) if i != axis)
        scale = np.abs(values).max(axis=rest) / _STEPS
        scale[scale == 0.0] = 1.0
        shape = [-1 if i == axis else 1 for i in range(values.ndim)]
        levels = np.rint(values / scale.reshape(shape)).astype(np.int8)
        self._constants.append(numpy_helper.from_array(levels, f"{name}_levels"))
        real = self.call("Cast", (f"{name}_levels",), f"{name}_real", to=TensorProto.FLOAT)
        scales = self.constant(f"{name}_scale", scale.reshape(shape))
        return self.call("Mul", (real, scales), name)

    def affine(self, x: str, scale: Float64, shift: Float64, output: str) -> str:
        """Append a multiplication and an addition of constants."""
        scaled = self.call("Mul", (x, self.constant(f"{output}_scale", scale)), f"{output}_scaled")
        return self.call("Add", (scaled, self.constant(f"{output}_shift", shift)), output)

    def finish(self, outputs: dict[str, int]) -> bytes:
        """Return the model's bytes.

        Parameters
        ----------
        outputs : dict of str to int
            Names and widths.
        """
        values = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["windows", width])
            for name, width in outputs.items()
        ]
        given = helper.make_tensor_value_info(
            INPUT, TensorProto.FLOAT, ["windows", 1, BANDS, FRAMES]
        )
        graph = helper.make_graph(self._nodes, "genrekit", [given], values, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def build_graph(
    network: Reduced, head: Linear | None, strangeness: Strangeness, *, quantised: bool = True
) -> bytes:
    """Build the network with a head of genres, or with its own of tags.

    Parameters
    ----------
    network : Reduced
    head : Linear or None
        From the embedding to the logits; None takes the network's own tags.
    strangeness : Strangeness
    quantised : bool

    Returns
    -------
    bytes
        Input `log_mel`, float32, (windows, 1, 96, 187); outputs `logits`, `embedding` and
        `strangeness`.
    """
    build = GraphBuilder(quantised=quantised)
    embedding = _embed(build, network)
    head = head or Linear(weight=network.tag_weight, bias=network.tag_bias)
    weight = build.constant("head_weight", head.weight)
    build.call("Gemm", (embedding, weight, build.constant("head_bias", head.bias)), LOGITS)
    centred = build.call("Sub", (embedding, build.constant("centre", strangeness.centre)), "away")
    whitened = build.call(
        "MatMul", (centred, build.weight("whitening", strangeness.whitening, 1)), "whitened"
    )
    square = build.call("Mul", (whitened, whitened), "squares")
    axes = build.constant("last_axis", np.array([1]))
    distance = build.call("ReduceSum", (square, axes), "distance", keepdims=1)
    towards = strangeness.towards
    parts = (
        embedding,
        build.constant("other_weight", towards.weight),
        build.constant("other_bias", towards.bias),
    )
    build.call("Add", (distance, build.call("Gemm", parts, "other")), STRANGENESS)
    widths = {LOGITS: len(head.bias), EMBEDDING: len(strangeness.centre), STRANGENESS: 1}
    return build.finish(widths)


def _embed(build: GraphBuilder, network: Reduced) -> str:
    x = build.affine(INPUT, np.array(network.scale), np.array(network.shift), "normalised")
    front = [_branch(build, x, layer, f"front_{i}") for i, layer in enumerate(network.front)]
    channels = build.call("Concat", front, "front", axis=1)
    first, second, third = network.middle
    middle_1 = _middle(build, channels, first, "middle_1")
    carried = build.call(
        "Conv", (middle_1, build.constant("carry", network.carry[:, :, None])), "carried"
    )
    own = _middle(build, middle_1, second, "middle_2_own")
    middle_2 = build.call("Add", (own, carried), "middle_2")
    own = _middle(build, middle_2, third, "middle_3_own")
    middle_3 = build.call("Add", (own, middle_2), "middle_3")
    maps = build.call("Concat", (channels, middle_1, middle_2, middle_3), "maps", axis=1)
    most = build.call("ReduceMax", (maps,), "most", axes=[2], keepdims=0)
    mean = build.call("ReduceMean", (maps,), "mean", axes=[2], keepdims=0)
    pooled = build.call("Concat", (most, mean), "pooled", axis=1)
    scale = build.constant("pool_scale", network.pool_scale)
    pooled = build.call("Mul", (pooled, scale), "pooled_even")
    weight = build.weight("dense_weight", network.dense_weight, 1)
    dense = build.call(
        "Gemm", (pooled, weight, build.constant("dense_bias", network.dense_bias)), "dense"
    )
    dense = build.call("Relu", (dense,), "dense_relu")
    return build.affine(dense, network.embedding_scale, network.embedding_shift, EMBEDDING)


def _branch(build: GraphBuilder, x: str, layer: Convolution, name: str) -> str:
    """Convolve over bands and frames, then take the largest of the bands."""
    frames = layer.weight.shape[2]
    before = (frames - 1) // 2
    weight = build.weight(f"{name}_weight", layer.weight[:, None], 0)
    bias = build.constant(f"{name}_bias", layer.bias)
    pads = [0, before, 0, frames - 1 - before]
    made = build.call("Conv", (x, weight, bias), f"{name}_conv", pads=pads)
    made = build.call("Relu", (made,), f"{name}_relu")
    # A factor above 0 keeps the order of the bands, so that it need not be taken of all of them.
    rising = bool((layer.scale > 0.0).all())
    if rising:
        made = build.call("ReduceMax", (made,), f"{name}_max", axes=[2], keepdims=0)
        return build.affine(made, layer.scale[:, None], layer.shift[:, None], name)
    made = build.affine(
        made, layer.scale[:, None, None], layer.shift[:, None, None], f"{name}_norm"
    )
    return build.call("ReduceMax", (made,), name, axes=[2], keepdims=0)


def _middle(build: GraphBuilder, x: str, layer: Convolution, name: str) -> str:
    """Convolve over frames, all channels together."""
    half = layer.weight.shape[2] // 2
    weight = build.weight(f"{name}_weight", layer.weight, 0)
    bias = build.constant(f"{name}_bias", layer.bias)
    made = build.call("Conv", (x, weight, bias), f"{name}_conv", pads=[half, half])
    made = build.call("Relu", (made,), f"{name}_relu")
    return build.affine(made, layer.scale[:, None], layer.shift[:, None], name)
