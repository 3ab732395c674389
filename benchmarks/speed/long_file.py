"""Long file: the peak memory and the speed of `genrekit classify` on hours of audio.

`python -m genrekit.benchmarks.speed.long_file --hours 10 --model M` makes a WAV of silence that
takes no room on the disk, classifies it in a process of its own, and exits with 1 over 150 MB.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from genrekit.bench.machine.hardware import Machine, measured_machine
from genrekit.documents import write_document
from genrekit.errors import ConfigError, EngineError, GenreKitError

MAX_PEAK_BYTES = 150_000_000
_MAX_DATA_BYTES = 2**32 - 37  # of a WAV, whose sizes have 32 bits

_PROGRAM = """\
import sys
from genrekit.commands.main import main
status = main(["classify", sys.argv[1], "--model", sys.argv[2], "--json"])
if status:
    sys.exit(status)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1], file=sys.stderr)
"""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LongFile:
    """What classifying one long file took.

    Parameters
    ----------
    audio_s, wall_s : float
        Length of the file, and of the process from its start to its end.
    peak_bytes : int
        Most resident memory of the process, Python and engine included.
    windows : int
        Predictions in its answer.
    """

    kind: Literal["genrekit-long-file"] = "genrekit-long-file"
    schema: int = 1
    machine: Machine
    model: str
    sample_rate: int
    audio_s: float
    wall_s: float
    peak_bytes: int
    windows: int

    @property
    def passed(self) -> bool:
        """Whether the memory stayed within its bound."""
        return self.peak_bytes <= MAX_PEAK_BYTES


def write_silence(path: Path, seconds: float, sample_rate: int) -> None:
    """Write a mono 16-bit WAV of silence whose samples are a hole in the file.

    Raises
    ------
    ConfigError
        If a WAV cannot be so long.
    """
    size = 2 * round(seconds * sample_rate)
    if not 0 < size <= _MAX_DATA_BYTES:
        raise ConfigError(
            f"{seconds / 3600:g} h at {sample_rate} Hz: a WAV holds up to "
            f"{_MAX_DATA_BYTES / 2 / sample_rate / 3600:.1f} h"
        )
    numbers = ((16, 4), (1, 2), (1, 2), (sample_rate, 4), (2 * sample_rate, 4), (2, 2), (16, 2))
    layout = b"".join(number.to_bytes(width, "little") for number, width in numbers)
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + layout
    with path.open("wb") as file:
        file.write(head + b"data" + size.to_bytes(4, "little"))
        file.truncate(file.tell() + size)


def measure(model: Path, hours: float, sample_rate: int) -> LongFile:
    """Classify so many hours in a process of its own.

    Raises
    ------
    ConfigError
        If a WAV cannot be so long.
    EngineError
        If the process fails; with its last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "long.wav"
        write_silence(song, hours * 3600, sample_rate)
        start = time.perf_counter()
        result = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", _PROGRAM, str(song), str(model)], capture_output=True, text=True
        )
        wall_s = time.perf_counter() - start
    if result.returncode:
        raise EngineError((result.stderr.strip().splitlines() or ["the process failed"])[-1])
    answer = json.loads(result.stdout)
    return LongFile(
        machine=measured_machine(),
        model=model.name,
        sample_rate=sample_rate,
        audio_s=answer["duration_s"],
        wall_s=wall_s,
        peak_bytes=int(result.stderr.split()[-1]) * 1024,
        windows=len(answer["segments"]),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if the memory was too much."""
    parser = argparse.ArgumentParser(prog="python -m genrekit.benchmarks.speed.long_file")
    parser.add_argument("--hours", type=float, default=10.0, help="of audio (default: 10)")
    parser.add_argument("--rate", type=int, default=44_100, metavar="HZ", help="default: 44100")
    parser.add_argument("--model", type=Path, required=True, help=".onnx or .tflite")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result")
    args = parser.parse_args(argv)
    try:
        found = measure(args.model, args.hours, args.rate)
        if args.json:
            write_document(args.json, found)
    except GenreKitError as error:
        sys.stderr.write(f"long_file: {error}\n")
        return 1
    sys.stdout.write(
        f"{found.audio_s / 3600:.2f} h at {found.sample_rate} Hz in {found.wall_s:.0f} s "
        f"({found.audio_s / found.wall_s:.0f}x real time), {found.windows:,} windows, peak memory "
        f"{found.peak_bytes / 1e6:.1f} MB (bound {MAX_PEAK_BYTES / 1e6:.0f} MB)\n"
    )
    return int(not found.passed)


if __name__ == "__main__":
    sys.exit(main())
