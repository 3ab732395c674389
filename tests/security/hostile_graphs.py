"""Graphs as a stranger might write them, with .onnx and .tflite models made of them.

Each spoils one thing of a sound model; beside it stands what must be said of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from genrekit.artifact.card import Card
from genrekit.artifact.container import Artifact

from ..runtime.engines.example_models import as_artifact, tflite_mlp, tiny_onnx

WEIGHT = np.arange(12, dtype=np.float32).reshape(4, 3)


def gemm() -> onnx.ModelProto:
    return tiny_onnx(helper.make_node("Gemm", ["x", "w"], ["logits"]), w=WEIGHT)


def tiny_artifact(card: Card, model: onnx.ModelProto, folder: Path) -> Artifact:
    return as_artifact(card, model.SerializeToString(), folder, "x", (4,), "logits", 3)


def integer_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT32


def second_output(model: onnx.ModelProto) -> None:
    model.graph.output.add().CopyFrom(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3]))


def lying_output(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(WEIGHT[:, :2].copy(), "w"))


def custom_domain(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.microsoft"


def control_flow(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="Loop", input=["x"], output=["looped"])


def branch(model: onnx.ModelProto) -> None:
    """Two graphs inside the graph, one of which runs."""
    inner = helper.make_graph([helper.make_node("Abs", ["x"], ["a"])], "inner", [], [])
    node = helper.make_node("If", ["x"], ["b"], then_branch=inner, else_branch=inner)
    model.graph.node.append(node)


def scan(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([helper.make_node("Abs", ["x"], ["a"])], "inner", [], [])
    node = helper.make_node("Scan", ["x"], ["s"], body=inner, num_scan_inputs=1)
    model.graph.node.append(node)


def local_function(model: onnx.ModelProto) -> None:
    model.functions.add(name="Gemm", domain="")


def sequence(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="SequenceConstruct", input=["x"], output=["s"])


def random(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="RandomNormalLike", input=["x"], output=["r"])


def external(model: onnx.ModelProto) -> None:
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "/etc/passwd")


def neighbour(model: onnx.ModelProto) -> None:
    """Weights in a file beside the model, which is there."""
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "secret.bin")
    model.graph.initializer[0].ClearField("raw_data")


def parent(model: onnx.ModelProto) -> None:
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "../secret.bin")
    model.graph.initializer[0].ClearField("raw_data")


def escape(model: onnx.ModelProto) -> None:
    """A name that would clear the terminal that shows it."""
    model.graph.node[0].op_type = "Gemm\x1b[2J\n"


def undefined(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "ghost"


def made_twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(model.graph.node[0])


def data_dependent(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="Reshape", input=["x", "logits"], output=["r"])


def _constant(model: onnx.ModelProto, name: str, *values: int) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array(values), name))


def vast_expansion(model: onnx.ModelProto) -> None:
    _constant(model, "sizes", 1 << 20, 1 << 20, 4)
    model.graph.node.add(op_type="Expand", input=["x", "sizes"], output=["e"])


def doubling(model: onnx.ModelProto) -> None:
    """Forty concatenations of a tensor with itself."""
    for number in range(40):
        source = f"c{number - 1}" if number else "x"
        node = helper.make_node("Concat", [source, source], [f"c{number}"], axis=1)
        model.graph.node.append(node)


def outer_product(model: onnx.ModelProto) -> None:
    """Windows by windows: harmless for one, not for a long recording."""
    model.graph.node.add(op_type="Transpose", input=["x"], output=["t"])
    model.graph.node.add(op_type="MatMul", input=["x", "t"], output=["outer"])


def slow(model: onnx.ModelProto) -> None:
    """Three tensors of 64 MiB, 2**36 multiplications for each."""
    _constant(model, "sizes", 1 << 12, 1 << 12)
    model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 1), np.float32), "one"))
    model.graph.node.add(op_type="Expand", input=["one", "sizes"], output=["m0"])
    for number in range(3):
        names = [f"m{number}", "m0"]
        model.graph.node.add(op_type="MatMul", input=names, output=[f"m{number + 1}"])


def padding(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(
        numpy_helper.from_array(np.ones((1, 1, 1), np.float32), "kernel")
    )
    _constant(model, "axes", 1)
    model.graph.node.add(op_type="Unsqueeze", input=["x", "axes"], output=["u"])
    node = helper.make_node(
        "Conv", ["u", "kernel"], ["p"], pads=[1 << 30, 1 << 30], strides=[1 << 12]
    )
    model.graph.node.append(node)


HOSTILE_ONNX: list[tuple[Callable[[onnx.ModelProto], None], str]] = [
    (integer_input, "element type 6, must be float32"),
    (second_output, "gives"),
    (lying_output, r"has shape \[1, 2\]"),
    (custom_domain, "custom operator domain 'com.microsoft'"),
    (control_flow, "Loop node 'looped': not an operator"),
    (branch, "holds a subgraph"),
    (scan, "holds a subgraph"),
    (local_function, "functions or a training graph"),
    (sequence, "SequenceConstruct node 's': not an operator"),
    (random, "not an operator"),
    (external, "another file"),
    (neighbour, "another file"),
    (parent, "another file"),
    (escape, "cannot be printed"),
    (undefined, "'ghost' is not made before it"),
    (made_twice, "made twice"),
    (data_dependent, "depends on data"),
    (vast_expansion, "empty or over"),
    (doubling, "empty or over"),
    (outer_product, "grows faster than the number of windows"),
    (slow, "m2.*needs over"),
    (padding, "pad must be shorter"),
]


def rebuilt_tflite(change: Callable[[Any], None], source: bytes | None = None) -> bytes:
    """Change a model through TensorFlow's own schema classes."""
    import flatbuffers

    model = schema.ModelT.InitFromPackedBuf(source or tflite_mlp("float"), 0)
    change(model)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def custom(model: Any) -> None:
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0].customCode = b"Evil"


