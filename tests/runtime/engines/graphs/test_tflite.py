"""The TFLite reader reads what LiteRT reads, and refuses all else with one error."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from hypothesis import given
from hypothesis import strategies as st

from genrekit.engines.graphs.tflite.graph import (
    MAX_SCALES,
    MAX_TENSORS,
    TfliteGraph,
    read_tflite_graph,
)
from genrekit.engines.graphs.tflite.shapes import check_tflite_shapes
from genrekit.engines.graphs.tflite.sparsity import MAX_DENSE, Level, Sparsity, locate_values
from genrekit.errors import ArtifactError

from ....security.hostile_graphs import HOSTILE_TFLITE, rebuilt_tflite
from ..example_models import tflite_mlp

KINDS = ["float", "softmax", "sparse", "dynamic", "sparse dynamic", "int8"]


@pytest.mark.parametrize("kind", KINDS)
def test_graph_equals_litert(kind: str) -> None:
    model = tflite_mlp(kind)
    graph = read_tflite_graph(model)
    check_tflite_shapes(graph)
    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    operators = interpreter._get_ops_details()
    assert [operator.name for operator in graph.operators] == [o["op_name"] for o in operators]
    for operator, other in zip(graph.operators, operators, strict=True):
        assert list(operator.inputs) == list(other["inputs"])
        assert list(operator.outputs) == list(other["outputs"])
    details = {item["index"]: item for item in interpreter.get_tensor_details()}
    for index, tensor in enumerate(graph.tensors):
        item = details[index]
        assert tensor.shape == tuple(item["shape"])
        # LiteRT splits each sparse constant in two and names the halves itself.
        assert item["name"] in (tensor.name, "Densify_output")
        assert np.dtype(tensor.dtype) == item["dtype"]
        scales = item["quantization_parameters"]["scales"]
        if tensor.quantisation is not None:
            np.testing.assert_array_equal(tensor.quantisation.scale, scales)
        if tensor.data is not None and tensor.sparsity is None:
            np.testing.assert_array_equal(tensor.data, interpreter.get_tensor(index))


def test_sparse_weights_equal_litert_densify() -> None:
    model = tflite_mlp("sparse")
    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    interpreter.invoke()
    graph = read_tflite_graph(model)
    compared = 0
    for operator in graph.operators:
        tensor = graph.tensors[operator.inputs[0]]
        if operator.name != "DENSIFY":
            continue
        assert tensor.sparsity is not None
        assert tensor.data is not None
        dense = np.zeros(np.prod(tensor.shape), np.float32)
        dense[locate_values(tensor.sparsity, tensor.shape, tensor.data.size)] = tensor.data
        expected = interpreter.get_tensor(operator.outputs[0])
        np.testing.assert_array_equal(dense.reshape(tensor.shape), expected)
        compared += 1
    assert compared == 4


def test_blocks_and_traversal_order() -> None:
    """The example of TFLite's own documentation: a 4x4 matrix in 2x2 blocks, columns first."""
    levels = (
        Level(dense_size=2, segments=None, indices=None),
        Level(dense_size=0, segments=np.array([0, 1, 2]), indices=np.array([0, 1])),
        Level(dense_size=2, segments=None, indices=None),
        Level(dense_size=2, segments=None, indices=None),
    )
    sparsity = Sparsity(traversal_order=(1, 0, 2, 3), block_map=(0, 1), levels=levels)
    dense = np.zeros(16)
    dense[locate_values(sparsity, (4, 4), 8)] = np.arange(1, 9)
    expected = [[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 5, 6], [0, 0, 7, 8]]
    np.testing.assert_array_equal(dense.reshape(4, 4), expected)


def _sparse(segments: list[int], indices: list[int], order: tuple[int, ...] = (0, 1)) -> Sparsity:
    levels = (
        Level(dense_size=2, segments=None, indices=None),
        Level(dense_size=0, segments=np.array(segments), indices=np.array(indices)),
    )
    return Sparsity(traversal_order=order, block_map=(), levels=levels)


