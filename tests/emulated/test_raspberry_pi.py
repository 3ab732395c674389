"""The wheel on emulated Raspberry Pis: what x86 computes, they compute."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.specifiers import SpecifierSet

DEFAULT_MODEL = Path(__file__).parents[2] / "runtime" / "artifact" / "models" / "default.onnx"
GOLDEN = Path(__file__).parents[1] / "golden"
GENRES = ("classical", "metal", "pop", "jazz")

pytestmark = [pytest.mark.arm64, pytest.mark.timeout(1_800)]


def here(*arguments: object) -> str:
    """Run the command line on this machine."""
    command = [sys.executable, "-m", "genrekit", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def song(gtzan: Path) -> Path:
    return gtzan / "genres_original" / "jazz" / "jazz.00000.wav"


def test_features_equal_this_machines(pi: Any, song: Path) -> None:
    mine = json.loads(here("features", song, "--kind", "mfcc"))
    its = json.loads(pi.genrekit("features", song, "--kind", "mfcc"))
    np.testing.assert_allclose(its["frames"], mine["frames"], atol=1e-3)


def test_the_57_features_equal_this_machines(pi: Any, song: Path) -> None:
    mine = json.loads(here("features", song, "--kind", "tabular"))
    its = json.loads(pi.genrekit("features", song, "--kind", "tabular"))
    np.testing.assert_allclose(list(its.values()), list(mine.values()), rtol=1e-4, atol=1e-6)


def test_the_default_model_verifies_with_the_engine_that_the_board_has(pi: Any) -> None:
    engines = ("onnxruntime", "numpy") if pi.board.wheels else ("numpy",)
    for engine in engines:
        out = pi.genrekit("verify", DEFAULT_MODEL, "--engine", engine, "--json")
        assert json.loads(out)["engine"] == engine


def test_golden_artifacts_of_both_formats_verify_with_every_engine(pi: Any) -> None:
    engines = {"tiny.onnx": ["numpy"], "tiny.tflite": ["numpy"]}
    if pi.board.wheels:
        engines = {"tiny.onnx": ["onnxruntime", "numpy"], "tiny.tflite": ["litert", "numpy"]}
    for model, names in engines.items():
        for engine in names:
            out = pi.genrekit("verify", GOLDEN / model, "--engine", engine, "--json")
            assert json.loads(out)["engine"] == engine


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both models of the trunk, trained for an epoch and exported as a user would."""
    folder = tmp_path_factory.mktemp("exported")
    here("data", "synth", folder / "songs", "--tracks-per-genre", 10, "--duration", 6)
    models = {"onnxruntime": folder / "resnet18_int8.onnx", "litert": folder / "mlp_pruned.tflite"}
    for name, model in zip(("resnet18", "mlp"), models.values(), strict=True):
        here("train", folder / "songs", "--model", name, "--epochs", 1, "--out", folder / name)
        here("export", folder / name, "--out", model)
    return models


def test_exported_models_verify_and_classify(
    pi: Any, exported: dict[str, Path], song: Path
) -> None:
    engines = exported if pi.board.wheels else {"numpy": exported["litert"]}
    for engine, model in engines.items():
        out = pi.genrekit("verify", model, "--engine", engine, "--json")
        assert json.loads(out)["engine"] == engine
        mine = json.loads(here("classify", song, "--model", model, "--json"))
        its = json.loads(
            pi.genrekit("classify", song, "--model", model, "--engine", engine, "--json")
        )
        expected = {item["label"]: item["probability"] for item in mine["ranking"]}
        for item in its["ranking"]:
            assert item["probability"] == pytest.approx(expected[item["label"]], abs=0.05)


def test_songs_get_the_label_that_they_get_here(pi: Any, gtzan: Path) -> None:
    songs = [gtzan / "genres_original" / genre / f"{genre}.00001.wav" for genre in GENRES]
    mine = [json.loads(line) for line in here("classify", *songs, "--json").splitlines()]
    its = [json.loads(line) for line in pi.genrekit("classify", *songs, "--json").splitlines()]
    # Another engine rounds int8 otherwise: where two genres are level, either may come first.
    for ours, theirs in zip(mine, its, strict=True):
        probability = {item["label"]: item["probability"] for item in ours["ranking"]}
        for item in theirs["ranking"]:
            assert item["probability"] == pytest.approx(probability[item["label"]], abs=0.05)
        if ours["ranking"][0]["probability"] - ours["ranking"][1]["probability"] > 0.1:
            assert theirs["label"] == ours["label"]


