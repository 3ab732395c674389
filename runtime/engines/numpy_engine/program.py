"""Program: a model as a list of NumPy calls, and the values that they pass on.

A value stands for `scale * array`. That is how quantised models run in float32: the array
holds the integers less their zero point, exactly; dequantising only names the scale, and the
next layer takes it into its weights. One number per tensor is enough, since only weights are
quantised per channel.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

from ...arrays import Float32

Kernel: TypeAlias = Callable[..., Float32]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A tensor while a program is built.

    Parameters
    ----------
    slot : int
        Where its array lies when the program runs.
    scale : float
        What the array is to be multiplied with.
    levels : tuple of float or None
        Lowest and highest value of an array that holds whole numbers only.
    zero_point : float or None
        For a quantised tensor before its DequantizeLinear, what was subtracted from the
        stored integers; None for a tensor of real numbers.
    """

    slot: int
    scale: float = 1.0
    levels: tuple[float, float] | None = None
    zero_point: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    kernel: Kernel
    inputs: tuple[int, ...]
    output: int
    overwrites: int  # the input whose array also takes the result; -1 if it must be kept
    elementwise: bool
    frees: tuple[int, ...] = ()


class Program:
    """Steps over numbered slots; running it changes nothing in it, so threads may share it.

    Parameters
    ----------
    inputs : int
        They take the first slots.
    """

    def __init__(self, inputs: int) -> None:
        self._steps: list[_Step] = []
        # Slots that are views of one array share the number of the slot that owns it.
        self._owner = list(range(inputs))
        self._inputs = inputs
        self._outputs: tuple[int, ...] = ()

    def call(self, kernel: Kernel, *inputs: int, view: bool = False) -> int:
        """Append a call that returns a new array, or a view of its first input; return its slot."""
        return self._append(kernel, inputs, self._owner[inputs[0]] if view else None)

    def update(self, kernel: Kernel, *inputs: int, overwrite: int = 0) -> int:
        """Append an elementwise call, which takes `out` as its last argument; return its slot.

        `out` is the array of input number `overwrite` where nothing else needs it any more,
        else None. A negative `overwrite` never overwrites.
        """
        return self._append(kernel, inputs, None, elementwise=True, overwrites=overwrite)

    def finish(self, *outputs: int) -> None:
        """Fix the outputs and decide which arrays are overwritten and when they are freed."""
        self._outputs = outputs
        last: dict[int, int] = {}
        slots: dict[int, list[int]] = {}
        for number, step in enumerate(self._steps):
            last.update((self._owner[slot], number) for slot in (*step.inputs, step.output))
        last.update((self._owner[output], len(self._steps)) for output in outputs)
        for slot, owner in enumerate(self._owner):
            slots.setdefault(owner, []).append(slot)
        for number, step in enumerate(self._steps):
            owners = [self._owner[slot] for slot in step.inputs]
            over = step.overwrites
            if over >= 0:
                owner = owners[over]
                needed = last[owner] > number or owner < self._inputs or owners.count(owner) > 1
                over = -1 if needed else over
            done = [owner for owner in {*owners, self._owner[step.output]} if last[owner] == number]
            frees = tuple(slot for owner in done for slot in slots[owner])
            self._steps[number] = dataclasses.replace(step, overwrites=over, frees=frees)

    def run(self, inputs: list[Float32]) -> tuple[Float32, ...]:
        """Run every step and return the outputs."""
        arrays: list[Any] = [*inputs, *[None] * (len(self._owner) - len(inputs))]
        for step in self._steps:
            given = [arrays[slot] for slot in step.inputs]
            if step.elementwise:
                given.append(given[step.overwrites] if step.overwrites >= 0 else None)
            arrays[step.output] = step.kernel(*given)
            for slot in step.frees:
                arrays[slot] = None
        return tuple(arrays[output] for output in self._outputs)

    def _append(
        self,
        kernel: Kernel,
        inputs: tuple[int, ...],
        owner: int | None,
        *,
        elementwise: bool = False,
        overwrites: int = -1,
    ) -> int:
        slot = len(self._owner)
        self._owner.append(slot if owner is None else owner)
        self._steps.append(
            _Step(
                kernel=kernel,
                inputs=inputs,
                output=slot,
                overwrites=overwrites,
                elementwise=elementwise,
            )
        )
        return slot
