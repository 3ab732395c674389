"""Scenarios: from a song's file to its genre, one after another or as fast as can be.

References
----------
Reddi et al., "MLPerf Inference Benchmark", ISCA 2020: "single stream" and "offline".
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Float64
from ..engines.graphs.check import check_graph
from ..engines.graphs.onnx.graph import OnnxGraph
from ..engines.registry import load_engine
from .model_under_test import BenchSettings, Subject
from .paired import Latency, run_rounds, time_rounds
from .results import Batch, Offline, SingleStream

_BATCHES = (1, 4, 16)


@dataclasses.dataclass(frozen=True, slots=True)
class Streamed:
    """What single-stream rounds of one model gave.

    Parameters
    ----------
    seconds : dict of str to float64, shape (rounds,)
        By stage.
    audio_s : float
        Length of the clip.
    windows : int
        That it holds.
    """

    seconds: dict[str, Float64]
    audio_s: float
    windows: int

    def summary(self) -> SingleStream:
        """Return the distributions."""
        stages = {stage: Latency.of(seconds) for stage, seconds in self.seconds.items()}
        return SingleStream(
            audio_s=self.audio_s,
            windows=self.windows,
            **stages,
            realtime_factor=stages["total"].p50_ms / 1e3 / self.audio_s,
            total_percentiles_ms=_percentiles_ms(self.seconds["total"]),
            inference_percentiles_ms=_percentiles_ms(self.seconds["inference"]),
        )


def stream_single(subjects: list[Subject], settings: BenchSettings) -> dict[str, Streamed]:
    """Classify each model's clip, models in turn; return what was measured by label."""
    tasks = {s.label: lambda s=s: s.classifier.classify(s.clip) for s in subjects}
    predictions = run_rounds(tasks, rounds=settings.rounds_of(tasks.values()))
    streamed = {}
    for label, results in predictions.items():
        stages = results[0].latency_ms
        streamed[label] = Streamed(
            {stage: np.array([r.latency_ms[stage] for r in results]) / 1e3 for stage in stages},
            results[0].duration_s,
            len(results[0].segments),
        )
    return streamed


def run_offline(subject: Subject, settings: BenchSettings) -> Offline:
    """Classify a long clip, and give the engine many windows at once."""
    tasks = {"": lambda: subject.classifier.classify(subject.long_clip)}
    prediction = tasks[""]()
    total = Latency.of(time_rounds(tasks, rounds=settings.rounds_of(tasks.values()))[""])
    windows = len(prediction.segments)
    return Offline(
        audio_s=prediction.duration_s,
        windows=windows,
        total=total,
        windows_per_s=windows / (total.p50_ms / 1e3),
        realtime_factor=total.p50_ms / 1e3 / prediction.duration_s,
        batches=_batches(subject, settings),
    )


def _batches(subject: Subject, settings: BenchSettings) -> tuple[Batch, ...]:
    sizes = _BATCHES[:1] if _has_fixed_batch(subject) else _BATCHES
    engine = load_engine(subject.artifact, threads=settings.threads, engine=settings.engine)
    inputs = {
        size: {name: np.repeat(x, size, axis=0) for name, x in subject.inputs.items()}
        for size in sizes
    }
    tasks = {str(size): lambda size=size: engine.run(inputs[size]) for size in sizes}
    seconds = time_rounds(tasks, rounds=settings.rounds_of(tasks.values()))
    latencies = {size: Latency.of(seconds[str(size)]) for size in sizes}
    return tuple(
        Batch(windows=size, latency=latency, windows_per_s=size / (latency.p50_ms / 1e3))
        for size, latency in latencies.items()
    )


def _has_fixed_batch(subject: Subject) -> bool:
    graph = check_graph(subject.artifact)
    return isinstance(graph, OnnxGraph) and any(
        kind.shape is not None and kind.shape[0] is not None for kind in graph.inputs.values()
    )


def _percentiles_ms(seconds: Float64) -> tuple[float, ...]:
    return tuple(float(f"{ms:.4g}") for ms in np.percentile(seconds * 1e3, range(101)))
