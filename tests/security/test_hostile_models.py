"""Models from strangers, through every command that loads one, watched by an audit hook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile

from genrekit.artifact.container import Artifact, write_artifact

from .hostile_graphs import HOSTILE_ONNX, HOSTILE_TFLITE, rebuilt_tflite

WATCHED = Path(__file__).with_name("watched.py")
SCRATCH = tempfile.TemporaryDirectory(prefix="genrekit-watched-")  # for the commands' own files


def watched(commands: list[list[str]]) -> list[dict[str, Any]]:
    """Run commands in one process of their own under the audit hook."""
    result = subprocess.run(
        [sys.executable, WATCHED],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "TMPDIR": SCRATCH.name},
    )
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    noise = np.random.default_rng(0).standard_normal(4 * 22_050)
    soundfile.write(path, 0.1 * noise, 22_050)
    return path


def commands_for(model: Path, song: Path) -> list[list[str]]:
    """Every command that loads a model."""
    return [
        ["classify", str(song), "--model", str(model)],
        ["classify", str(song), "--model", str(model), "--engine", "numpy"],
        ["verify", str(model)],
        ["bench", str(model), "--force"],
        ["listen", "--model", str(model), "--input", str(song), "--fast"],
    ]


def check_refusals(models: list[Path], song: Path) -> None:
    """Every command refuses every model in one line, with nothing opened but model and song."""
    commands = [command for model in models for command in commands_for(model, song)]
    outcomes = watched(commands)
    assert len(outcomes) == len(commands)
    for number, outcome in enumerate(outcomes):
        model, what = models[number // len(commands_for(song, song))], commands[number]
        assert outcome["status"] == 1, (what, outcome)
        assert outcome["stdout"] == "", (what, outcome)
        assert outcome["stderr"].startswith(f"genrekit: {model}: "), (what, outcome)
        assert outcome["stderr"].count("\n") == 1, (what, outcome)
        assert outcome["engines"] == [], (what, "an engine was loaded")
        assert outcome["tried"] == [], (what, outcome)
        assert set(outcome["started"]) <= {"uname"}, (what, outcome)  # by Python's platform
        foreign = {name for name in outcome["opened"] if not is_pythons_own(name)}
        assert foreign <= {str(model), str(song)}, (what, foreign)


def is_pythons_own(name: str) -> bool:
    """Tell whether a file belongs to Python, its packages, this package, or the kernel."""
    roots = [*sys.path, sys.base_prefix, sys.prefix, str(WATCHED.parents[2])]
    roots += ["/proc/", "/sys/", "/etc/os-release"]  # what machine this is
    roots += [SCRATCH.name, os.devnull]
    return any(name.startswith(root) for root in roots if root)


def folder_of(root: Path, spoil: Callable[..., None]) -> Path:
    """Make a folder for one model; where its spoiled paths point, files are there."""
    folder = root / spoil.__name__
    folder.mkdir()
    for place in (folder, root):
        (place / "secret.bin").write_bytes(bytes(4_096))
    return folder


def test_hostile_onnx_models_are_refused_before_any_engine(
    artifact: Artifact, song: Path, tmp_path: Path
) -> None:
    models = []
    for spoil, _ in HOSTILE_ONNX:
        model = onnx.load_from_string(artifact.model)
        spoil(model)
        path = folder_of(tmp_path, spoil) / "model.onnx"
        write_artifact(path, model.SerializeToString(), artifact.card)
        models.append(path)
    check_refusals(models, song)


def test_hostile_tflite_models_are_refused_before_any_engine(
    tflite_artifact: Artifact, song: Path, tmp_path: Path
) -> None:
    models = []
    for spoil, _ in HOSTILE_TFLITE:
        path = folder_of(tmp_path, spoil) / "model.tflite"
        model = rebuilt_tflite(spoil, tflite_artifact.model)
        write_artifact(path, model, tflite_artifact.card)
        models.append(path)
    check_refusals(models, song)


def test_sound_models_run_without_a_socket_a_pickle_or_another_file(
    artifact: Artifact, tflite_artifact: Artifact, song: Path, tmp_path: Path
) -> None:
    models = [artifact.path, tflite_artifact.path]
    out = tmp_path / "out.jsonl"
    commands = [
        command
        for model in models
        for command in commands_for(model, song)
        if command[0] != "bench"  # which starts processes, to time a cold start
    ]
    commands += [
        ["classify", str(song), "--model", str(models[0]), "--out", str(out)],
        ["features", str(song), "--kind", "tabular", "--out", str(tmp_path / "features.json")],
        ["inspect", str(models[0])],
        ["doctor"],
    ]
    for command, outcome in zip(commands, watched(commands), strict=True):
        # A machine without a microphone is a problem that doctor reports.
        assert outcome["status"] == 0 or command == ["doctor"], (command, outcome)
        assert "Traceback" not in outcome["stderr"], (command, outcome)
        assert outcome["tried"] == [], (command, outcome)
        # Doctor looks for PortAudio, and ctypes finds libraries with ldconfig.
        allowed = {"uname", sys.executable, *(["/sbin/ldconfig"] if command == ["doctor"] else [])}
        assert set(outcome["started"]) <= allowed, (command, outcome)
        foreign = {name for name in outcome["opened"] if not is_pythons_own(name)}
        ours = {str(song), *map(str, models)}
        assert {name for name in foreign if not name.startswith(str(tmp_path))} <= ours, command


def test_the_hook_sees_sockets_pickles_and_files() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import watched\n"
        "sys.addaudithook(watched.watch)\n"
        "import io, pickle, socket, contextlib\n"
        "for act in (socket.socket, lambda: pickle.loads(pickle.dumps(print)), "
        "lambda: open('/etc/hostname')):\n"
        "    with contextlib.suppress(PermissionError, pickle.UnpicklingError): act()\n"
        "print(watched.tried, '/etc/hostname' in watched.opened)\n"
    )
    command = [sys.executable, "-c", program, str(WATCHED.parent)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.stdout == "['socket.__new__', 'pickle.find_class'] True\n", result.stderr
