"""Engines: one table of what can run a model; a new engine is one declaration here.

Packages are imported where they are used. Without an engine named, the first of the table that
is installed and runs the file's format is taken; the NumPy engine, which needs no package, runs
the graphs that this kit exports.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
from collections.abc import Callable

from ..artifact.container import Artifact, Format
from ..errors import ConfigError, DependencyError
from .base import Engine
from .graphs.check import check_graph
from .interpreters import INTERPRETERS


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EngineKind:
    """One entry of the table.

    Parameters
    ----------
    format : {"onnx", "tflite"} or None
        What it runs; None is both.
    package : str or None
        That is imported; None if it is part of this kit.
    requirement : str
        What pip installs.
    load : callable
        Makes the engine for an artifact and a number of threads.
    """

    format: Format | None
    package: str | None
    requirement: str
    load: Callable[[Artifact, int], Engine]

    def installed(self) -> bool:
        """Whether its package is there."""
        return self.package is None or importlib.util.find_spec(self.package) is not None


def _load_onnxruntime(artifact: Artifact, threads: int) -> Engine:
    from .onnxruntime_engine import OnnxRuntimeEngine

    return OnnxRuntimeEngine(artifact, threads)


def _load_tflite(name: str, artifact: Artifact, threads: int) -> Engine:
    from .tflite_engine import TfliteEngine

    return TfliteEngine(artifact, threads, name)


def _load_numpy(artifact: Artifact, threads: int) -> Engine:
    from .numpy_engine.engine import NumpyEngine

    return NumpyEngine(artifact, threads)


KINDS: dict[str, EngineKind] = {
    "onnxruntime": EngineKind(
        format="onnx",
        package="onnxruntime",
        requirement="genrekit[onnx]",
        load=_load_onnxruntime,
    ),
    **{
        name: EngineKind(
            format="tflite",
            package=module.partition(".")[0],
            requirement="genrekit[tflite]" if name == "litert" else name,
            load=functools.partial(_load_tflite, name),
        )
        for name, (module, _) in INTERPRETERS.items()
    },
    "numpy": EngineKind(format=None, package=None, requirement="numpy", load=_load_numpy),
}
ENGINES = tuple(KINDS)


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
    able = {name: kind for name, kind in KINDS.items() if kind.format in (artifact.format, None)}
    if engine is not None:
        if engine not in able:
            raise ConfigError(
                f"engine {engine!r} does not run .{artifact.format}; use {' or '.join(able)}"
            )
        if not able[engine].installed():
            raise DependencyError(
                f"engine {engine!r} is not installed: pip install {able[engine].requirement!r}"
            )
    else:
        engine = next(name for name, kind in able.items() if kind.installed())
    if able[engine].format:  # the NumPy engine reads the graph, and checks it, itself
        check_graph(artifact)
    return able[engine].load(artifact, threads)