def test_a_board_teaches_itself_what_this_machine_teaches(pi: Any, tmp_path: Path) -> None:
    here("data", "synth", tmp_path / "all", "--tracks-per-genre", 2, "--duration", 4)
    songs = tmp_path / "songs"
    for genre in ("jazz", "metal"):
        shutil.copytree(tmp_path / "all" / genre, songs / genre)
    taught = {}
    for name, run in (("here", here), ("there", pi.genrekit)):
        out = tmp_path / f"{name}.onnx"
        told = json.loads(run("teach", songs, "--out", out, "--engine", "numpy", "--json"))
        assert (told["songs"], told["left_out"]) == (4, [])
        taught[name] = told["estimate"]["confusion"]
        assert json.loads(run("verify", out, "--engine", "numpy", "--json"))["passed"]
    assert taught["there"] == taught["here"]
    # What the board taught is the same model on this machine.
    for song in sorted((tmp_path / "all").glob("[jm]*/*.wav")):
        mine, its = (
            {r["label"]: r["probability"] for r in json.loads(told)["ranking"]}
            for told in (
                here("classify", song, "--model", tmp_path / f"{name}.onnx", "--json")
                for name in ("here", "there")
            )
        )
        assert its == pytest.approx(mine, abs=0.02)


def test_doctor_describes_the_board(pi: Any) -> None:
    machine = json.loads(pi.genrekit("doctor", "--json", status=None))
    assert pi.board.machine in json.dumps(machine)


def test_a_streams_frames_equal_the_files(pi: Any) -> None:
    program = (
        "import numpy as np\n"
        "from genrekit.features.config import FeatureConfig\n"
        "from genrekit.features.kinds import extract\n"
        "from genrekit.classify.streams import FrameStream\n"
        "x = (0.1 * np.random.default_rng(0).standard_normal(30_000)).astype(np.float32)\n"
        "c = FeatureConfig(top_db=None)\n"
        "s = FrameStream('log_mel', c)\n"
        "parts = [s.push(x[i:i + 777]) for i in range(0, len(x), 777)] + [s.flush()]\n"
        "parts = np.concatenate(parts)\n"
        "whole = np.concatenate([s.push(x), s.flush()])\n"
        "print((parts == whole).all(), np.abs(parts - extract('log_mel', x, c)).max())"
    )
    identical, difference = pi.python("-c", program).split()
    assert identical == "True"
    assert float(difference) <= 1e-3


def test_the_newer_python_runs_the_same_wheel(trixie: Any, song: Path) -> None:
    program = (
        "import importlib.metadata as m, json, sys\n"
        "(script,) = m.entry_points(group='console_scripts', name='genrekit')\n"
        "print(json.dumps([sys.version_info[:2], m.metadata('genrekit')['Requires-Python'],\n"
        "    m.requires('genrekit'), m.metadata('genrekit').get_all('Classifier'),\n"
        "    script.load().__name__]))"
    )
    version, bound, requires, classifiers, entry = json.loads(trixie.python("-c", program))
    assert version == [3, 13]
    assert SpecifierSet(bound).contains(trixie.board.python)
    assert f"Programming Language :: Python :: {trixie.board.python}" in classifiers
    assert "numpy>=1.24" in requires
    assert entry == "run_process"
    for engine in ("onnxruntime", "numpy"):
        out = trixie.genrekit("verify", DEFAULT_MODEL, "--engine", engine, "--json")
        assert json.loads(out)["engine"] == engine
    assert json.loads(trixie.genrekit("classify", song, "--json"))["label"]
    machine = json.loads(trixie.genrekit("doctor", "--json", status=None))["machine"]
    assert machine["python"].startswith("3.13.")
    assert {"onnxruntime", "ai_edge_litert"} <= set(machine["packages"])
