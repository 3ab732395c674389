"""Shapes of every tensor of an ONNX graph, told before anything runs.

A graph's cost is known from these: no tensor and no count of multiplications can surprise an
engine later. Only operators whose output follows from shapes and constants have a rule here;
one without a rule is refused, which leaves out control flow, sequences, random numbers and
everything that could grow with the data.

References
----------
ONNX Operators, default domain, opsets 13 to 24.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from .errors import ArtifactError
from .onnx_graph import OnnxGraph
from .onnx_node import Node
from .onnx_sliding import Shape, read_sliding
from .onnx_values import MAX_DIMENSIONS, Tensor

MAX_TENSOR = 1 << 25  # elements of one tensor for one window: 128 MiB in float32
MAX_ELEMENTS = 1 << 28  # of all tensors of one inference together
MAX_MACS = 1 << 37  # multiply-accumulates of one window; ResNet18 at 3x224x224 has 2**31

_SAME = frozenset(
    [
        "Abs",
        "Clip",
        "Elu",
        "Erf",
        "Exp",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Log",
        "LogSoftmax",
        "Mish",
        "Neg",
        "Reciprocal",
        "Relu",
        "Selu",
        "Sigmoid",
        "Softmax",
        "Softplus",
        "Sqrt",
        "Tanh",
        "QuantizeLinear",
        "DequantizeLinear",
        "BatchNormalization",
        "InstanceNormalization",
        "LayerNormalization",
    ]
)
_BROADCAST = frozenset(["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "PRelu"])


def read_axes(node: Node, constants: Mapping[str, Tensor], rank: int) -> Shape | None:
    """Return a node's axes, from its attribute or its second input; None where it has none."""
    axes: tuple[int, ...]
    if len(node.inputs) > 1 and node.inputs[1]:
        axes = _constant(node, constants, 1)
    elif "axes" in node.attributes:
        axes = node.integers("axes", ())
    else:
        return None
    if not all(-rank <= axis < rank for axis in axes):
        raise ArtifactError(f"{node}: axes {axes} of a tensor with {rank}")
    return tuple(sorted({axis % rank for axis in axes}))


