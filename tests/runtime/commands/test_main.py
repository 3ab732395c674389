"""The command line, as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrekit.commands.main import BUILT_IN, EXTRAS, GROUP, main
from genrekit.features.tabular import FEATURE_NAMES


@pytest.fixture
def song(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "song.wav"
    soundfile.write(path, 0.1 * rng.standard_normal(4 * 22_050), 22_050)
    return path


def test_every_other_command_says_which_extra_it_needs() -> None:
    assert set(EXTRAS) == {command.name for command in entry_points(group=GROUP)}


def test_classify_prints_one_json_object_per_file_and_never_stops(
    model_path: Path, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = song.with_name("bad.wav")
    bad.write_bytes(b"RIFF")
    assert (
        main(["classify", str(song), str(bad), str(song), "--model", str(model_path), "--json"])
        == 1
    )
    first, failed, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["label"] == last["label"] == first["ranking"][0]["label"]
    assert set(first) == {
        "file", "label", "probability",
        "reason", "ranking", "segments", "duration_s", "model", "latency_ms",
    }  # fmt: skip
    assert set(first["segments"][0]) == {"start_s", "end_s", "label", "probability"}
    assert failed.keys() == {"file", "error"}
    assert "bad.wav" in failed["error"]


def test_classify_prints_for_people(
    model_path: Path, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(song), "--model", str(model_path), "--segments"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{song}: ")
    assert "0.00 ..    3.00 s" in out


@pytest.mark.parametrize("suffix", ["npy", "csv", "json"])
def test_features_writes_every_format(song: Path, suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"mfcc.{suffix}"
    assert main(["features", str(song), "--kind", "mfcc", "--n-mfcc", "20", "--out", str(out)]) == 0
    if suffix == "npy":
        values = np.load(out, allow_pickle=False)
    elif suffix == "csv":
        values = np.loadtxt(out, delimiter=",", skiprows=1)
    else:
        document = json.loads(out.read_text())
        assert document["config"]["n_mfcc"] == 20
        values = np.array(document["frames"])
    assert values.shape == (1 + 4 * 22_050 // 512, 20)


def test_tabular_is_one_object_of_kaggles_names(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["features", str(song), "--kind", "tabular"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == list(FEATURE_NAMES)


def test_inspect_and_verify(model_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(model_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == ["blues", "classical", "disco"]
    assert main(["inspect", str(model_path)]) == 0
    assert "blues, classical, disco" in capsys.readouterr().out
    assert main(["verify", str(model_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True
    assert main(["verify", str(model_path)]) == 0
    assert "verified with onnxruntime" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", "/nonexistent/model.onnx"],
        ["verify", "{song}"],
        ["features", "{song}", "--kind", "mfcc", "--n-mels", "0"],
        ["features", "{song}", "--kind", "mfcc", "--out", "x.txt"],
        ["features", "{song}", "--kind", "mfcc", "--out", "/proc/none/x.npy"],
        ["classify", "{song}", "--model", "{song}"],
    ],
)
def test_a_users_error_is_one_line_and_exit_status_1(
    arguments: list[str], song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(song=song) for word in arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("genrekit: ")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("command", [[], *([name] for name in BUILT_IN)])
def test_help_has_examples(command: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "genrekit", *command, "--help"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "example" in result.stdout


def test_wrong_usage_exits_with_2() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["classify", "--no-such-option"])
    assert caught.value.code == 2
