"""Peers: the same work by what a user would otherwise pick.

`python -m genrekit.benchmarks.peers.comparison RUN FP32.onnx INT8.onnx --songs FOLDER` classifies
the first window of each song by every way that runs here: this kit; librosa with PyTorch, eager
and compiled; librosa with ONNX Runtime in float32, dynamically quantized, and with XNNPACK;
librosa with LiteRT and with ExecuTorch; torchaudio's features. All ways have the same weights and
take the same samples, in turn in one process for the latencies and each in processes of its own
for cold start and memory. What another package wants to read (`peer_conversions`) is made before.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from genrekit.arrays import Float32, Int64
from genrekit.audio.decoding import load_audio
from genrekit.bench.cold_start import fresh_environment
from genrekit.bench.machine.foreign_load import check_quiet
from genrekit.bench.machine.hardware import measured_machine
from genrekit.bench.paired import Latency, Ratio, fitting_rounds, run_rounds, time_rounds
from genrekit.documents import timestamp, write_document
from genrekit.errors import DataError, DependencyError, EngineError, GenreKitError
from genrekit.train.data.datasets import audio_source, open_dataset
from genrekit.train.evaluation.metrics import share
from genrekit.train.runs.run import Run

from ..footprint.install_size import installed_bytes, versions
from .conversions import CONVERSIONS
from .pipelines import PIPELINES, Model
from .results import PeerResult, PeersDocument

_BUDGET_S = 5.0  # per way
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return 0, or 1 if an input cannot be used."""
    args = _parser().parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as folder:
            model = Model(run=args.run, fp32=args.fp32, int8=args.int8, converted=Path(folder))
            document = measure(model, args.songs, processes=args.processes, force=args.force)
        if args.json:
            write_document(args.json, document)
    except (GenreKitError, OSError) as error:
        sys.stderr.write(f"peers: {error}\n")
        return 1
    sys.stdout.write(render(document))
    return 0


def measure(model: Model, songs: Path, *, processes: int, force: bool = False) -> PeersDocument:
    """Measure every way that runs here; the first is this kit's int8 artifact.

    Parameters
    ----------
    model : Model
    songs : Path
        `<genre>/<song>`, of genres that the model knows, unseen in training.
    processes : int
        For each way.
    force : bool
        On a busy machine, too.

    Raises
    ------
    ConfigError, DataError, EngineError, FileError
        If the machine is busy, or a file cannot be used.
    """
    machine = measured_machine()
    check_quiet(machine.cores, force=force)
    run = Run.load(model.run)
    clips, truth = _read_clips(run, songs)
    failures = _convert(model)
    ready, absent = {}, {}
    for name, way in PIPELINES.items():
        if way.file in failures:
            absent[name] = failures[way.file]
            continue
        try:
            ready[name] = way.load(model)
        except (DependencyError, EngineError) as error:
            absent[name] = " ".join(str(error).split())
    tasks = {name: functools.partial(task, clips[0]) for name, task in ready.items()}
    warm = sum(float(values[0]) for values in time_rounds(tasks, rounds=1, warmup=2).values())
    seconds = time_rounds(tasks, rounds=fitting_rounds(warm, budget_s=_BUDGET_S * len(tasks)))
    said = {name: np.array([int(task(c).argmax()) for c in clips]) for name, task in ready.items()}
    lives = _fresh_processes(list(ready), model, clips[0], processes)
    first = next(iter(ready))
    results = tuple(
        PeerResult(
            name=name,
            packages=versions(PIPELINES[name].packages),
            install_bytes=installed_bytes(PIPELINES[name].packages),
            model_bytes=model.file(PIPELINES[name].file).stat().st_size,
            latency=Latency.of(seconds[name]),
            ratio=None if name == first else Ratio.of(seconds[name], seconds[first]),
            cold_start=Latency.of(np.array([life[0] for life in lives[name]])),
            peak_bytes=int(np.median([life[1] for life in lives[name]])),
            accuracy=share(int((said[name] == truth).sum()), len(truth)),
            agreement=float((said[name] == said[first]).mean()),
        )
        for name in ready
    )
    window_s = run.representation.windowing.window_s
    return PeersDocument(
        created=timestamp(),
        machine=machine,
        work=f"{run.settings.model} on {window_s:g} s of samples, one thread",
        results=results,
        absent=absent,
    )