def infer_shapes(graph: OnnxGraph, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
    """Compute the shape of every tensor from the shapes of the graph's inputs.

    Raises
    ------
    ArtifactError
        If an operator has no rule, shapes do not fit together, a tensor is used before it is
        made, or the graph is larger or slower than this module's bounds.
    """
    constants = graph.constants()
    shapes: dict[str, Shape] = {name: tensor.shape for name, tensor in constants.items()}
    shapes.update(inputs)
    elements = macs = 0
    for node in graph.nodes:
        if node.operator in ("Constant", "Identity") and node.outputs[0] in constants:
            continue
        known = _known_inputs(node, shapes)
        try:
            shape, cost = _infer(node, known, constants)
        except ArtifactError:
            raise
        except (IndexError, ValueError, ZeroDivisionError) as error:  # a rule's slip on bad input
            raise ArtifactError(f"{node}: its inputs {known} do not fit") from error
        size = math.prod(shape)
        if len(shape) > MAX_DIMENSIONS or any(axis < 1 for axis in shape) or size > MAX_TENSOR:
            raise ArtifactError(f"{node}: output {list(shape)} is empty or over {MAX_TENSOR}")
        elements += size
        macs += size * cost
        if elements > MAX_ELEMENTS or macs > MAX_MACS:
            raise ArtifactError(
                f"{node}: the graph needs over {MAX_ELEMENTS} elements or {MAX_MACS} "
                "multiplications for one window"
            )
        _define(node, shape, shapes)
    return shapes


def _known_inputs(node: Node, shapes: Mapping[str, Shape]) -> list[Shape]:
    for name in node.inputs:
        if name and name not in shapes:
            raise ArtifactError(f"{node}: input {name!r:.80} is not made before it")
    return [shapes.get(name, ()) for name in node.inputs]


def _define(node: Node, shape: Shape, shapes: dict[str, Shape]) -> None:
    name, *more = node.outputs
    if any(more):
        raise ArtifactError(f"{node}: {len(node.outputs)} outputs, one is read")
    if not name or name in shapes:
        raise ArtifactError(f"{node}: its output has no name or is made twice")
    shapes[name] = shape


def _infer(node: Node, known: list[Shape], constants: Mapping[str, Tensor]) -> tuple[Shape, int]:
    """Return a node's output shape and its multiply-accumulates per output element."""
    if node.operator in _SAME:
        return known[0], 1
    if node.operator in _BROADCAST:
        return _broadcast(known), 1
    if node.operator not in _RULES:
        raise ArtifactError(f"{node}: not an operator of the models that genrekit exports: refused")
    return _RULES[node.operator](node, known, constants)


def _constant(node: Node, constants: Mapping[str, Tensor], index: int) -> Shape:
    tensor = constants.get(node.inputs[index])
    if tensor is None or tensor.ndim > 1 or tensor.size > MAX_DIMENSIONS:
        raise ArtifactError(f"{node}: its shape depends on data: refused; export fixed shapes")
    return tuple(int(value) for value in tensor.reshape(-1))


def _broadcast(known: list[Shape]) -> Shape:
    rank = max(len(shape) for shape in known)
    padded = [(1,) * (rank - len(shape)) + shape for shape in known]
    sizes = [set(axis) - {1} for axis in zip(*padded, strict=True)]
    if any(len(choices) > 1 for choices in sizes):
        raise ValueError
    return tuple(max(choices, default=1) for choices in sizes)


def _conv(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    data, weight = known[0], known[1]
    groups = node.integer("group", 1)
    kernel = weight[2:]
    if not 3 <= len(data) <= 4 or len(weight) != len(data) or weight[0] % groups or groups < 1:
        raise ValueError
    if data[1] != weight[1] * groups or node.integers("kernel_shape", kernel) != kernel:
        raise ValueError
    sizes = read_sliding(node, kernel).output(data[2:])
    return (data[0], weight[0], *sizes), math.prod(weight[1:])


def _pool(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    kernel = node.integers("kernel_shape", ())
    if len(known[0]) != len(kernel) + 2 or not 1 <= len(kernel) <= 2:
        raise ValueError
    return (*known[0][:2], *read_sliding(node, kernel).output(known[0][2:])), math.prod(kernel)


def _global_pool(_: Node, known: list[Shape], __: Mapping[str, Tensor]) -> tuple[Shape, int]:
    return (*known[0][:2], *(1 for _ in known[0][2:])), math.prod(known[0][2:])


def _reduce(node: Node, known: list[Shape], constants: Mapping[str, Tensor]) -> tuple[Shape, int]:
    data = known[0]
    axes = read_axes(node, constants, len(data))
    if not axes:
        axes = () if node.integer("noop_with_empty_axes", 0) else tuple(range(len(data)))
    cost = math.prod(data[axis] for axis in axes)
    if node.integer("keepdims", 1):
        return tuple(1 if axis in axes else size for axis, size in enumerate(data)), cost
    return tuple(size for axis, size in enumerate(data) if axis not in axes), cost


def _gemm(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    (rows, inner), (depth, columns) = known[0], known[1]
    if node.integer("transA", 0):
        rows, inner = inner, rows
    if node.integer("transB", 0):
        depth, columns = columns, depth
    if inner != depth or _broadcast([(rows, columns), *known[2:3]]) != (rows, columns):
        raise ValueError
    return (rows, columns), inner


def _matmul(_: Node, known: list[Shape], __: Mapping[str, Tensor]) -> tuple[Shape, int]:
    left, right = known
    if len(left) < 2 or len(right) < 2 or left[-1] != right[-2]:
        raise ValueError
    return (*_broadcast([left[:-2], right[:-2]]), left[-2], right[-1]), left[-1]


def _reshape(node: Node, known: list[Shape], constants: Mapping[str, Tensor]) -> tuple[Shape, int]:
    data = known[0]
    asked = list(_constant(node, constants, 1))
    if not node.integer("allowzero", 0):
        asked = [data[axis] if size == 0 else size for axis, size in enumerate(asked)]
    if asked.count(-1) == 1:
        rest = math.prod(size for size in asked if size != -1)
        asked[asked.index(-1)] = math.prod(data) // rest
    if math.prod(asked) != math.prod(data):
        raise ValueError
    return tuple(asked), 1


def _flatten(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    axis = node.integer("axis", 1)
    if not -len(known[0]) <= axis <= len(known[0]):
        raise ValueError
    return (math.prod(known[0][:axis]), math.prod(known[0][axis:])), 1


def _squeeze(node: Node, known: list[Shape], constants: Mapping[str, Tensor]) -> tuple[Shape, int]:
    data = known[0]
    axes = read_axes(node, constants, len(data))
    if axes is None or any(data[axis] != 1 for axis in axes):
        raise ValueError
    return tuple(size for axis, size in enumerate(data) if axis not in axes), 1


def _unsqueeze(
    node: Node, known: list[Shape], constants: Mapping[str, Tensor]
) -> tuple[Shape, int]:
    # Axes count in the output, whose rank needs their number.
    given = node.integers("axes", ()) or _constant(node, constants, 1)
    rank = len(known[0]) + len(given)
    axes = read_axes(node, constants, rank) or ()
    if len(axes) != len(given):
        raise ValueError
    sizes = iter(known[0])
    return tuple(1 if axis in axes else next(sizes) for axis in range(rank)), 1


def _transpose(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    rank = len(known[0])
    order = node.integers("perm", tuple(reversed(range(rank))))
    if sorted(order) != list(range(rank)):
        raise ValueError
    return tuple(known[0][axis] for axis in order), 1


def _concat(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    rank = len(known[0])
    axis = node.integer("axis", 0)
    if not -rank <= axis < rank or any(len(shape) != rank for shape in known):
        raise ValueError
    axis %= rank
    if len({shape[:axis] + shape[axis + 1 :] for shape in known}) != 1:
        raise ValueError
    total = sum(shape[axis] for shape in known)
    return (*known[0][:axis], total, *known[0][axis + 1 :]), 1


_RULES: dict[str, Callable[[Node, list[Shape], Mapping[str, Tensor]], tuple[Shape, int]]] = {
    "Conv": _conv,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _global_pool,
    "GlobalMaxPool": _global_pool,
    "ReduceMean": _reduce,
    "ReduceSum": _reduce,
    "ReduceMax": _reduce,
    "ReduceMin": _reduce,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
}