def unknown(model: Any) -> None:
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.WHILE


def second_subgraph(model: Any) -> None:
    model.subgraphs.append(model.subgraphs[0])


def outside_buffer(model: Any) -> None:
    model.buffers[1].offset, model.buffers[1].size = 4_096, 4_096


def variable(model: Any) -> None:
    model.subgraphs[0].tensors[0].isVariable = True


def string_tensor(model: Any) -> None:
    model.subgraphs[0].tensors[0].type = schema.TensorType.STRING


def vast(model: Any) -> None:
    tensor = model.subgraphs[0].tensors[0]
    tensor.shape = tensor.shapeSignature = [1 << 30, 1 << 30]


def far_edge(model: Any) -> None:
    model.subgraphs[0].operators[0].inputs = [1_000, 1, 2]


def short_weights(model: Any) -> None:
    index = model.subgraphs[0].operators[0].inputs[1]
    buffer = model.buffers[model.subgraphs[0].tensors[index].buffer]
    buffer.data = buffer.data[:-4]


def other_width(model: Any) -> None:
    index = model.subgraphs[0].operators[0].outputs[0]
    tensor = model.subgraphs[0].tensors[index]
    tensor.shape, tensor.shapeSignature = [1, 257], [-1, 257]


def cycle(model: Any) -> None:
    first = model.subgraphs[0].operators[0]
    first.inputs = [first.outputs[0], *first.inputs[1:]]


def shuffled(model: Any) -> None:
    model.subgraphs[0].operators[0].builtinOptions.weightsFormat = 1


HOSTILE_TFLITE: list[tuple[Callable[[Any], None], str]] = [
    (custom, "custom operator 'Evil'"),
    (unknown, "builtin operator 119"),
    (second_subgraph, "2 subgraphs"),
    (outside_buffer, "outside the flatbuffer"),
    (variable, "variable"),
    (string_tensor, "element type 5"),
    (vast, "elements, over"),
    (far_edge, "number 1000"),
    (short_weights, "bytes for shape"),
    (other_width, "do not give the declared output"),
    (cycle, "not made before it"),
    (shuffled, "shuffled"),
]
