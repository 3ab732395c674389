"""NumpyEngine: runs the graphs that this kit exports where no inference engine is installed.

That is a 32-bit Raspberry Pi, or a Python without a wheel. NumPy's linear algebra library
decides how many threads it uses: set OMP_NUM_THREADS before Python starts to change it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...arrays import Float32
from ...artifact.container import Artifact
from ...errors import ArtifactError, EngineError
from ..base import checked_output
from ..graphs.check import check_graph
from ..graphs.onnx.graph import OnnxGraph
from .from_tflite import build_tflite
from .layers import build_onnx

# Windows run at once: enough to fill the matrix products of small models, few enough to keep
# the activations of large ones small.
_WINDOWS = 8
# What NumPy raises where a graph passes the check and yet its parts do not fit together.
_MISFITS = (ValueError, IndexError, OverflowError, MemoryError)


class NumpyEngine:
    """A model as a list of NumPy calls; threads may share it.

    Parameters
    ----------
    artifact : Artifact
    threads : int
        Taken as every engine does; the threads are those of NumPy's own library.

    Raises
    ------
    ArtifactError
        If the graph is malformed or not what its card says.
    EngineError
        If it holds an operator that this engine does not know; names the install command.
    """

    name = "numpy"

    def __init__(self, artifact: Artifact, threads: int) -> None:  # noqa: ARG002 - the protocol
        self._path = artifact.path
        self._card = artifact.card
        self._inputs = {item.name: item.shape for item in artifact.card.inputs}
        graph = check_graph(artifact)
        try:
            with np.errstate(all="ignore"):  # what is not finite in the end is refused by `run`
                if isinstance(graph, OnnxGraph):
                    shapes = {name: (1, *shape) for name, shape in self._inputs.items()}
                    self._program = build_onnx(graph, shapes, artifact.card.outputs)
                else:
                    self._program = build_tflite(graph, list(self._inputs))
        except (ArtifactError, EngineError) as error:
            raise type(error)(f"{artifact.path}: {error}") from error
        except _MISFITS as error:
            raise EngineError(
                f"{artifact.path}: malformed, the NumPy engine cannot build it: {error}"
            ) from error

    def run(self, inputs: Mapping[str, Float32]) -> Float32:
        """Compute logits; see `Engine.run`."""
        return self.outputs(inputs)[self._card.output]

    def outputs(self, inputs: Mapping[str, Float32]) -> dict[str, Float32]:
        """Compute all outputs; see `Engine.outputs`."""
        windows = len(next(iter(inputs.values())))
        given = []
        for name, shape in self._inputs.items():
            array = np.ascontiguousarray(inputs[name], np.float32)
            if array.shape != (windows, *shape):
                raise EngineError(
                    f"{self._path}: input {name} is {array.shape}, must be ({windows}, *{shape})"
                )
            given.append(array)
        parts: list[tuple[Float32, ...]] = []
        try:
            with np.errstate(all="ignore"):
                for start in range(0, windows, _WINDOWS):
                    rows = slice(start, start + _WINDOWS)
                    parts.append(self._program.run([array[rows] for array in given]))
        except _MISFITS as error:
            raise EngineError(f"{self._path}: the NumPy engine failed: {error}") from error
        joined = zip(self._card.outputs, zip(*parts, strict=True), strict=True)
        return {
            name: checked_output(np.concatenate(arrays), windows, name, self._card, self._path)
            for name, arrays in joined
        }
