"""The ONNX reader reads what the onnx package reads, and refuses all else with one error."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from genrekit.artifact.protobuf import length_field, write_varint
from genrekit.engines.graphs.onnx.graph import MAX_FIELDS, OnnxGraph, read_onnx_graph
from genrekit.engines.graphs.onnx.shapes import infer_shapes
from genrekit.errors import ArtifactError

from ..example_models import IMAGE, float_onnx, int8_onnx, tiny_onnx

GEMM = helper.make_node("Gemm", ["x", "w"], ["logits"])
WEIGHT = np.arange(12, dtype=np.float32).reshape(4, 3)


def tiny() -> onnx.ModelProto:
    return tiny_onnx(GEMM, w=WEIGHT)


@pytest.mark.parametrize(
    "make", [float_onnx, lambda: float_onnx(dynamo=False), int8_onnx], ids=["dynamo", "ts", "int8"]
)
def test_graph_equals_the_onnx_packages(make: Callable[[], bytes]) -> None:
    data = make()
    graph, expected = read_onnx_graph(data), onnx.load_from_string(data).graph
    assert [node.operator for node in graph.nodes] == [node.op_type for node in expected.node]
    for node, other in zip(graph.nodes, expected.node, strict=True):
        assert (list(node.inputs), list(node.outputs)) == (list(other.input), list(other.output))
        assert node.attributes.keys() == {attribute.name for attribute in other.attribute}
        for attribute in other.attribute:
            value = helper.get_attribute_value(attribute)
            if isinstance(value, TensorProto):
                value = numpy_helper.to_array(value)
            np.testing.assert_array_equal(node.attributes[attribute.name], value)
    assert graph.initializers.keys() == {item.name for item in expected.initializer}
    for item in expected.initializer:
        tensor = numpy_helper.to_array(item)
        assert graph.initializers[item.name].dtype == tensor.dtype
        np.testing.assert_array_equal(graph.initializers[item.name], tensor)
    assert graph.inputs["x"].shape == (None, *IMAGE)


@pytest.mark.parametrize("make", [float_onnx, int8_onnx])
def test_shapes_equal_the_onnx_packages(make: Callable[[], bytes]) -> None:
    model = onnx.load_from_string(make())
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    del model.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True, strict_mode=True)
    shapes = infer_shapes(read_onnx_graph(make()), {"x": (2, *IMAGE)})
    compared = 0
    for value in inferred.graph.value_info:
        sizes = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        if all(sizes):
            assert shapes[value.name] == tuple(sizes)
            compared += 1
    assert compared > len(model.graph.node) // 2


def test_raw_data_are_viewed_and_read_only() -> None:
    weight = read_onnx_graph(tiny().SerializeToString()).initializers["w"]
    assert not weight.flags.owndata
    assert not weight.flags.writeable


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TensorProto.FLOAT, [1.5, -2.0]),
        (TensorProto.DOUBLE, [1.5, -2.0]),
        (TensorProto.INT32, [-(2**31), 2**31 - 1]),
        (TensorProto.INT64, [-(2**63), 2**63 - 1]),
        (TensorProto.UINT64, [0, 2**64 - 1]),
        (TensorProto.INT8, [-128, 127]),
        (TensorProto.UINT8, [0, 255]),
        (TensorProto.BOOL, [True, False]),
    ],
)
def test_typed_data_equal_the_onnx_packages(kind: int, values: list[float]) -> None:
    model = tiny()
    tensor = helper.make_tensor("w", kind, [len(values)], values)
    model.graph.initializer[0].CopyFrom(tensor)
    read = read_onnx_graph(model.SerializeToString()).initializers["w"]
    expected = numpy_helper.to_array(tensor)
    assert read.dtype == expected.dtype
    np.testing.assert_array_equal(read, expected)


def _external(model: onnx.ModelProto) -> None:
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "/etc/passwd")


def _external_location_only(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def _external_in_attribute(model: onnx.ModelProto) -> None:
    tensor = numpy_helper.from_array(WEIGHT, "t")
    onnx.external_data_helper.set_external_data(tensor, "../weights")
    model.graph.node.add(op_type="Constant", output=["c"]).attribute.append(
        helper.make_attribute("value", tensor)
    )


def _external_in_a_disguised_attribute(model: onnx.ModelProto) -> None:
    attribute = helper.make_attribute("alpha", 1.0)
    attribute.t.CopyFrom(numpy_helper.from_array(WEIGHT, "t"))
    onnx.external_data_helper.set_external_data(attribute.t, "../weights")
    model.graph.node[0].attribute.append(attribute)


def _subgraph(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("body", tiny().graph))


def _function(model: onnx.ModelProto) -> None:
    model.functions.add(name="f", domain="d")


def _training(model: onnx.ModelProto) -> None:
    model.training_info.add()


def _sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def _sequence(model: onnx.ModelProto) -> None:
    kind = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)
    model.graph.value_info.append(kind)


def _optional(model: onnx.ModelProto) -> None:
    inner = helper.make_tensor_type_proto(TensorProto.FLOAT, [1])
    kind = helper.make_value_info("s", helper.make_optional_type_proto(inner))
    model.graph.input.append(kind)


def _strings(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("s", TensorProto.STRING, [1], [b"a"]))


def _short_data(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = b"\0" * 44


def _vast_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [2**62, 2**62, 16]


def _negative_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [-4, -3]


def _twice(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_external, "another file"),
        (_external_location_only, "another file"),
        (_external_in_attribute, "another file"),
        (_external_in_a_disguised_attribute, "another file"),
        (_subgraph, "subgraph"),
        (_function, "functions"),
        (_training, "training graph"),
        (_sparse, "sparse"),
        (_sequence, "no dense tensor"),
        (_optional, "no dense tensor"),
        (_strings, "strings"),
        (_short_data, "holds 12 values, its data 11"),
        (_vast_shape, "its data 12"),
        (_negative_shape, "none below 0"),
        (_twice, "two of it"),
    ],
)
def test_what_is_no_plain_graph_is_refused(
    spoil: Callable[[onnx.ModelProto], None], reason: str
) -> None:
    model = tiny()
    read_onnx_graph(model.SerializeToString())
    spoil(model)
    with pytest.raises(ArtifactError, match=reason):
        read_onnx_graph(model.SerializeToString())


def test_messages_that_protobuf_would_merge_are_refused() -> None:
    data = tiny().SerializeToString()
    second = length_field(7, length_field(2, b"other"))
    assert onnx.load_from_string(data + second).graph.name == "other"
    with pytest.raises(ArtifactError, match="two of it"):
        read_onnx_graph(data + second)


def _read(data: bytes) -> OnnxGraph | ArtifactError:
    try:
        graph = read_onnx_graph(data)
        infer_shapes(graph, {"x": (1, *IMAGE)})
    except ArtifactError as error:
        return error
    return graph


def _check_cost(data: bytes) -> OnnxGraph | ArtifactError:
    """Read a hostile file within a second and 64 MB, which only an ArtifactError may end."""
    start = time.thread_time()
    outcome = _read(data)
    assert time.thread_time() - start < 1.0
    tracemalloc.start()
    try:
        _read(data)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    return outcome


def _in_graph(content: bytes) -> bytes:
    operators = length_field(8, write_varint(2 << 3) + write_varint(18))
    return write_varint(1 << 3) + b"\x09" + operators + length_field(7, content)


@pytest.mark.parametrize(
    "content",
    [
        b"\x0a\x00" * MAX_FIELDS,  # empty nodes
        b"\x10\x00" * (2 * MAX_FIELDS),  # unknown numbers
        length_field(1, b"\x0a\x00" * MAX_FIELDS),  # one node with endless inputs
        length_field(5, b"\x3a" + write_varint(1 << 22) + b"\xff" * (1 << 22)),  # no varint ends
        length_field(5, b"\x10\x07" + b"\x38\x01" * (MAX_FIELDS // 2)),  # one number a field
        length_field(5, b"\x08\x01" * (MAX_FIELDS // 2)),  # endless dimensions
    ],
)
def test_a_bomb_costs_little(content: bytes) -> None:
    assert isinstance(_check_cost(_in_graph(content)), ArtifactError)


@given(st.data())
def test_a_spoiled_file_is_read_or_refused(data: st.DataObject) -> None:
    original = data.draw(st.sampled_from([tiny().SerializeToString(), int8_onnx()]))
    spoiled = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(spoiled) - 1))
        change = data.draw(st.sampled_from(["flip", "set", "cut", "insert", "remove"]))
        if change == "flip":
            spoiled[at] ^= 1 << data.draw(st.integers(0, 7))
        elif change == "set":
            spoiled[at] = data.draw(st.integers(0, 255))
        elif change == "cut":
            del spoiled[max(at, 1) :]
        elif change == "insert":
            spoiled[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        elif len(spoiled) > 1:
            del spoiled[at]
    _check_cost(bytes(spoiled))
