"""Machine: what this computer is, told without importing any package that might crash on it."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np

# Import name -> distributions that provide it, the usual one first.
PACKAGES = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino"),
    "ai_edge_litert": ("ai-edge-litert",),
    "tflite_runtime": ("tflite-runtime",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-aarch64"),
    "scipy": ("scipy",),
    "soundfile": ("soundfile",),
    "sounddevice": ("sounddevice",),
    "pyarrow": ("pyarrow",),
}
# Word of /proc/cpuinfo -> the name that people use, for what speeds inference up.
_FEATURES = {
    "neon": "NEON",
    "asimd": "NEON",
    "asimdhp": "fp16",
    "asimddp": "dotprod",
    "i8mm": "i8mm",
    "sve": "SVE",
    "sse4_1": "SSE4.1",
    "avx": "AVX",
    "f16c": "F16C",
    "fma": "FMA",
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx_vnni": "AVX-VNNI",
    "avx512_vnni": "AVX-512 VNNI",
    "amx_int8": "AMX",
}
# (implementer, part) of /proc/cpuinfo -> core: 64-bit ARM kernels give no model name.
_ARM_CORES = {
    ("0x41", "0xb76"): "ARM1176",
    ("0x41", "0xc07"): "Cortex-A7",
    ("0x41", "0xd03"): "Cortex-A53",
    ("0x41", "0xd04"): "Cortex-A35",
    ("0x41", "0xd05"): "Cortex-A55",
    ("0x41", "0xd07"): "Cortex-A57",
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd0b"): "Cortex-A76",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd40"): "Neoverse-V1",
    ("0x41", "0xd49"): "Neoverse-N2",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A computer and the Python that runs on it.

    Parameters
    ----------
    genrekit, python, numpy : str
        Versions; genrekit's is "unknown" where it is run without being installed.
    executable : str
        Path of the Python interpreter; in figures for others, its name alone.
    virtual_environment, externally_managed : bool
        Whether this Python is one, and whether its distribution forbids pip (PEP 668).
    system : str
        Kernel and C library, as `platform.platform()` gives them.
    architecture : str
        Of the kernel: x86_64, aarch64, armv7l.
    word_bits : int
        Of Python, 32 or 64: a 32-bit system may run on a 64-bit kernel.
    board : str or None
        Model of a single-board computer.
    cpu : str
    cpu_features : tuple of str
        Those that speed inference up: NEON, dotprod, AVX2, AVX-512 VNNI, ...
    cores : int
        That this process may use.
    governor : str or None
        How the first core's clock is chosen.
    memory_bytes, memory_available_bytes : int or None
    packages : dict of str to str
        Version of each installed optional package, by its import name.
    """

    genrekit: str
    python: str
    numpy: str
    executable: str
    virtual_environment: bool
    externally_managed: bool
    system: str
    architecture: str
    word_bits: int
    board: str | None
    cpu: str
    cpu_features: tuple[str, ...]
    cores: int
    governor: str | None
    memory_bytes: int | None
    memory_available_bytes: int | None
    packages: dict[str, str]

    @property
    def arm(self) -> bool:
        """Whether the processor is an ARM."""
        return self.architecture.startswith(("arm", "aarch64"))

    @property
    def numpy_major(self) -> int:
        """Major version of NumPy."""
        return int(self.numpy.split(".")[0])


def describe_machine(root: str | os.PathLike[str] = "/") -> Machine:
    """Look at this computer.

    Parameters
    ----------
    root : path-like
        Where `proc` and `sys` are.
    """
    base = Path(root)
    cpuinfo = _read(base / "proc/cpuinfo")
    memory = dict(_pairs(_read(base / "proc/meminfo")))
    return Machine(
        genrekit=_version("genrekit") or "unknown",
        python=platform.python_version(),
        numpy=np.__version__,
        executable=sys.executable,
        virtual_environment=sys.prefix != sys.base_prefix,
        externally_managed=(
            sys.prefix == sys.base_prefix
            and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists()
        ),
        system=platform.platform(),
        architecture=platform.machine(),
        word_bits=8 * struct.calcsize("P"),
        board=_read(base / "proc/device-tree/model").strip("\0\n ") or None,
        cpu=parse_cpu_model(cpuinfo) or platform.processor() or "unknown",
        cpu_features=parse_cpu_features(cpuinfo),
        cores=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        governor=_read(base / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()
        or None,
        memory_bytes=_kibibytes(memory.get("MemTotal")),
        memory_available_bytes=_kibibytes(memory.get("MemAvailable")),
        packages={
            name: version
            for name, distributions in PACKAGES.items()
            if (version := next(filter(None, map(_version, distributions)), None))
        },
    )


def measured_machine() -> Machine:
    """Describe this machine for figures that others read: without where its Python lies."""
    machine = describe_machine()
    return dataclasses.replace(machine, executable=Path(machine.executable).name)


def parse_cpu_model(cpuinfo: str) -> str | None:
    """Return the processor's name from the text of /proc/cpuinfo.

    A 64-bit ARM kernel gives numbers for each core; kinds of cores are joined with " + ".
    """
    names: list[str] = []
    implementer = ""
    for key, value in _pairs(cpuinfo):
        if key == "model name" and not value.startswith("ARM"):
            return value
        if key == "CPU implementer":
            implementer = value
        if key == "CPU part":
            name = _ARM_CORES.get((implementer, value), f"ARM {implementer}/{value}")
            if name not in names:
                names.append(name)
    return " + ".join(names) or None


def parse_cpu_features(cpuinfo: str) -> tuple[str, ...]:
    """Return the instruction sets that matter here, from the text of /proc/cpuinfo."""
    words = {
        word
        for key, value in _pairs(cpuinfo)
        if key in ("flags", "Features")
        for word in value.split()
    }
    return tuple(dict.fromkeys(name for word, name in _FEATURES.items() if word in words))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            yield key.strip(), value.strip()


def _read(path: Path) -> str:
    """Return the text of a kernel file, or nothing where there is none."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _kibibytes(value: str | None) -> int | None:
    return int(value.split()[0]) * 1024 if value else None


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
