"""`genrekit doctor`: what this machine is, what is wrong with it, and how to mend it."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..bench.machine.hardware import Machine
    from ..live.microphone import InputDevice
    from .diagnostics import Problem
    from .main import Subparsers

_MIB = 1 << 20
_EPILOG = """\
examples:
  genrekit doctor
  genrekit doctor --json
"""


def register(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "doctor",
        help="check this machine: Python, processor, engines, microphones",
        description=(
            "Describe this machine and, for each problem, print the command that mends it. "
            "Exit status 1 if something that is installed does not work."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what is found; return 1 if there is a problem."""
    from ..bench.machine.hardware import describe_machine
    from .diagnostics import find_problems, probe_imports

    machine = describe_machine()
    failures = probe_imports(machine)
    problems = find_problems(machine, failures)
    devices: tuple[InputDevice, ...] = ()
    if "sounddevice" in machine.packages and "sounddevice" not in failures:
        devices, of_sound = _look_for_microphones()
        problems += of_sound
    if args.json:
        document = {
            "machine": dataclasses.asdict(machine),
            "inputs": [dataclasses.asdict(device) for device in devices],
            "problems": [dataclasses.asdict(problem) for problem in problems],
        }
        print(json.dumps(document))
    else:
        _print_machine(machine, devices)
        _print_problems(problems)
    return int(any(problem.severity == "problem" for problem in problems))


def _look_for_microphones() -> tuple[tuple[InputDevice, ...], tuple[Problem, ...]]:
    import os
    from pathlib import Path

    from ..errors import GenreKitError
    from ..live.portaudio import PortAudio
    from .diagnostics import microphone_problems

    try:
        devices = PortAudio().devices()
    except GenreKitError:
        devices = ()
    cards = [str(path) for path in Path("/dev/snd").glob("pcmC*c")]
    problems = microphone_problems(len(devices), cards, lambda path: os.access(path, os.R_OK))
    return devices, tuple(problems)


def _print_machine(machine: Machine, devices: tuple[InputDevice, ...]) -> None:
    managed = ", managed by the distribution" if machine.externally_managed else ""
    kind = "virtual environment" if machine.virtual_environment else "no virtual environment"
    memory = "unknown"
    if machine.memory_bytes is not None and machine.memory_available_bytes is not None:
        memory = (
            f"{machine.memory_bytes // _MIB:,} MiB, "
            f"{machine.memory_available_bytes // _MIB:,} MiB available"
        )
    engines = ("onnxruntime", "ai_edge_litert", "tflite_runtime", "tensorflow")
    others = [name for name in machine.packages if name not in engines]
    rows = {
        "genrekit": machine.genrekit,
        "python": f"{machine.python}, {machine.word_bits} bits, {kind}{managed}",
        "numpy": machine.numpy,
        "system": machine.system,
        "board": machine.board,
        "processor": f"{machine.cpu}, {machine.cores} cores",
        "features": ", ".join(machine.cpu_features) or "none that matter",
        "governor": machine.governor,
        "memory": memory,
        "engines": _versions(machine, engines) or "none but NumPy",
        "packages": _versions(machine, others),
        "inputs": "; ".join(f"{device.index}: {device.name}" for device in devices),
    }
    for name, value in rows.items():
        if value:
            print(f"{name:<10} {value}")


def _versions(machine: Machine, names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(
        f"{name} {machine.packages[name]}" for name in names if name in machine.packages
    )


def _print_problems(problems: tuple[Problem, ...]) -> None:
    if not problems:
        print("\nno problems")
    for problem in problems:
        print(f"\n{problem.severity}: {problem.what}\n  {problem.mend}")
