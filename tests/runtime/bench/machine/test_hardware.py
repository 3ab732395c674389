"""What a machine says of itself, from the kernel's own texts of several boards."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from genrekit.bench.machine.hardware import (
    describe_machine,
    measured_machine,
    parse_cpu_features,
    parse_cpu_model,
)

PI_4 = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

Revision\t: c03114
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
PI_5 = PI_4.replace("crc32", "crc32 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp").replace(
    "0xd08", "0xd0b"
)
PI_32 = """\
processor\t: 0
model name\t: ARMv7 Processor rev 3 (v7l)
Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt
CPU implementer\t: 0x41
CPU part\t: 0xd08
"""
PC = """\
processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz
flags\t\t: fpu sse4_1 avx f16c fma avx2 avx512f avx512_vnni
"""


@pytest.mark.parametrize(
    ("cpuinfo", "model", "features"),
    [
        (PI_4, "Cortex-A72", ("NEON",)),
        (PI_5, "Cortex-A76", ("NEON", "fp16", "dotprod")),
        (PI_32, "Cortex-A72", ("NEON",)),
        (
            PC,
            "Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz",
            ("SSE4.1", "AVX", "F16C", "FMA", "AVX2", "AVX-512", "AVX-512 VNNI"),
        ),
        (PI_4 + PI_5, "Cortex-A72 + Cortex-A76", ("NEON", "fp16", "dotprod")),
        ("CPU implementer: 0x61\nCPU part: 0x022\n", "ARM 0x61/0x022", ()),
        ("", None, ()),
    ],
)
def test_processors_are_named_from_cpuinfo(
    cpuinfo: str, model: str | None, features: tuple[str, ...]
) -> None:
    assert parse_cpu_model(cpuinfo) == model
    assert parse_cpu_features(cpuinfo) == features


def test_a_boards_files_are_read_below_a_root(tmp_path: Path) -> None:
    for name, text in {
        "proc/cpuinfo": PI_4,
        "proc/meminfo": "MemTotal:        3884312 kB\nMemAvailable:    3312000 kB\n",
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    machine = describe_machine(tmp_path)
    assert machine.board == "Raspberry Pi 4 Model B Rev 1.4"
    assert machine.cpu == "Cortex-A72"
    assert machine.memory_bytes == 3_884_312 * 1024
    assert machine.memory_available_bytes == 3_312_000 * 1024
    assert machine.governor == "ondemand"


def test_this_machine_is_described_without_its_files_too(tmp_path: Path) -> None:
    machine = describe_machine(tmp_path)
    assert machine.memory_bytes is None
    assert machine.board is None
    assert machine.python == ".".join(map(str, sys.version_info[:3]))
    assert machine.numpy == np.__version__
    assert machine.word_bits == (64 if sys.maxsize > 2**32 else 32)
    assert machine.cores == len(os.sched_getaffinity(0))
    assert machine.packages["onnxruntime"] == importlib.metadata.version("onnxruntime")


def test_describing_imports_no_engine() -> None:
    program = (
        "import sys; from genrekit.bench.machine.hardware import PACKAGES, describe_machine\n"
        "describe_machine(); print(sorted(PACKAGES.keys() & sys.modules.keys()))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_figures_for_others_do_not_say_where_python_lies() -> None:
    assert describe_machine().executable == sys.executable
    assert measured_machine().executable == Path(sys.executable).name
