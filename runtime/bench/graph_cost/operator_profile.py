"""Operator profile: where the time of one inference goes.

ONNX Runtime has a profiler of its own. LiteRT's Python packages give theirs no door, so a
.tflite model is cut: the model that ends behind its k-th operator is timed for every k, and
what an operator adds is its own.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import Float32
from ...artifact.container import Artifact
from ...engines.graphs.check import check_graph
from ...engines.graphs.tflite.flatbuffer import Table
from ...engines.graphs.tflite.graph import TfliteGraph
from ...engines.interpreters import INTERPRETERS, load_interpreter
from ...errors import ConfigError, EngineError
from ..paired import time_rounds

_RUNS = 30
_MOST_OPERATORS = 200


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class OperatorTime:
    """Time of one kind of operator in one inference.

    Parameters
    ----------
    operator : str
    calls : int
        In one inference.
    ms : float
        Of all its calls; mean over the runs.
    share : float
        Of all operators.
    """

    operator: str
    calls: int
    ms: float
    share: float


def check_profiled(engine: str) -> None:
    """Refuse an engine that cannot be profiled.

    Raises
    ------
    ConfigError
    """
    if engine != "onnxruntime" and engine not in INTERPRETERS:
        raise ConfigError(f"engine {engine!r} has no profiler; use onnxruntime or litert")


def profile_operators(
    artifact: Artifact, engine: str, inputs: Mapping[str, Float32]
) -> tuple[OperatorTime, ...]:
    """Profile one thread's inference, the slowest kind of operator first.

    Parameters
    ----------
    artifact : Artifact
    engine : str
        The engine in use.
    inputs : mapping of str to float32, shape (1, ...)

    Raises
    ------
    ConfigError
        If this engine cannot be profiled.
    EngineError
        If the engine's own record cannot be read.
    """
    check_profiled(engine)
    graph = check_graph(artifact)
    if isinstance(graph, TfliteGraph):
        spent = _tflite(artifact, graph, load_interpreter(engine), inputs)
    else:
        spent = _onnxruntime(artifact, inputs)
    calls: dict[str, int] = {}
    totals: dict[str, float] = {}
    for operator, ms in spent:
        calls[operator] = calls.get(operator, 0) + 1
        totals[operator] = totals.get(operator, 0.0) + ms
    whole = sum(totals.values()) or 1.0
    ordered = sorted(totals.items(), key=lambda pair: -pair[1])
    return tuple(
        OperatorTime(operator=name, calls=calls[name], ms=ms, share=ms / whole)
        for name, ms in ordered
    )


def _onnxruntime(artifact: Artifact, inputs: Mapping[str, Float32]) -> list[tuple[str, float]]:
    """Return (operator, mean ms) of every node, by ONNX Runtime's profiler."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(
            artifact.model, options, providers=["CPUExecutionProvider"]
        )
        for _ in range(_RUNS + 1):
            session.run([artifact.card.output], dict(inputs))
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    nodes: dict[str, list[float]] = {}
    operators: dict[str, str] = {}
    for event in events:
        name = str(event.get("name", ""))
        if event.get("cat") == "Node" and name.endswith("_kernel_time"):
            nodes.setdefault(name, []).append(event["dur"] / 1e3)
            operators[name] = event["args"]["op_name"]
    if not nodes:
        raise EngineError(f"{artifact.path}: ONNX Runtime's profile has no kernel in it")
    # The first run is a warm-up.
    return [(operators[name], float(np.mean(ms[1:]))) for name, ms in nodes.items()]


def _tflite(
    artifact: Artifact,
    graph: TfliteGraph,
    interpreter: Callable[..., Any],
    inputs: Mapping[str, Float32],
) -> list[tuple[str, float]]:
    """Return (operator, ms) of every operator, by timing the model cut behind each."""
    live = _live_operators(graph)
    if len(live) > _MOST_OPERATORS:
        raise ConfigError(
            f"{artifact.path}: {len(live)} operators, over {_MOST_OPERATORS} that are profiled"
        )
    tasks = {}
    try:
        for index in live:
            model = _cut(artifact.model, index + 1, graph.operators[index].outputs[0])
            loaded = interpreter(model_content=model, num_threads=1)
            loaded.allocate_tensors()
            for detail in loaded.get_input_details():
                loaded.set_tensor(detail["index"], inputs[detail["name"]])
            tasks[str(index)] = loaded.invoke
        seconds = time_rounds(tasks, rounds=10 * _RUNS)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise EngineError(f"{artifact.path}: cut behind an operator: {reason}") from error
    medians = [0.0] + [float(np.median(values)) * 1e3 for values in seconds.values()]
    # A cut model may be a little slower than a longer one: noise, or an operator fused away.
    return [
        (graph.operators[index].name, max(0.0, after - before))
        for index, before, after in zip(live, medians, medians[1:], strict=False)
    ]


def _live_operators(graph: TfliteGraph) -> list[int]:
    """Return the operators that work on the inputs; others prepare weights, once, at loading."""
    depends = set(graph.inputs)
    live = []
    for index, operator in enumerate(graph.operators):
        if depends.intersection(operator.inputs):
            depends.update(operator.outputs)
            live.append(index)
    return live


def _cut(model: bytes, length: int, output: int) -> bytes:
    """Shorten the list of operators in place and name the last one's tensor as the output."""
    data = bytearray(model)
    (subgraph,) = Table.root(memoryview(data)).tables(2, 1)
    whole = np.frombuffer(data, np.uint8)
    operators, outputs = subgraph.array(3, "<u4"), subgraph.array(2, "<i4")
    count = operators.ctypes.data - whole.ctypes.data - 4  # a list's length stands before it
    whole[count : count + 4] = np.frombuffer(np.uint32(length).tobytes(), np.uint8)
    outputs[0] = output
    return bytes(data)
