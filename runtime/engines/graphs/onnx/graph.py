"""OnnxGraph: the graph of an .onnx model, read without the protobuf package.

Only plain graphs are read: one list of nodes over dense tensors whose data lie in the file
itself. Whatever could reach outside the file or hide a second program (external data,
subgraphs, model-local functions, training graphs) and whatever is no dense tensor (sequences,
maps, optionals, sparse tensors, strings) is refused here, wherever in the file it stands.
A message that protobuf would merge out of two parts is refused as well, so that no engine
can read another graph out of the same bytes than this reader did.

References
----------
onnx/onnx.proto: field numbers and element types.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ....artifact.protobuf import Value, walk
from ....errors import ArtifactError
from . import values
from .node import Attribute, Node
from .values import MAX_DIMENSIONS, Tensor

MAX_FIELDS = 100_000  # ResNet18 in QDQ form has 5 000; read in a quarter of a second
MAX_NODES = 10_000


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TensorType:
    """Declared element type (of `TensorProto.DataType`) and shape; None is a size not fixed."""

    element: int
    shape: tuple[int | None, ...] | None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class OnnxGraph:
    """A model's nodes in the order in which they run, and the tensors around them.

    Parameters
    ----------
    opset : int
        Version of the default operator set.
    nodes : tuple of Node
    initializers : dict of str to array
        Read-only views into the file's bytes wherever its data are raw.
    inputs, outputs : dict of str to TensorType
        Declared types; `inputs` without those that are initializers.
    """

    opset: int
    nodes: tuple[Node, ...]
    initializers: dict[str, Tensor]
    inputs: dict[str, TensorType]
    outputs: dict[str, TensorType]

    def constants(self) -> dict[str, Tensor]:
        """Return the initializers, what `Constant` nodes hold, and other names for these.

        Raises
        ------
        ArtifactError
            If a `Constant` holds no number or tensor, or an output's name is taken.
        """
        found = dict(self.initializers)
        for node in self.nodes:
            if node.operator not in ("Constant", "Identity"):
                continue
            if node.outputs[0] in found:
                raise ArtifactError(f"{node}: its output's name is taken")
            if node.operator == "Constant":
                found[node.outputs[0]] = node.constant()
            elif node.inputs[:1] and node.inputs[0] in found:
                found[node.outputs[0]] = found[node.inputs[0]]
        return found


def read_onnx_graph(model: bytes) -> OnnxGraph:
    """Read the graph of a serialised ModelProto.

    Raises
    ------
    ArtifactError
        If it is malformed, over this module's bounds, or not a plain graph.
    """
    return _Reader().model(memoryview(model))


class _Reader:
    """Reads messages against one budget of fields for the whole file."""

    def __init__(self) -> None:
        self._fields_left = MAX_FIELDS

    def model(self, message: memoryview) -> OnnxGraph:
        graph: memoryview | None = None
        opset = 0
        for number, value in self._fields(message):
            if number == 7:
                graph = values.once(graph, value, "graph")
            elif number == 8:
                domain, version = self._operator_set(values.message(value))
                opset = version if domain == "" else opset
            elif number in (20, 25):
                raise ArtifactError("the model holds functions or a training graph: refused")
        if graph is None or not 1 <= opset <= 1_000:
            raise ArtifactError("not an ONNX model: no graph, or no default operator set")
        return self._graph(graph, opset)

    def _fields(self, message: memoryview) -> Iterator[tuple[int, Value]]:
        for number, value, _, _ in walk(message):
            self._fields_left -= 1
            if self._fields_left < 0:
                raise ArtifactError(f"the model has over {MAX_FIELDS} fields")
            yield number, value

    def _operator_set(self, message: memoryview) -> tuple[str, int]:
        domain, version = "", 0
        for number, value in self._fields(message):
            if number == 1:
                domain = values.domain(value)
            elif number == 2:
                version = values.integer(value)
        return domain, version

    def _graph(self, message: memoryview, opset: int) -> OnnxGraph:
        nodes: list[Node] = []
        initializers: dict[str, Tensor] = {}
        declared: dict[int, dict[str, TensorType]] = {11: {}, 12: {}, 13: {}}
        for number, value in self._fields(message):
            if number == 1:
                nodes.append(self._node(values.message(value)))
                if len(nodes) > MAX_NODES:
                    raise ArtifactError(f"the graph has over {MAX_NODES} nodes")
            elif number == 5:
                name, tensor = self._tensor(values.message(value))
                if not name or name in initializers:
                    raise ArtifactError(f"initializer {name!r}: no name, or there are two of it")
                initializers[name] = tensor
            elif number in declared:  # also where unused: no sequence or map stands anywhere
                name, kind = self._value_info(values.message(value))
                if name in declared[number]:
                    raise ArtifactError(f"tensor {name!r} is declared twice")
                declared[number][name] = kind
            elif number == 15:
                raise ArtifactError("sparse initializers are refused")
        # Before IR version 4 every initializer is also listed as an input.
        inputs = {name: kind for name, kind in declared[11].items() if name not in initializers}
        return OnnxGraph(
            opset=opset,
            nodes=tuple(nodes),
            initializers=initializers,
            inputs=inputs,
            outputs=declared[12],
        )

    def _node(self, message: memoryview) -> Node:
        texts = {3: "", 4: "", 7: ""}
        edges: dict[int, list[str]] = {1: [], 2: []}
        attributes: dict[str, Attribute] = {}
        for number, value in self._fields(message):
            if number in edges:
                edges[number].append(values.text(value))
            elif number == 7:
                texts[7] = values.domain(value)
            elif number in texts:
                texts[number] = values.text(value)
            elif number == 5:
                name, attribute = self._attribute(values.message(value))
                if name in attributes:
                    raise ArtifactError(f"attribute {name!r} appears twice in one node")
                attributes[name] = attribute
            elif number == 8 and values.text(value):
                raise ArtifactError("the model calls a function: refused")
        if not texts[4] or not edges[2]:
            raise ArtifactError("a node has no operator or no output")
        return Node(
            name=texts[3],
            operator=texts[4],
            domain=texts[7],
            inputs=tuple(edges[1]),
            outputs=tuple(edges[2]),
            attributes=attributes,
        )

    def _attribute(self, message: memoryview) -> tuple[str, Attribute]:
        name, kind = "", 0
        single: dict[int, Attribute] = {}
        many: dict[int, list[int | float | bytes]] = {7: [], 8: [], 9: []}
        tensor: memoryview | None = None
        for number, value in self._fields(message):
            if number == 1:
                name = values.text(value)
            elif number == 20:
                kind = values.integer(value)
            elif number == 2:
                single[1] = values.floating(value)
            elif number == 3:
                single[2] = values.integer(value)
            elif number == 4:
                single[3] = values.short(value)
            elif number == 5:
                tensor = values.once(tensor, value, "attribute's tensor")
            elif number == 7:
                many[7].extend(values.floats(value))
            elif number == 8:
                many[8].extend(values.integers(value))
            elif number == 9:
                many[9].append(values.short(value))
            elif number not in (13,):  # subgraphs, lists of tensors, types, references
                raise ArtifactError(f"attribute {name!r} holds a subgraph or no plain value")
        if tensor is not None:
            single[4] = self._tensor(tensor)[1]  # read even if unused: it may be external
        lists: dict[int, Attribute] = {6: tuple(many[7]), 7: tuple(many[8]), 8: tuple(many[9])}
        if kind in lists:
            return name, lists[kind]
        if kind not in single:
            raise ArtifactError(f"attribute {name!r} of type {kind} has no value that is read")
        return name, single[kind]

    def _tensor(self, message: memoryview) -> tuple[str, Tensor]:
        name, element = "", 0
        shape: list[int] = []
        raw: memoryview | None = None
        typed: dict[int, list[Tensor]] = {}
        for number, value in self._fields(message):
            if number == 1:
                shape.extend(values.integers(value))
            elif number == 2:
                element = values.integer(value)
            elif number == 8:
                name = values.text(value)
            elif number == 9:
                raw = values.once(raw, value, "tensor's data")
            elif number in values.TYPED_DATA:
                typed.setdefault(number, []).append(values.typed_data(number, value))
            elif number == 13 or (number == 14 and value != 0):
                raise ArtifactError(
                    f"tensor {name!r} has its data in another file: external data are refused; "
                    "export the model as one file"
                )
            elif number in (3, 6):
                raise ArtifactError(f"tensor {name!r} is in segments or holds strings: refused")
        try:
            return name, values.make_array(tuple(shape), element, raw, typed)
        except ArtifactError as error:
            raise ArtifactError(f"tensor {name!r}: {error}") from error

    def _value_info(self, message: memoryview) -> tuple[str, TensorType]:
        name, kind = "", None
        for number, value in self._fields(message):
            if number == 1:
                name = values.text(value)
            elif number == 2:
                kind = values.once(kind, value, "type")
        tensor: memoryview | None = None
        for number, value in self._fields(kind or memoryview(b"")):
            if number == 1:
                tensor = values.once(tensor, value, "tensor type")
            elif number != 6:
                raise ArtifactError(f"{name!r} is no dense tensor (sequence, map, optional)")
        if not name or tensor is None:
            raise ArtifactError(f"value {name!r} has no name or no tensor type")
        return name, self._tensor_type(tensor)

    def _tensor_type(self, message: memoryview) -> TensorType:
        element, shape = 0, None
        for number, value in self._fields(message):
            if number == 1:
                element = values.integer(value)
            elif number == 2:
                shape = values.once(shape, value, "shape")
        if shape is None:
            return TensorType(element=element, shape=None)
        sizes: list[int | None] = []
        for number, value in self._fields(shape):
            if number == 1:
                fixed = [
                    values.integer(v) for n, v in self._fields(values.message(value)) if n == 1
                ]
                sizes.append(fixed[-1] if fixed and fixed[-1] > 0 else None)
        if len(sizes) > MAX_DIMENSIONS:
            raise ArtifactError(f"a tensor of {len(sizes)} dimensions, over {MAX_DIMENSIONS}")
        return TensorType(element=element, shape=tuple(sizes))
