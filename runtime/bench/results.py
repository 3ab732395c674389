"""Bench document: what `genrekit bench --json` writes, as dataclasses that read it back strictly.

`benchmarks/README.md` describes every member; a change of meaning raises `SCHEMA_VERSION`.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final, Literal

from ..artifact.sections import Accuracy
from ..documents import read_document
from .cold_start import ColdStart, Memory
from .graph_cost.mac_count import Operations
from .graph_cost.matmul_ceiling import Ceiling
from .graph_cost.operator_profile import OperatorTime
from .machine.hardware import Machine
from .paired import Latency, Ratio
from .sustained_load import Sustained

KIND: Final = "genrekit-bench"
SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """Under which circumstances was measured.

    Parameters
    ----------
    threads : int
        Of one inference, but in `threads` of a model.
    blas_threads : str
        What the environment tells NumPy's linear algebra; "default" where nothing.
    pinned_core : int or None
        Core on which `engine` and the ceilings were measured.
    load_before, load_during : float or None
        Share of all cores that other processes used, 0..1.
    forced : bool
        Measured although the machine was busy.
    warnings : tuple of str
    """

    threads: int
    blas_threads: str
    pinned_core: int | None
    load_before: float | None
    load_during: float | None
    forced: bool
    warnings: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SingleStream:
    """MLPerf's scenario "single stream": one clip after another, each from its file.

    Parameters
    ----------
    audio_s : float
        Length of the clip.
    windows : int
        That it holds.
    decode, resample, features, inference, total : Latency
    realtime_factor : float
        Median time of `total` by the clip's length; below 1 is faster than the music.
    total_percentiles_ms, inference_percentiles_ms : tuple of float, length 101
        Percentiles 0, 1, ... 100, for plots.
    """

    audio_s: float
    windows: int
    decode: Latency
    resample: Latency
    features: Latency
    inference: Latency
    total: Latency
    realtime_factor: float
    total_percentiles_ms: tuple[float, ...]
    inference_percentiles_ms: tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """So many windows given to the engine at once."""

    windows: int
    latency: Latency
    windows_per_s: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Offline:
    """MLPerf's scenario "offline": everything is there at once, only the throughput counts.

    Parameters
    ----------
    audio_s : float
        Length of a long clip.
    windows : int
    total : Latency
        From file to genres.
    windows_per_s : float
        Of that, by the median.
    realtime_factor : float
    batches : tuple of Batch
        The engine alone; one entry of one window where the model has a fixed batch of 1.
    """

    audio_s: float
    windows: int
    total: Latency
    windows_per_s: float
    realtime_factor: float
    batches: tuple[Batch, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ThreadPoint:
    """The engine alone on one window, with so many threads."""

    threads: int
    latency: Latency


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Efficiency:
    """How close to the machine's limit the engine runs this model, on one thread of one core.

    Parameters
    ----------
    operations : Operations
    macs_per_s : float
        `operations.macs` by the median of `engine`.
    ceiling : Ceiling
        Of the same engine and arithmetic, measured in the same rounds.
    share : float
        `macs_per_s / ceiling.macs_per_s`. Above 1 where an engine skips zeros among the weights,
        or where NumPy's products used several cores.
    """

    operations: Operations
    macs_per_s: float
    ceiling: Ceiling
    share: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ModelBench:
    """Everything measured of one model, and what its card says of it.

    Parameters
    ----------
    model : str
        Its file name; unique in the document.
    name, architecture : str
    format, engine : str
    model_sha256 : str
    bytes, gzip_bytes : int
        Of the file, card included.
    source_bytes : int
        Of the file that it was compressed from, as the card says; 0 if of none.
    compression : tuple of str
        Steps.
    accuracy : tuple of Accuracy
        Measured at export time.
    agreement : float or None
        Share of `agreement_n` tracks with the same label before and after compression.
    agreement_n : int
    cold_start : ColdStart
    memory : Memory
    single_stream : SingleStream
    offline : Offline
    engine_alone : Latency
        One window through the engine, one thread, pinned, in rounds with the other models and
        the ceilings; caches are warm.
    threads : tuple of ThreadPoint
        Empty where the engine does not choose its threads.
    efficiency : Efficiency
    sustained : Sustained or None
    profile : tuple of OperatorTime
        Empty unless asked for.
    """

    model: str
    name: str
    architecture: str
    format: Literal["onnx", "tflite"]
    engine: str
    model_sha256: str
    bytes: int
    gzip_bytes: int
    source_bytes: int
    compression: tuple[str, ...]
    accuracy: tuple[Accuracy, ...]
    agreement: float | None
    agreement_n: int
    cold_start: ColdStart
    memory: Memory
    single_stream: SingleStream
    offline: Offline
    engine_alone: Latency
    threads: tuple[ThreadPoint, ...]
    efficiency: Efficiency
    sustained: Sustained | None
    profile: tuple[OperatorTime, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Speedup:
    """How many times faster than the first model, from pairs of the same round.

    Parameters
    ----------
    model, first : str
    engine_alone, total : Ratio
        Time of the first by that of this model.
    """

    model: str
    first: str
    engine_alone: Ratio
    total: Ratio


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class BenchDocument:
    """All of one `genrekit bench`."""

    kind: Literal["genrekit-bench"] = KIND
    schema: int = SCHEMA_VERSION
    created: str
    machine: Machine
    conditions: Conditions
    models: tuple[ModelBench, ...]
    speedups: tuple[Speedup, ...]


def read_bench(path: Path) -> BenchDocument:
    """Read a document from a file; raises as `read_document`."""
    return read_document(path, BenchDocument, command="genrekit bench --json")
