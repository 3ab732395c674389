"""Node: one operator of an ONNX graph and its attributes."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

import numpy as np

from ....errors import ArtifactError
from .values import Tensor

Attribute: TypeAlias = "int | float | bytes | Tensor | tuple[int | float | bytes, ...]"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One operator; an empty name among `inputs` is an optional input left out."""

    name: str
    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]

    def __str__(self) -> str:
        return f"{self.operator} node {self.name or ','.join(self.outputs)!r:.80}"

    def integer(self, name: str, default: int) -> int:
        """Return an integer attribute, or `default` where it is absent."""
        value = self.attributes.get(name, default)
        if type(value) is not int:
            raise ArtifactError(f"{self}: attribute {name} is not an integer")
        return value

    def number(self, name: str, default: float) -> float:
        """Return a float attribute, or `default` where it is absent."""
        value = self.attributes.get(name, default)
        if type(value) is not float:
            raise ArtifactError(f"{self}: attribute {name} is not a float")
        return value

    def integers(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Return a list of integers, or `default` where it is absent."""
        value = self.attributes.get(name, default)
        if not isinstance(value, tuple):
            raise ArtifactError(f"{self}: attribute {name} is not a list of integers")
        whole = tuple(item for item in value if isinstance(item, int))
        if len(whole) != len(value):
            raise ArtifactError(f"{self}: attribute {name} is not a list of integers")
        return whole

    def constant(self) -> Tensor:
        """Return what a `Constant` node holds."""
        if len(self.attributes) == 1:
            (value,) = self.attributes.values()
            if isinstance(value, np.ndarray):
                return value
            kinds = {type(item) for item in (value if isinstance(value, tuple) else (value,))}
            if kinds == {int}:
                return np.array(value, np.int64)
            if kinds == {float}:
                return np.array(value, np.float32)
        raise ArtifactError(f"{self}: holds no single number or tensor: refused")
