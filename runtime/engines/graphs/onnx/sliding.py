"""Sliding: how the kernel of a convolution or pooling node moves over its input."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

from ....errors import ArtifactError
from .node import Node

_LARGEST_STEP = 1 << 12  # of strides and dilations: their products with strides in bytes fit

Shape: TypeAlias = tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Sliding:
    """How a kernel slides over the spatial axes: one number per axis, `pads` two."""

    kernel: Shape
    strides: Shape
    dilations: Shape
    before: Shape
    after: Shape

    def output(self, sizes: Shape) -> Shape:
        """Return the sizes of the output for these spatial sizes of the input."""
        steps = zip(
            sizes, self.kernel, self.strides, self.dilations, self.before, self.after, strict=True
        )
        return tuple((n + b + a - d * (k - 1) - 1) // s + 1 for n, k, s, d, b, a in steps)


def read_sliding(node: Node, kernel: Shape) -> Sliding:
    """Read the attributes of a convolution or pooling node.

    Raises
    ------
    ArtifactError
        If they do not fit the kernel, or ask for automatic padding or a rounded-up size.
    """
    axes = len(kernel)
    strides = node.integers("strides", (1,) * axes)
    dilations = node.integers("dilations", (1,) * axes)
    pads = node.integers("pads", (0,) * 2 * axes)
    if node.attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise ArtifactError(f"{node}: automatic padding is refused; export explicit pads")
    if node.integer("ceil_mode", 0):
        raise ArtifactError(f"{node}: ceil_mode is refused")
    if not len(strides) == len(dilations) == axes or len(pads) != 2 * axes:
        raise ArtifactError(f"{node}: strides, dilations or pads do not fit its kernel")
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)] * 2
    if max(*strides, *dilations) > _LARGEST_STEP:
        raise ArtifactError(f"{node}: a stride or dilation over {_LARGEST_STEP}")
    if min(*kernel, *strides, *dilations) < 1 or not all(
        0 <= pad < max(2, size) for pad, size in zip(pads, reach, strict=True)
    ):
        raise ArtifactError(f"{node}: a pad must be shorter than the kernel, all else at least 1")
    return Sliding(
        kernel=kernel,
        strides=strides,
        dilations=dilations,
        before=pads[:axes],
        after=pads[axes:],
    )
