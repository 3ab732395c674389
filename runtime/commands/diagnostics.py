"""Problems: what on a machine keeps genrekit from working well, and the command that mends it."""

from __future__ import annotations

import dataclasses
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from ..bench.machine.hardware import Machine

_PROBE_S = 60.0  # an engine's import from a slow SD card
# Packages whose import is tried, in a process of its own: a wheel for another processor dies
# with an illegal instruction, and some need a C library that pip does not install.
PROBED = ("onnxruntime", "ai_edge_litert", "soundfile", "sounddevice")
_LIBRARIES = {"soundfile": "libsndfile1", "sounddevice": "libportaudio2"}
_EXTRAS = {"onnxruntime": "onnx", "ai_edge_litert": "tflite"}
_LITERT_PYTHONS = ((3, 10), (3, 14))  # that have wheels, for 64 bits
_ONNXRUNTIME_PYTHONS = ((3, 11), (3, 14))


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What is wrong, or could be better.

    Parameters
    ----------
    severity : {"problem", "advice"}
        A problem breaks something that is installed; advice tells what is missing or slow.
    what : str
    mend : str
        A command for a shell.
    """

    severity: Literal["problem", "advice"]
    what: str
    mend: str


def find_problems(machine: Machine, failures: Mapping[str, str]) -> tuple[Problem, ...]:
    """Judge a machine.

    Parameters
    ----------
    machine : Machine
    failures : mapping of str to str
        Why the import of a package fails, by its import name; see `probe_imports`.

    Returns
    -------
    tuple of Problem
        Problems first.
    """
    found = [
        *_bad_versions(machine),
        *_failed_imports(machine, failures),
        *_missing(machine),
        *_slow(machine),
    ]
    return tuple(sorted(found, key=lambda problem: problem.severity != "problem"))


def pip_install(machine: Machine, *requirements: str) -> str:
    """Return the command that installs requirements into this Python.

    A distribution's own Python, as on Raspberry Pi OS, refuses pip: the command makes a virtual
    environment beside it.
    """
    if machine.externally_managed and not any("genrekit" in name for name in requirements):
        requirements = ("genrekit", *requirements)
    wanted = " ".join(shlex.quote(requirement) for requirement in requirements)
    if machine.externally_managed:
        folder = "~/genrekit-env"
        return (
            f"python3 -m venv --system-site-packages {folder} && {folder}/bin/pip install {wanted}"
        )
    return f"{shlex.quote(machine.executable)} -m pip install {wanted}"


def probe_imports(machine: Machine) -> dict[str, str]:
    """Import each installed package of `PROBED` in a process of its own; return what fails."""
    return {
        name: reason
        for name in PROBED
        if name in machine.packages and (reason := _probe(name)) is not None
    }


def _probe(name: str) -> str | None:
    try:
        result = subprocess.run(  # noqa: S603 - this interpreter, a name from PROBED
            [sys.executable, "-c", f"import {name}"],
            capture_output=True,
            text=True,
            timeout=_PROBE_S,
        )
    except subprocess.TimeoutExpired:
        return f"its import takes over {_PROBE_S:.0f} s"
    except OSError:  # no second process here, such as under an emulator: not tried
        return None
    if result.returncode < 0:
        return f"its import dies of {signal.Signals(-result.returncode).name}"
    if result.returncode:
        return (result.stderr.strip().splitlines() or ["its import fails"])[-1][:200]
    return None


def _bad_versions(machine: Machine) -> Iterator[Problem]:
    def problem(what: str, *requirements: str) -> Problem:
        return Problem(severity="problem", what=what, mend=pip_install(machine, *requirements))

    if _version(machine.numpy) < (1, 24):
        yield problem(f"NumPy {machine.numpy} is older than 1.24", "numpy>=1.24")
    onnxruntime = machine.packages.get("onnxruntime")
    if onnxruntime == "1.21.0":
        yield problem(
            "onnxruntime 1.21.0 dies with an illegal instruction on a Raspberry Pi",
            "onnxruntime>=1.18,!=1.21.0",
        )
    elif onnxruntime and _version(onnxruntime) < (1, 18):
        yield problem(f"onnxruntime {onnxruntime} is older than 1.18", "onnxruntime>=1.18")
    litert = machine.packages.get("ai_edge_litert")
    if litert and _version(litert) < (1, 2):
        yield problem(f"ai-edge-litert {litert} is older than 1.2", "ai-edge-litert>=1.2")
    tflite = machine.packages.get("tflite_runtime")
    if tflite and not litert and machine.numpy_major >= 2:
        has_litert = _has_wheel(machine, _LITERT_PYTHONS)
        yield problem(
            f"tflite-runtime {tflite} works with NumPy 1 only, this is {machine.numpy}",
            "ai-edge-litert" if has_litert else "numpy<2",
        )


def _failed_imports(machine: Machine, failures: Mapping[str, str]) -> Iterator[Problem]:
    for name, reason in failures.items():
        library = _LIBRARIES.get(name)
        if library and "not found" in reason:
            mend = f"sudo apt install {library}"
        else:
            package = name.replace("_", "-")
            mend = pip_install(machine, "--force-reinstall", "--no-cache-dir", package)
        yield Problem(severity="problem", what=f"{name} does not work: {reason}", mend=mend)


def _missing(machine: Machine) -> Iterator[Problem]:
    def advice(what: str, requirement: str) -> Problem:
        return Problem(severity="advice", what=what, mend=pip_install(machine, requirement))

    for name, pythons in (
        ("onnxruntime", _ONNXRUNTIME_PYTHONS),
        ("ai_edge_litert", _LITERT_PYTHONS),
    ):
        extra = _EXTRAS[name]
        others = name == "ai_edge_litert" and {"tflite_runtime", "tensorflow"} & set(
            machine.packages
        )
        if name not in machine.packages and not others and _has_wheel(machine, pythons):
            yield advice(
                f"no engine for .{extra} models: NumPy runs them, slower", f"genrekit[{extra}]"
            )
    if machine.word_bits == 32 and machine.architecture in ("aarch64", "x86_64"):
        yield Problem(
            severity="advice",
            what=(
                "a 32-bit system on a 64-bit processor: engines have wheels for 64 bits only, so "
                "NumPy runs the models; install the 64-bit system"
            ),
            mend="rpi-imager  # choose 'Raspberry Pi OS (64-bit)'",
        )
    if "soundfile" not in machine.packages:
        yield advice("no soundfile: WAV and .au only, no FLAC, OGG or MP3", "genrekit[audio]")
    if "sounddevice" not in machine.packages:
        yield advice("no sounddevice: no microphone for 'genrekit listen'", "genrekit[mic]")


def _slow(machine: Machine) -> Iterator[Problem]:
    if machine.arm and machine.governor == "powersave":
        governors = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
        yield Problem(
            severity="advice",
            what="the processor is kept at its lowest clock (governor powersave)",
            mend=f"echo ondemand | sudo tee {governors}",
        )


def _has_wheel(machine: Machine, pythons: tuple[tuple[int, int], tuple[int, int]]) -> bool:
    """Tell whether the index has a wheel for this Python and these 64 bits."""
    first, last = pythons
    return machine.word_bits == 64 and first <= _version(machine.python) <= last


def _version(text: str) -> tuple[int, int]:
    """Return major and minor of versions such as 1.24.0, 2.0rc1 or 1.18."""
    numbers = [int(number) for number in re.findall(r"\d+", text)[:2]]
    major, minor = (*numbers, 0, 0)[:2]
    return major, minor


def microphone_problems(
    inputs: int, sound_devices: list[str], readable: Callable[[str], bool]
) -> Iterator[Problem]:
    """Judge what `sounddevice` sees.

    Parameters
    ----------
    inputs : int
        How many it sees.
    sound_devices : list of str
        The kernel's capture devices, `/dev/snd/pcmC*c`.
    readable : callable
        Whether this user may read one of them.
    """
    if inputs:
        return
    if sound_devices and not any(map(readable, sound_devices)):
        yield Problem(
            severity="problem",
            what="there is a microphone, but this user may not use it",
            mend='sudo usermod -aG audio "$USER"  # then log in again',
        )
    else:
        yield Problem(
            severity="advice",
            what="no microphone is plugged in",
            mend="arecord -l  # lists what the kernel sees; plug one in until it shows",
        )
