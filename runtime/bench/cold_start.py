"""Cold start: what a fresh process takes from its start to the first prediction, and its memory.

Only a new process tells: in this one everything is imported, loaded and warm. So this module is
both sides: it starts `python -m genrekit.bench.cold_start`, which tells when it did what.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import EngineError
from .paired import Latency, run_rounds

_REPEATS = 10  # predictions before the peak of the memory is read
_PACKAGES = {
    "onnxruntime": "onnxruntime",
    "litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    "tensorflow": "tensorflow",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ColdStart:
    """Time from the start of the process, by stage; files may be in the system's cache.

    Parameters
    ----------
    imports : Latency
        Python, NumPy, the runtime and the engine's package.
    load : Latency
        Reading, checking and loading the model.
    first_prediction : Latency
        Of the clip, from its file.
    total : Latency
    """

    imports: Latency
    load: Latency
    first_prediction: Latency
    total: Latency


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Resident memory of a process that does nothing else, in bytes; medians over processes.

    Parameters
    ----------
    imported : int
        With Python, NumPy, the runtime and the engine's package.
    loaded : int
        With the model loaded.
    peak : int
        The most up to the tenth prediction.
    model : int
        `peak - imported`: what the model and its features add.
    """

    imported: int
    loaded: int
    peak: int
    model: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Life:
    """Seconds since the start and bytes, as one process told them."""

    imported_s: float
    loaded_s: float
    predicted_s: float
    imported: int
    loaded: int
    peak: int


def cold_starts(
    clips: Mapping[Path, Path], engines: Mapping[Path, str], *, threads: int, processes: int
) -> dict[Path, tuple[ColdStart, Memory]]:
    """Start processes that classify one clip each, models in turn.

    Parameters
    ----------
    clips : mapping of Path to Path
        Model to clip.
    engines : mapping of Path to str
        Model to engine.
    threads : int
    processes : int
        For each model, at least 1.

    Raises
    ------
    EngineError
        If a process fails.
    """
    tasks = {
        str(model): lambda model=model: _start(model, clips[model], engines[model], threads)
        for model in clips
    }
    lives: dict[str, list[_Life]] = run_rounds(tasks, rounds=processes, warmup=1)
    return {model: _summarise(lives[str(model)]) for model in clips}


def fresh_environment(**changes: str) -> dict[str, str]:
    """Return the environment of a process whose start is timed.

    pip compiles what it installs. A checkout is compiled by the rounds before the counted ones,
    unless Python is told not to keep that.
    """
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **changes}


def _start(model: Path, clip: Path, engine: str, threads: int) -> _Life:
    command = [sys.executable, "-m", "genrekit.bench.cold_start"]
    command += [str(model.resolve()), str(clip.resolve()), engine, str(threads)]
    start = time.monotonic()
    result = subprocess.run(  # noqa: S603 - ours
        command, capture_output=True, text=True, timeout=600, env=fresh_environment()
    )
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(f"{model}: a fresh process failed: {reason:.300}")
    told = json.loads(result.stdout.splitlines()[-1])
    moments = [told.pop(name) - start for name in ("imported_s", "loaded_s", "predicted_s")]
    return _Life(*moments, **told)


def _summarise(lives: list[_Life]) -> tuple[ColdStart, Memory]:
    cold = ColdStart(
        imports=Latency.of(np.array([life.imported_s for life in lives])),
        load=Latency.of(np.array([life.loaded_s - life.imported_s for life in lives])),
        first_prediction=Latency.of(np.array([life.predicted_s - life.loaded_s for life in lives])),
        total=Latency.of(np.array([life.predicted_s for life in lives])),
    )
    imported, loaded, peak = (
        int(np.median([getattr(life, name) for life in lives]))
        for name in ("imported", "loaded", "peak")
    )
    return cold, Memory(imported=imported, loaded=loaded, peak=peak, model=max(0, peak - imported))


def resident_bytes(status: Path = Path("/proc/self/status")) -> tuple[int, int]:
    """Return this process's resident memory now and at its peak, in bytes.

    The kernel's VmHWM belongs to the program; getrusage's ru_maxrss would include its parent.
    """
    lines = dict(line.split(":", 1) for line in status.read_text("ascii").splitlines())
    return int(lines["VmRSS"].split()[0]) * 1024, int(lines["VmHWM"].split()[0]) * 1024


def _live(model: str, clip: str, engine: str, threads: str) -> dict[str, Any]:
    from ..classify.classifier import GenreClassifier

    if engine in _PACKAGES:
        importlib.import_module(_PACKAGES[engine])
    imported_s, (imported, _) = time.monotonic(), resident_bytes()
    classifier = GenreClassifier.load(model, threads=int(threads), engine=engine)
    loaded_s, (loaded, _) = time.monotonic(), resident_bytes()
    classifier.classify(clip)
    predicted_s = time.monotonic()
    for _ in range(_REPEATS - 1):
        classifier.classify(clip)
    _, peak = resident_bytes()
    return {
        "imported_s": imported_s,
        "loaded_s": loaded_s,
        "predicted_s": predicted_s,
        "imported": imported,
        "loaded": loaded,
        "peak": peak,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_live(*sys.argv[1:])) + "\n")
