"""ONNX Runtime, for .onnx."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..arrays import Float32
from ..artifact.container import Artifact
from ..errors import EngineError
from .base import brief, checked_output


class OnnxRuntimeEngine:
    """ONNX Runtime's CPU provider."""

    name = "onnxruntime"

    def __init__(self, artifact: Artifact, threads: int) -> None:
        # Read before the first import: no telemetry, no CPU-probing warnings on the user's screen.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                artifact.model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no root but Exception
            raise EngineError(
                f"{artifact.path}: ONNX Runtime refuses it: {brief(error)}"
            ) from error
        self._path = artifact.path
        self._card = artifact.card

    def run(self, inputs: Mapping[str, Float32]) -> Float32:
        """Compute logits; see `Engine.run`."""
        return self._compute(inputs, (self._card.output,))[self._card.output]

    def outputs(self, inputs: Mapping[str, Float32]) -> dict[str, Float32]:
        """Compute all outputs; see `Engine.outputs`."""
        return self._compute(inputs, self._card.outputs)

    def _compute(self, inputs: Mapping[str, Float32], names: tuple[str, ...]) -> dict[str, Float32]:
        try:
            arrays = self._session.run(list(names), dict(inputs))
        except Exception as error:
            raise EngineError(f"{self._path}: ONNX Runtime failed: {brief(error)}") from error
        rows = len(next(iter(inputs.values())))
        found = zip(names, arrays, strict=True)
        return {name: checked_output(a, rows, name, self._card, self._path) for name, a in found}