def render(document: PeersDocument) -> str:
    """Lay the results out as a Markdown table."""
    lines = [
        "| way | p50 ms | time by the first's | cold start s | peak MiB | install MB | right |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for result in document.results:
        ratio = result.ratio
        relative = ""
        if ratio is not None:
            relative = f"{ratio.median:.2f} ({ratio.ci95[0]:.2f} to {ratio.ci95[1]:.2f})"
        value = result.accuracy.value
        lines.append(
            f"| {result.name} | {result.latency.p50_ms:.2f} | {relative} "
            f"| {result.cold_start.p50_ms / 1e3:.2f} | {result.peak_bytes / 2**20:.0f} "
            f"| {result.install_bytes / 1e6:.0f} | {'' if value is None else f'{value:.1%}'} |"
        )
    if document.absent:
        lines.append("")
    lines += [f"not here: {name}: {reason}" for name, reason in document.absent.items()]
    return "\n".join(lines) + "\n"


def _read_clips(run: Run, songs: Path) -> tuple[list[Float32], Int64]:
    size, rate = run.representation.window_samples, run.representation.features.sample_rate
    clips, truth = [], []
    for track in open_dataset(audio_source(songs)).tracks:
        if track.genre not in run.labels:
            raise DataError(f"{track.path}: the model does not know the genre {track.genre!r}")
        samples = load_audio(track.path, rate).samples[:size]
        if len(samples) == size:
            clips.append(np.ascontiguousarray(samples))
            truth.append(run.labels.index(track.genre))
    if not clips:
        raise DataError(f"{songs}: no song is as long as a window")
    return clips, np.array(truth)


def _convert(model: Model) -> dict[str, str]:
    """Make the files of other packages; return why one could not be made, by its name."""
    failures = {}
    for name in CONVERSIONS:
        command = [sys.executable, "-m", "genrekit.benchmarks.peers.conversions", name]
        command += [str(path) for path in (model.run, model.fp32, model.converted / name)]
        result = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - ours
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
            failures[name] = f"{reason:.200}"
    return failures


def _fresh_processes(
    names: list[str], model: Model, clip: Float32, processes: int
) -> dict[str, list[tuple[float, int]]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.npy"
        np.save(path, clip, allow_pickle=False)
        tasks = {name: functools.partial(_start, name, model, path) for name in names}
        return run_rounds(tasks, rounds=processes, warmup=1)


def _start(name: str, model: Model, clip: Path) -> tuple[float, int]:
    """Return seconds to the first prediction, and the peak of memory, of a fresh process."""
    command = [sys.executable, "-m", "genrekit.benchmarks.peers.pipelines", name]
    command += [str(path) for path in (model.run, model.fp32, model.int8, model.converted, clip)]
    environment = fresh_environment(**dict.fromkeys(_THREADS, "1"))
    start = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True, env=environment)  # noqa: S603 - ours
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(f"{name}: a fresh process failed: {reason:.300}")
    told = json.loads(result.stdout.splitlines()[-1])
    return told["predicted_s"] - start, told["peak"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m genrekit.benchmarks.peers.comparison",
        description="Compare this kit with what a user would otherwise pick. Set "
        "OMP_NUM_THREADS=1, so that no library uses more than one thread.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder of an image model")
    parser.add_argument("fp32", type=Path, metavar="FP32.onnx", help="exported from it")
    parser.add_argument("int8", type=Path, metavar="INT8.onnx", help="exported from it")
    parser.add_argument("--songs", type=Path, required=True, help="unseen, a folder per genre")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here, too")
    parser.add_argument(
        "--processes", type=int, default=3, metavar="N", help="cold starts per way (default: 3)"
    )
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
