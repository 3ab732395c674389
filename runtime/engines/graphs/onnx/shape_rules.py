"""Shape rules: what each ONNX operator makes out of the shapes of its inputs, and at what cost.

References
----------
ONNX Operators, default domain, opsets 13 to 24.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ....errors import ArtifactError
from .node import Node
from .sliding import Shape, read_sliding
from .values import FLOAT, MAX_DIMENSIONS, Tensor

# fmt: off
_SAME = frozenset([
    "Abs", "Clip", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "Identity",
    "LeakyRelu", "Log", "LogSoftmax", "Mish", "Neg", "Reciprocal", "Relu", "Selu", "Sigmoid",
    "Softmax", "Softplus", "Sqrt", "Tanh", "InstanceNormalization", "LayerNormalization",
])
_BROADCAST = frozenset(["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "PRelu"])
# fmt: on


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


def output_shapes(
    node: Node, known: list[Shape], constants: Mapping[str, Tensor]
) -> tuple[list[Shape], int]:
    """Return the shapes of a node's outputs and its multiply-accumulates per element of the first.

    Parameters
    ----------
    node : Node
    known : list of tuple of int
        Shapes of its inputs; () where one is left out.
    constants : mapping of str to array
        What is known before the graph runs.

    Raises
    ------
    ArtifactError
        If the operator has no rule, or the inputs do not fit it.
    """
    try:
        if node.operator in _SAME:
            return [known[0]], 1
        if node.operator in _BROADCAST:
            if len(known) != 2 and node.operator not in ("Max", "Min"):
                raise ValueError
            return [_broadcast(known)], 1
        if node.operator in ("LSTM", "GRU"):
            return _recurrent(node, known)
        if node.operator in _RULES:
            shape, cost = _RULES[node.operator](node, known, constants)
            return [shape], cost
    except ArtifactError:
        raise
    except (IndexError, ValueError, ZeroDivisionError) as error:  # a rule's slip on bad input
        raise ArtifactError(f"{node}: its inputs {known} do not fit") from error
    raise ArtifactError(f"{node}: not an operator of the models that genrekit exports: refused")


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
    if any(bias not in ((), weight[:1]) for bias in known[2:]):  # () is a bias left out
        raise ValueError
    sizes = read_sliding(node, kernel).output(data[2:])
    return (data[0], weight[0], *sizes), math.prod(weight[1:])


def _quantise(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    data, scale, *rest = known
    for step in (scale, *rest):  # scale and zero point: one, or one for each slice along the axis
        if step not in ((), (1,)) and step != (data[node.integer("axis", 1)],):
            raise ValueError
    return data, 1


def _cast(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    if node.integer("to", 0) != FLOAT:
        raise ArtifactError(f"{node}: casts to something else than float32: refused")
    return known[0], 1


def _batch_norm(_: Node, known: list[Shape], __: Mapping[str, Tensor]) -> tuple[Shape, int]:
    if known[1:] != [known[0][1:2]] * 4:
        raise ValueError
    return known[0], 1


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


def _expand(node: Node, known: list[Shape], constants: Mapping[str, Tensor]) -> tuple[Shape, int]:
    return _broadcast([known[0], _constant(node, constants, 1)]), 1


def _gather(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    data, axis = known[0], node.integer("axis", 0)
    if not -len(data) <= axis < len(data):
        raise ValueError
    axis %= len(data)
    return (*data[:axis], *known[1], *data[axis + 1 :]), 1


def _slice(node: Node, known: list[Shape], constants: Mapping[str, Tensor]) -> tuple[Shape, int]:
    sizes = list(known[0])
    starts, ends = _constant(node, constants, 1), _constant(node, constants, 2)
    given = len(node.inputs)
    axes = _constant(node, constants, 3) if given > 3 else tuple(range(len(starts)))
    steps = _constant(node, constants, 4) if given > 4 else (1,) * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        sizes[axis] = len(range(*slice(start, end, step).indices(known[0][axis])))
    return tuple(sizes), 1


def shape_range(node: Node, shape: Shape) -> slice:
    """Return which sizes of its input a Shape node gives."""
    return slice(node.integer("start", 0), node.integer("end", len(shape)))


def _shape(node: Node, known: list[Shape], _: Mapping[str, Tensor]) -> tuple[Shape, int]:
    return (len(known[0][shape_range(node, known[0])]),), 1


def _recurrent(node: Node, known: list[Shape]) -> tuple[list[Shape], int]:
    (steps, windows, width), (directions, rows, inner) = known[0], known[1]
    hidden = node.integer("hidden_size", 0)
    gates = {"LSTM": 4, "GRU": 3}[node.operator]
    if node.integer("layout", 0) or rows != gates * hidden or inner != width:
        raise ValueError
    if known[2] != (directions, rows, hidden):
        raise ValueError
    last = (directions, windows, hidden)
    return [(steps, *last), last, last], gates * (width + hidden)


_RULES: dict[str, Callable[[Node, list[Shape], Mapping[str, Tensor]], tuple[Shape, int]]] = {
    "QuantizeLinear": _quantise,
    "DequantizeLinear": _quantise,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
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
    "Expand": _expand,
    "Gather": _gather,
    "Slice": _slice,
    "Shape": _shape,
}
