"""The wheel on fresh machines: bare, with each engine, and with the older NumPy."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrekit.artifact.container import Artifact

ROOT = Path(__file__).parents[2]
FOLDERS = ("runtime", "train", "export", "benchmarks")

pytestmark = pytest.mark.slow

Machine = Callable[..., Path]


def call(*command: object, status: int = 0) -> str:
    """Run a command outside the checkout; return its output, or its errors if it must fail."""
    result = subprocess.run(
        [str(word) for word in command], cwd="/", capture_output=True, text=True
    )
    assert result.returncode == status, result.stdout + result.stderr
    return result.stderr if status else result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def machine(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return a function that installs the wheel alone into an empty environment."""

    def make(extra: str, *requirements: str) -> Path:
        folder = tmp_path_factory.mktemp(f"machine-{extra or 'bare'}")
        venv.create(folder, with_pip=True)
        target = f"{wheel}[{extra}]" if extra else str(wheel)
        call(folder / "bin/pip", "install", "--quiet", target, *requirements)
        return folder / "bin"

    return make


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, 0.1 * rng.standard_normal(3 * 22_050), 22_050)
    return path


@pytest.fixture(scope="module")
def bare(machine: Machine) -> Path:
    return machine("")


def test_the_wheel_holds_the_tree_and_nothing_of_the_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    tree = {
        path.relative_to(ROOT)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in {".py", ".onnx", ".css", ".j2", ".js", ".typed"}
    }
    expected = {
        "genrekit/" + "/".join(path.parts[1:] if path.parts[0] == "runtime" else path.parts)
        for path in tree
    }
    assert names == expected


def test_a_bare_machine_has_numpy_alone(bare: Path) -> None:
    listed = json.loads(call(bare / "pip", "list", "--format", "json"))
    assert {item["name"] for item in listed} - {"pip", "setuptools"} == {"genrekit", "numpy"}


def test_a_bare_machine_inspects_and_computes_features(
    bare: Path, artifact: Artifact, song: Path
) -> None:
    assert "blues, classical, disco" in call(bare / "genrekit", "inspect", artifact.path)
    values = json.loads(call(bare / "genrekit", "features", song, "--kind", "tabular"))
    assert len(values) == 57


def test_a_missing_extra_is_one_line_with_the_install_command(bare: Path, tmp_path: Path) -> None:
    for command, extra in ((["data", "synth", tmp_path / "x"], "train"),):
        out = call(bare / "genrekit", *command, status=1)
        assert f'pip install "genrekit[{extra}]"' in out
        assert out.count("\n") == 1
    assert "classify" in call(bare / "genrekit", "--help")


def test_onnx_runtime_and_numpy_classify_and_verify(
    machine: Machine, artifact: Artifact, song: Path
) -> None:
    tools = machine("onnx")
    assert "verified with onnxruntime" in call(tools / "genrekit", "verify", artifact.path)
    out = call(tools / "genrekit", "classify", song, "--model", artifact.path, "--json")
    assert json.loads(out)["label"] in artifact.card.labels


def test_litert_and_numpy_classify_and_verify(
    machine: Machine, tflite_artifact: Artifact, song: Path
) -> None:
    tools = machine("tflite")
    assert "verified with litert" in call(tools / "genrekit", "verify", tflite_artifact.path)
    out = call(tools / "genrekit", "classify", song, "--model", tflite_artifact.path, "--json")
    assert json.loads(out)["label"] in tflite_artifact.card.labels


def test_the_older_numpy_gives_the_same_features(
    machine: Machine, bare: Path, artifact: Artifact, song: Path
) -> None:
    if sys.version_info >= (3, 13):
        pytest.skip("NumPy 1 has no wheels for this Python")
    older = machine("onnx", "numpy<2")
    assert call(older / "python", "-c", "import numpy; print(numpy.__version__)").startswith("1.")
    for kind in ("tabular", "mfcc", "log_mel"):
        values = [
            json.loads(call(tools / "genrekit", "features", song, "--kind", kind))
            for tools in (bare, older)
        ]
        if kind == "tabular":
            newer_row, older_row = (np.array(list(value.values())) for value in values)
            np.testing.assert_allclose(older_row, newer_row, rtol=2e-4, atol=1e-6)
        else:
            newer_rows, older_rows = (np.array(value["frames"]) for value in values)
            np.testing.assert_allclose(older_rows, newer_rows, atol=1e-3)
    assert "verified" in call(older / "genrekit", "verify", artifact.path)
