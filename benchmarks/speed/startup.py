"""Start-up: from nothing to the first genre, beside what a start costs at least and otherwise.

`python -m genrekit.benchmarks.speed.startup --model resnet18_int8.onnx` classifies one clip in
fresh processes, in turn: `import numpy, onnxruntime` alone, which no program on ONNX Runtime can
beat; `genrekit classify` with the model in the wheel and with each given one; and a script of
librosa and PyTorch with a ResNet18. Ratios are of processes in the same round.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import resource
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from genrekit.artifact.packaged import choose_model
from genrekit.bench.cold_start import fresh_environment
from genrekit.bench.machine.foreign_load import check_quiet
from genrekit.bench.machine.hardware import Machine, measured_machine
from genrekit.bench.paired import Latency, Ratio, run_rounds
from genrekit.classify.reference import reference_signal
from genrekit.documents import write_document
from genrekit.errors import EngineError, GenreKitError

IMPORTS = "import numpy, onnxruntime"
SCRIPT = "librosa + torch script"

_CLIP_S, _CLIP_RATE = 3, 44_100
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# The kernel's own record of this program's peak; getrusage's would include the parent's pages.
_PEAK = """
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1])
"""
_CLASSIFY = """\
import sys
from genrekit.commands.main import run_process
sys.argv[1:] = ["classify", sys.argv[1], "--model", sys.argv[2]]
if run_process():
    sys.exit(1)
"""
_LIBROSA_AND_TORCH = """\
import sys
import librosa
import torch
import torchvision

samples, rate = librosa.load(sys.argv[1], sr=22_050)
level = librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=rate))
network = torchvision.models.resnet18(num_classes=10)
network.conv1 = torch.nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
network.load_state_dict(torch.load(sys.argv[2], weights_only=True))
network.eval()
with torch.inference_mode():
    print(int(network(torch.from_numpy(level)[None, None]).argmax()))
"""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """One program, from the start of its process to the end.

    Parameters
    ----------
    name : str
        `IMPORTS`, a model's file name, or `SCRIPT`.
    wall, cpu : Latency
        Time on the clock, and of the processor: user and system, all threads.
    by_imports, by_imports_cpu : Ratio
        Its time by that of `IMPORTS` in the same round.
    script_by, script_by_cpu : Ratio
        The time of `SCRIPT` by its own: how many times faster it is.
    peak_bytes : int
        Most resident memory; the median over processes.
    """

    name: str
    wall: Latency
    cpu: Latency
    by_imports: Ratio
    by_imports_cpu: Ratio
    script_by: Ratio
    script_by_cpu: Ratio
    peak_bytes: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Startup:
    """All programs of one sitting, on one machine."""

    kind: Literal["genrekit-startup"] = "genrekit-startup"
    schema: int = 1
    machine: Machine
    clip_s: int
    starts: tuple[Start, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Life:
    wall_s: float
    cpu_s: float
    peak_bytes: int


def measure(models: Sequence[Path], *, processes: int, force: bool = False) -> Startup:
    """Start every program `processes` times, in turn.

    Parameters
    ----------
    models : sequence of Path
        .onnx artifacts, besides the model in the wheel.
    processes : int
        At least 1, for each program.
    force : bool
        On a busy machine, too.

    Raises
    ------
    ConfigError
        If the machine is busy.
    EngineError
        If a program fails; with its last line.
    """
    machine = measured_machine()
    check_quiet(machine.cores, force=force)
    with tempfile.TemporaryDirectory() as folder:
        clip, weights = Path(folder) / "clip.wav", Path(folder) / "resnet18.pt"
        _write_clip(clip)
        _write_weights(weights)
        programs: dict[str, tuple[str, tuple[Path, ...]]] = {IMPORTS: (f"{IMPORTS}\n", ())}
        for model in (choose_model(None), *models):
            programs[model.name] = (_CLASSIFY, (clip, model.resolve()))
        programs[SCRIPT] = (_LIBROSA_AND_TORCH, (clip, weights))
        tasks = {
            name: functools.partial(_start, name, program + _PEAK, arguments)
            for name, (program, arguments) in programs.items()
        }
        lives = run_rounds(tasks, rounds=processes, warmup=1)
    wall = {name: np.array([life.wall_s for life in lives[name]]) for name in lives}
    cpu = {name: np.array([life.cpu_s for life in lives[name]]) for name in lives}
    starts = tuple(
        Start(
            name=name,
            wall=Latency.of(wall[name]),
            cpu=Latency.of(cpu[name]),
            by_imports=Ratio.of(wall[name], wall[IMPORTS]),
            by_imports_cpu=Ratio.of(cpu[name], cpu[IMPORTS]),
            script_by=Ratio.of(wall[SCRIPT], wall[name]),
            script_by_cpu=Ratio.of(cpu[SCRIPT], cpu[name]),
            peak_bytes=int(np.median([life.peak_bytes for life in lives[name]])),
        )
        for name in lives
    )
    return Startup(machine=machine, clip_s=_CLIP_S, starts=starts)


def render(found: Startup) -> str:
    """Lay the result out as a Markdown table."""
    lines = [
        "| program | wall ms | CPU ms | by imports | CPU | script by it | CPU | peak MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for start in found.starts:
        ratios = (start.by_imports, start.by_imports_cpu, start.script_by, start.script_by_cpu)
        cells = (
            start.name,
            f"{start.wall.p50_ms:.0f}",
            f"{start.cpu.p50_ms:.0f}",
            *(f"{r.median:.2f} ({r.ci95[0]:.2f} to {r.ci95[1]:.2f})" for r in ratios),
            f"{start.peak_bytes / 1e6:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _write_clip(path: Path) -> None:
    samples = reference_signal(_CLIP_S * _CLIP_RATE, _CLIP_RATE)
    whole = np.clip(samples * 32_767, -32_768, 32_767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, _CLIP_RATE, 0, "NONE", ""))
        file.writeframes(np.repeat(whole, 2).tobytes())


def _write_weights(path: Path) -> None:
    """Write a ResNet18 as the script reads it; what it says does not matter to its speed."""
    import torch
    import torchvision

    network = torchvision.models.resnet18(num_classes=10)
    network.conv1 = torch.nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    torch.save(network.state_dict(), path)


def _start(name: str, program: str, arguments: Sequence[Path]) -> _Life:
    environment = fresh_environment(**dict.fromkeys(_THREADS, "1"))
    command = [sys.executable, "-c", program, *map(str, arguments)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True, env=environment)  # noqa: S603 - ours
    wall_s = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(f"{name}: a fresh process failed: {reason:.300}")
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return _Life(wall_s, cpu_s, 1024 * int(result.stdout.split()[-1]))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return 0, or 1 if a program fails."""
    parser = argparse.ArgumentParser(prog="python -m genrekit.benchmarks.speed.startup")
    parser.add_argument(
        "--model", action="append", type=Path, default=[], metavar="M", help="an .onnx artifact"
    )
    parser.add_argument(
        "--processes", type=int, default=9, metavar="N", help="per program (default: 9)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result")
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, too")
    args = parser.parse_args(argv)
    try:
        found = measure(args.model, processes=args.processes, force=args.force)
        if args.json:
            write_document(args.json, found)
    except (GenreKitError, OSError) as error:
        sys.stderr.write(f"startup: {error}\n")
        return 1
    sys.stdout.write(render(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
