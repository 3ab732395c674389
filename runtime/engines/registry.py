"""Engines: whatever runs a model's graph, behind one method.

Packages are imported where they are used. For .onnx that is ONNX Runtime; for .tflite
ai-edge-litert, else tflite-runtime, else TensorFlow; where none is installed, the NumPy
engine runs the graphs that this kit exports.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from ..arrays import Float32
from ..artifact.container import Artifact
from ..errors import ConfigError, DependencyError, EngineError
from .graphs.check import check_graph
from .interpreters import INTERPRETERS, load_interpreter

ENGINES = ("onnxruntime", *INTERPRETERS, "numpy")

# What pip installs for each.
_REQUIREMENTS = {name: name for name in ENGINES} | {
    "onnxruntime": "genrekit[onnx]",
    "litert": "genrekit[tflite]",
}


class Engine(Protocol):
    """A loaded model.

    Attributes
    ----------
    name : str
        One of `ENGINES`.
    """

    name: str

    def run(self, inputs: Mapping[str, Float32]) -> Float32:
        """Compute logits.

        Parameters
        ----------
        inputs : mapping of str to float32, shape (windows, ...)
            One tensor per input of the card, any number of windows.

        Returns
        -------
        float32, shape (windows, labels)

        Raises
        ------
        EngineError
            If the engine fails, or the model gives something else than the card says.
        """
        ...


def load_engine(artifact: Artifact, *, threads: int = 1, engine: str | None = None) -> Engine:
    """Load a checked model into an inference engine.

    Parameters
    ----------
    artifact : Artifact
    threads : int
        Threads of one inference, 1..256.
    engine : str, optional
        One of `ENGINES`; None takes the first that is installed for the format, and the NumPy
        engine where none is.

    Raises
    ------
    ArtifactError
        If the graph is not what the card says, or holds what a stranger's model might.
    DependencyError
        If the engine asked for is not installed.
    EngineError
        If the engine refuses the model.
    """
    if not 1 <= threads <= 256:
        raise ConfigError(f"threads={threads}: must be 1..256")
    loaders = _LOADERS[artifact.format]
    if engine is not None:
        if engine not in loaders:
            raise ConfigError(
                f"engine {engine!r} does not run .{artifact.format}; use {' or '.join(loaders)}"
            )
        if not _installed(engine):
            raise DependencyError(
                f"engine {engine!r} is not installed: pip install {_REQUIREMENTS[engine]!r}"
            )
    else:
        engine = next(name for name in loaders if _installed(name))
    if engine != "numpy":  # which reads the graph, and checks it, itself
        check_graph(artifact)
    return loaders[engine](artifact, threads)


def _installed(engine: str) -> bool:
    package = {"litert": "ai_edge_litert"}.get(engine, engine.replace("-", "_"))
    return importlib.util.find_spec(package) is not None


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
                f"{artifact.path}: ONNX Runtime refuses it: {_brief(error)}"
            ) from error
        self._path = artifact.path
        self._labels = len(artifact.card.labels)
        self._output = artifact.card.output

    def run(self, inputs: Mapping[str, Float32]) -> Float32:
        """Compute logits; see `Engine.run`."""
        try:
            (logits,) = self._session.run([self._output], dict(inputs))
        except Exception as error:
            raise EngineError(f"{self._path}: ONNX Runtime failed: {_brief(error)}") from error
        return _checked_logits(logits, len(next(iter(inputs.values()))), self._labels, self._path)


class TfliteEngine:
    """A TFLite interpreter, from whichever package has one; one window at a time."""

    def __init__(
        self, artifact: Artifact, threads: int, name: str, interpreter: Callable[..., Any]
    ) -> None:
        self.name = name
        self._path = artifact.path
        self._labels = len(artifact.card.labels)
        try:
            self._interpreter = interpreter(model_content=artifact.model, num_threads=threads)
            self._interpreter.allocate_tensors()
        except Exception as error:
            raise EngineError(f"{artifact.path}: {name} refuses it: {_brief(error)}") from error
        details = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        self._inputs = {item["name"]: item["index"] for item in details}
        self._output = next(o["index"] for o in outputs if o["name"] == artifact.card.output)

    def run(self, inputs: Mapping[str, Float32]) -> Float32:
        """Compute logits; see `Engine.run`."""
        rows = len(next(iter(inputs.values())))
        logits = np.empty((rows, self._labels), np.float32)
        try:
            for row in range(rows):
                for name, values in inputs.items():
                    self._interpreter.set_tensor(self._inputs[name], values[row : row + 1])
                self._interpreter.invoke()
                logits[row] = self._interpreter.get_tensor(self._output)[0]
        except Exception as error:
            raise EngineError(f"{self._path}: {self.name} failed: {_brief(error)}") from error
        return _checked_logits(logits, rows, self._labels, self._path)


def _load_onnxruntime(artifact: Artifact, threads: int) -> Engine:
    return OnnxRuntimeEngine(artifact, threads)


def _load_tflite(name: str, artifact: Artifact, threads: int) -> Engine:
    if name == "tflite-runtime" and int(np.__version__.split(".")[0]) >= 2:
        raise DependencyError(
            f"tflite-runtime works with NumPy 1 only, this is {np.__version__}: "
            'pip install "numpy<2", or pip install ai-edge-litert'
        )
    return TfliteEngine(artifact, threads, name, load_interpreter(name))


def _load_numpy(artifact: Artifact, threads: int) -> Engine:
    from .numpy_engine.engine import NumpyEngine

    return NumpyEngine(artifact, threads)


_LOADERS: dict[str, dict[str, Callable[[Artifact, int], Engine]]] = {
    "onnx": {"onnxruntime": _load_onnxruntime, "numpy": _load_numpy},
    "tflite": {
        **{name: functools.partial(_load_tflite, name) for name in INTERPRETERS},
        "numpy": _load_numpy,
    },
}


def _checked_logits(logits: Any, rows: int, labels: int, path: object) -> Float32:
    array = np.asarray(logits, dtype=np.float32)
    if array.shape != (rows, labels):
        raise EngineError(f"{path}: output {array.shape}, its card has {labels} labels")
    if not np.isfinite(array).all():
        raise EngineError(f"{path}: the model gave a value that is not finite")
    return array


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1][:300] if lines else type(error).__name__
