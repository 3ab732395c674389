"""`genrekit doctor`: each known ailment, and the command that mends it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from genrekit.bench.machine.hardware import Machine, describe_machine
from genrekit.commands.diagnostics import (
    Problem,
    find_problems,
    microphone_problems,
    pip_install,
    probe_imports,
)
from genrekit.commands.main import main

PI_4 = Machine(
    genrekit="0.1.0",
    python="3.11.2",
    numpy="2.3.1",
    executable="/home/pi/env/bin/python",
    virtual_environment=True,
    externally_managed=False,
    system="Linux-6.6.51+rpt-rpi-v8-aarch64-with-glibc2.36",
    architecture="aarch64",
    word_bits=64,
    board="Raspberry Pi 4 Model B Rev 1.4",
    cpu="Cortex-A72",
    cpu_features=("NEON",),
    cores=4,
    governor="ondemand",
    memory_bytes=4 << 30,
    memory_available_bytes=3 << 30,
    packages={
        "onnxruntime": "1.23.0",
        "ai_edge_litert": "2.1.0",
        "soundfile": "0.13.1",
        "sounddevice": "0.5.2",
    },
)
PIP = "/home/pi/env/bin/python -m pip install"


def with_packages(**versions: str | None) -> Machine:
    packages = {**PI_4.packages, **versions}
    kept = {name: version for name, version in packages.items() if version is not None}
    return dataclasses.replace(PI_4, packages=kept)


def test_a_healthy_pi_has_no_problem() -> None:
    assert find_problems(PI_4, {}) == ()


@pytest.mark.parametrize(
    ("machine", "what", "mend"),
    [
        (
            with_packages(onnxruntime="1.21.0"),
            "illegal instruction",
            f"{PIP} 'onnxruntime>=1.18,!=1.21.0'",
        ),
        (with_packages(onnxruntime="1.17.3"), "older than 1.18", f"{PIP} 'onnxruntime>=1.18'"),
        (with_packages(ai_edge_litert="1.0.1"), "older than 1.2", f"{PIP} 'ai-edge-litert>=1.2'"),
        (
            with_packages(ai_edge_litert=None, tflite_runtime="2.14.0"),
            "works with NumPy 1 only, this is 2.3.1",
            f"{PIP} ai-edge-litert",
        ),
        (
            dataclasses.replace(
                with_packages(ai_edge_litert=None, tflite_runtime="2.14.0", onnxruntime=None),
                word_bits=32,
                architecture="armv7l",
            ),
            "works with NumPy 1 only",
            f"{PIP} 'numpy<2'",
        ),
        (dataclasses.replace(PI_4, numpy="1.23.5"), "older than 1.24", f"{PIP} 'numpy>=1.24'"),
        (dataclasses.replace(PI_4, numpy="1.23rc1"), "older than 1.24", f"{PIP} 'numpy>=1.24'"),
    ],
)
def test_a_bad_version_is_a_problem_with_its_cure(machine: Machine, what: str, mend: str) -> None:
    (problem,) = find_problems(machine, {})
    assert problem.severity == "problem"
    assert what in problem.what
    assert problem.mend == mend


def test_tflite_runtime_harms_nobody_beside_litert_or_numpy_1() -> None:
    assert find_problems(with_packages(tflite_runtime="2.14.0"), {}) == ()
    old = dataclasses.replace(
        with_packages(ai_edge_litert=None, tflite_runtime="2.14.0"), numpy="1.26.4"
    )
    assert find_problems(old, {}) == ()


@pytest.mark.parametrize(
    ("machine", "what", "mend"),
    [
        (with_packages(onnxruntime=None), "no engine for .onnx", f"{PIP} 'genrekit[onnx]'"),
        (with_packages(ai_edge_litert=None), "no engine for .tflite", f"{PIP} 'genrekit[tflite]'"),
        (with_packages(soundfile=None), "no FLAC, OGG or MP3", f"{PIP} 'genrekit[audio]'"),
        (with_packages(sounddevice=None), "no microphone", f"{PIP} 'genrekit[mic]'"),
        (dataclasses.replace(PI_4, governor="powersave"), "lowest clock", "echo ondemand | sudo"),
    ],
)
def test_what_is_missing_or_slow_is_advice(machine: Machine, what: str, mend: str) -> None:
    (problem,) = find_problems(machine, {})
    assert problem.severity == "advice"
    assert what in problem.what
    assert problem.mend.startswith(mend)


def test_a_32_bit_system_is_not_told_to_install_engines_that_do_not_exist() -> None:
    bare = with_packages(onnxruntime=None, ai_edge_litert=None)
    on_64_bit_kernel = dataclasses.replace(bare, word_bits=32)
    (problem,) = find_problems(on_64_bit_kernel, {})
    assert "32-bit system on a 64-bit processor" in problem.what
    assert find_problems(dataclasses.replace(on_64_bit_kernel, architecture="armv7l"), {}) == ()


@pytest.mark.parametrize(
    ("name", "reason", "mend"),
    [
        ("sounddevice", "OSError: PortAudio library not found", "sudo apt install libportaudio2"),
        ("soundfile", "OSError: sndfile library not found", "sudo apt install libsndfile1"),
        (
            "ai_edge_litert",
            "its import dies of SIGILL",
            f"{PIP} --force-reinstall --no-cache-dir ai-edge-litert",
        ),
    ],
)
def test_an_import_that_fails_is_a_problem(name: str, reason: str, mend: str) -> None:
    (problem,) = find_problems(PI_4, {name: reason})
    assert problem == Problem(severity="problem", what=f"{name} does not work: {reason}", mend=mend)


def test_problems_come_before_advice() -> None:
    machine = with_packages(soundfile=None, onnxruntime="1.21.0")
    assert [problem.severity for problem in find_problems(machine, {})] == ["problem", "advice"]


def test_a_python_that_refuses_pip_gets_an_environment() -> None:
    managed = dataclasses.replace(PI_4, externally_managed=True, virtual_environment=False)
    make = "python3 -m venv --system-site-packages ~/genrekit-env && ~/genrekit-env/bin/pip"
    assert pip_install(managed, "genrekit[onnx]") == f"{make} install 'genrekit[onnx]'"
    assert pip_install(managed, "numpy<2") == f"{make} install genrekit 'numpy<2'"


def test_imports_are_tried_for_real() -> None:
    machine = describe_machine()
    failures = probe_imports(machine)
    assert "onnxruntime" not in failures
    assert failures.keys() <= machine.packages.keys()


@pytest.mark.parametrize(
    ("inputs", "cards", "readable", "severities"),
    [
        (1, ["/dev/snd/pcmC1D0c"], True, []),
        (0, ["/dev/snd/pcmC1D0c"], False, ["problem"]),
        (0, [], False, ["advice"]),
    ],
)
def test_a_microphone_that_may_not_be_used_is_told_from_none(
    inputs: int, cards: list[str], readable: bool, severities: list[str]
) -> None:
    found = microphone_problems(inputs, cards, lambda _: readable)
    assert [problem.severity for problem in found] == severities


def test_the_exit_status_is_1_for_problems_only(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"machine", "inputs", "problems"}
    assert set(document["machine"]) == {field.name for field in dataclasses.fields(Machine)}
    severities = {problem["severity"] for problem in document["problems"]}
    assert status == int("problem" in severities)
    assert main(["doctor"]) == status
    text = capsys.readouterr().out
    for problem in document["problems"]:
        assert f"  {problem['mend']}" in text
