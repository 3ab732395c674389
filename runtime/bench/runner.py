"""Bench: measure models on this machine, all in the same rounds."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..documents import timestamp
from .cold_start import ColdStart, Memory, cold_starts
from .engine_timing import EngineSpeeds, sweep_threads, time_engines
from .graph_cost.operator_profile import OperatorTime, profile_operators
from .machine.foreign_load import NOTICEABLE, CpuTimes, check_quiet, foreign_load
from .machine.hardware import Machine, measured_machine
from .machine.sensors import Sensors
from .model_under_test import BenchSettings, Subject, load_subjects
from .paired import Latency, Ratio
from .results import (
    BenchDocument,
    Conditions,
    Efficiency,
    ModelBench,
    Speedup,
)
from .scenarios import Streamed, run_offline, stream_single
from .sustained_load import Sustained, sustain

_BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")

Progress = Callable[[str], None]


def bench(
    models: Sequence[Path], settings: BenchSettings, *, tell: Progress = lambda _: None
) -> BenchDocument:
    """Measure models in turn.

    Parameters
    ----------
    models : sequence of Path
        Artifacts; the others are compared with the first.
    settings : BenchSettings
    tell : callable
        Called with what is being measured now.

    Raises
    ------
    ConfigError
        If this machine is busy and `force` is not set, or as `load_subjects`.
    ArtifactError, EngineError, AudioError, FileError
        If a model or the song cannot be used.
    """
    machine = measured_machine()
    with tempfile.TemporaryDirectory(prefix="genrekit-bench-") as folder:
        subjects = load_subjects(models, settings, Path(folder))
        tell("looking at the machine")
        load_before = check_quiet(machine.cores, force=settings.force)
        started = CpuTimes.now()
        tell("cold starts")
        fresh = cold_starts(
            {s.artifact.path: s.clip for s in subjects},
            {s.artifact.path: s.engine.name for s in subjects},
            threads=settings.threads,
            processes=settings.processes,
        )
        tell("single stream")
        streamed = stream_single(subjects, settings)
        tell("the engines alone, beside their ceilings")
        speeds = time_engines(subjects, settings)
        measured = [
            _measure(
                subject,
                settings,
                machine.cores,
                fresh[subject.artifact.path],
                streamed[subject.label],
                speeds,
                tell,
            )
            for subject in subjects
        ]
    load_during = foreign_load(started, CpuTimes.now(), machine.cores)
    return BenchDocument(
        created=timestamp(),
        machine=machine,
        conditions=_conditions(settings, machine, speeds.core, load_before, load_during),
        models=tuple(measured),
        speedups=_speedups([s.label for s in subjects], streamed, speeds),
    )


def _measure(
    subject: Subject,
    settings: BenchSettings,
    cores: int,
    fresh: tuple[ColdStart, Memory],
    streamed: Streamed,
    speeds: EngineSpeeds,
    tell: Progress,
) -> ModelBench:
    artifact, card = subject.artifact, subject.artifact.card
    tell(f"{subject.label}: offline, threads")
    return ModelBench(
        model=subject.label,
        name=card.name,
        architecture=card.training.architecture,
        format=artifact.format,
        engine=subject.engine.name,
        model_sha256=card.model_sha256,
        bytes=artifact.size,
        gzip_bytes=len(gzip.compress(artifact.path.read_bytes(), 9, mtime=0)),
        source_bytes=card.compression.source_bytes,
        compression=card.compression.steps,
        accuracy=card.training.accuracy,
        agreement=card.compression.label_agreement,
        agreement_n=card.compression.agreement_n,
        cold_start=fresh[0],
        memory=fresh[1],
        single_stream=streamed.summary(),
        offline=run_offline(subject, settings),
        engine_alone=Latency.of(speeds.seconds[subject.label]),
        threads=sweep_threads(subject, settings, cores),
        efficiency=_efficiency(subject, speeds),
        sustained=_sustained(subject, settings, tell),
        profile=_profile(subject, settings, tell),
    )


def _efficiency(subject: Subject, speeds: EngineSpeeds) -> Efficiency:
    ceiling = speeds.ceilings[subject.label]
    macs_per_s = subject.operations.macs / float(np.median(speeds.seconds[subject.label]))
    return Efficiency(
        operations=subject.operations,
        macs_per_s=macs_per_s,
        ceiling=ceiling,
        share=macs_per_s / ceiling.macs_per_s,
    )


def _sustained(subject: Subject, settings: BenchSettings, tell: Progress) -> Sustained | None:
    if not settings.minutes:
        return None
    tell(f"{subject.label}: sustained, {settings.minutes:g} min")
    return sustain(
        lambda: subject.classifier.classify(subject.clip), 60.0 * settings.minutes, Sensors()
    )


def _profile(subject: Subject, settings: BenchSettings, tell: Progress) -> tuple[OperatorTime, ...]:
    if not settings.profile:
        return ()
    tell(f"{subject.label}: operators")
    return profile_operators(subject.artifact, subject.engine.name, subject.inputs)


def _conditions(
    settings: BenchSettings,
    machine: Machine,
    core: int | None,
    load_before: float | None,
    load_during: float | None,
) -> Conditions:
    blas = next((os.environ[name] for name in _BLAS_VARIABLES if os.environ.get(name)), "default")
    warnings = []
    if machine.governor not in (None, "performance"):
        warnings.append(
            f"the clock is scaled by the governor {machine.governor!r}: the first rounds of a "
            "measurement may be slow; 'performance' keeps it steady"
        )
    if load_before is None:
        warnings.append("the kernel does not tell what other processes do")
    for load, when in ((load_before, "before"), (load_during, "while")):
        if load is not None and load >= NOTICEABLE:
            warnings.append(f"other processes used {load:.0%} of this machine {when} measuring")
    if blas == "default" and machine.cores > settings.threads:
        warnings.append(
            f"features use NumPy's own threads, up to {machine.cores}: set OMP_NUM_THREADS=1 for "
            "one"
        )
    return Conditions(
        threads=settings.threads,
        blas_threads=blas,
        pinned_core=core,
        load_before=load_before,
        load_during=load_during,
        forced=settings.force,
        warnings=tuple(warnings),
    )


def _speedups(
    labels: list[str], streamed: dict[str, Streamed], speeds: EngineSpeeds
) -> tuple[Speedup, ...]:
    first, *others = labels
    return tuple(
        Speedup(
            model=label,
            first=first,
            engine_alone=Ratio.of(speeds.seconds[first], speeds.seconds[label]),
            total=Ratio.of(streamed[first].seconds["total"], streamed[label].seconds["total"]),
        )
        for label in others
    )
