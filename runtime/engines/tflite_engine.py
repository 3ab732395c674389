"""TFLite interpreters, for .tflite; one window at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Float32
from ..artifact.container import Artifact
from ..errors import DependencyError, EngineError
from .base import brief, checked_output
from .interpreters import load_interpreter


class TfliteEngine:
    """A TFLite interpreter, from the package that `interpreters` names."""

    def __init__(self, artifact: Artifact, threads: int, name: str) -> None:
        if name == "tflite-runtime" and int(np.__version__.split(".")[0]) >= 2:
            raise DependencyError(
                f"tflite-runtime works with NumPy 1 only, this is {np.__version__}: "
                'pip install "numpy<2", or pip install ai-edge-litert'
            )
        self.name = name
        interpreter = load_interpreter(name)
        self._path = artifact.path
        self._card = artifact.card
        try:
            self._interpreter = interpreter(model_content=artifact.model, num_threads=threads)
            self._interpreter.allocate_tensors()
        except Exception as error:
            raise EngineError(f"{artifact.path}: {name} refuses it: {brief(error)}") from error
        details = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        self._inputs = {item["name"]: item["index"] for item in details}
        self._outputs = {o["name"]: o["index"] for o in outputs}

    def run(self, inputs: Mapping[str, Float32]) -> Float32:
        """Compute logits; see `Engine.run`."""
        return self._compute(inputs, (self._card.output,))[self._card.output]

    def outputs(self, inputs: Mapping[str, Float32]) -> dict[str, Float32]:
        """Compute all outputs; see `Engine.outputs`."""
        return self._compute(inputs, self._card.outputs)

    def _compute(self, inputs: Mapping[str, Float32], names: tuple[str, ...]) -> dict[str, Float32]:
        rows = len(next(iter(inputs.values())))
        found: dict[str, list[Any]] = {name: [] for name in names}
        try:
            for row in range(rows):
                for name, values in inputs.items():
                    self._interpreter.set_tensor(self._inputs[name], values[row : row + 1])
                self._interpreter.invoke()
                for name in names:
                    found[name].append(self._interpreter.get_tensor(self._outputs[name])[0])
        except Exception as error:
            raise EngineError(f"{self._path}: {self.name} failed: {brief(error)}") from error
        return {
            name: checked_output(np.stack(parts), rows, name, self._card, self._path)
            for name, parts in found.items()
        }