@pytest.mark.parametrize(
    ("sparsity", "shape", "reason"),
    [
        (_sparse([0, 1, 2], [0, 3]), (2, 3), "index outside 0..2"),
        (_sparse([0, 1, 2], [0, -1]), (2, 3), "index outside 0..2"),
        (_sparse([0, 2, 1], [0, 1]), (2, 3), "segments"),
        (_sparse([0, 2], [0, 1]), (2, 3), "segments"),
        (_sparse([0, 1, 3], [0, 1]), (2, 3), "indices"),
        (_sparse([0, 1, 1], [0]), (2, 3), "describes 1 values, 2 are stored"),
        (_sparse([0, 1, 2], [0, 1], (0, 0)), (2, 3), "traversal order"),
        (_sparse([0, 1, 2], [0, 1]), (3, 3), "dense level of 2"),
        (_sparse([0, 1, 2], [0, 1]), (2, MAX_DENSE), "once dense"),
    ],
)
def test_a_wrong_sparsity_is_refused(
    sparsity: Sparsity, shape: tuple[int, ...], reason: str
) -> None:
    assert list(locate_values(_sparse([0, 1, 2], [0, 1]), (2, 3), 2)) == [0, 4]
    with pytest.raises(ArtifactError, match=reason):
        locate_values(sparsity, shape, 2)


@pytest.mark.parametrize(("change", "reason"), HOSTILE_TFLITE)
def test_what_the_kit_does_not_export_is_refused(
    change: Callable[[Any], None], reason: str
) -> None:
    check_tflite_shapes(read_tflite_graph(rebuilt_tflite(lambda _: None)))
    with pytest.raises(ArtifactError, match=reason):
        check_tflite_shapes(read_tflite_graph(rebuilt_tflite(change)))


def _read(data: bytes) -> TfliteGraph | ArtifactError:
    try:
        graph = read_tflite_graph(data)
        check_tflite_shapes(graph)
    except ArtifactError as error:
        return error
    return graph


def _check_cost(data: bytes) -> TfliteGraph | ArtifactError:
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


@given(st.data())
def test_a_spoiled_file_is_read_or_refused(data: st.DataObject) -> None:
    original = tflite_mlp(data.draw(st.sampled_from(["sparse", "int8", "sparse dynamic"])))
    spoiled = bytearray(original)
    # The structure stands at the back of what TensorFlow writes, and in the first bytes.
    places = st.one_of(st.integers(0, 63), st.integers(len(spoiled) - 8_192, len(spoiled) - 1))
    for _ in range(data.draw(st.integers(1, 6))):
        at = min(data.draw(places), len(spoiled) - 4)
        change = data.draw(st.sampled_from(["flip", "set", "offset", "cut"]))
        if change == "flip":
            spoiled[at] ^= 1 << data.draw(st.integers(0, 7))
        elif change == "set":
            spoiled[at] = data.draw(st.integers(0, 255))
        elif change == "offset":
            number = data.draw(
                st.sampled_from([0, 1, 4, 2**31 - 1, 2**31, 2**32 - 1, len(spoiled)])
            )
            spoiled[at : at + 4] = number.to_bytes(4, "little")
        else:
            del spoiled[max(at, 8) :]
            break
    _check_cost(bytes(spoiled))


def test_many_tensors_in_one_place_cost_little() -> None:
    """Ten thousand offsets at one tensor whose name and scales are as long as they may be."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    step = schema.QuantizationParametersT()
    step.scale, step.zeroPoint = np.ones(MAX_SCALES, "f4"), np.zeros(MAX_SCALES, "i8")
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.quantization = b"n" * 1_024, [MAX_SCALES, 1], step
    place = tensor.Pack(builder)
    schema.SubGraphStartTensorsVector(builder, MAX_TENSORS)
    for _ in range(MAX_TENSORS):
        builder.PrependUOffsetTRelative(place)
    tensors = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    subgraph = schema.SubGraphEnd(builder)
    schema.ModelStartSubgraphsVector(builder, 1)
    builder.PrependUOffsetTRelative(subgraph)
    subgraphs = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, subgraphs)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    _check_cost(bytes(builder.Output()))
