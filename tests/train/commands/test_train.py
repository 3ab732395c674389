from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from genrekit.errors import ConfigError
from genrekit.train.commands import data, train
from genrekit.train.runs.run import Run


def _call(*words: object) -> int | None:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers(required=True)
    data.data(subparsers)
    train.train(subparsers)
    args = parser.parse_args([str(word) for word in words])
    result: int | None = args.run(args)
    return result


def test_parsing_imports_neither_framework_nor_numpy() -> None:
    code = (
        "import argparse, sys; from genrekit.train.commands import data, train;"
        "s = argparse.ArgumentParser().add_subparsers(); data.data(s); train.train(s);"
        "print([m for m in ('torch', 'tensorflow', 'numpy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_check_exits_0_when_clean_and_1_with_findings(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _call("data", "check", songs) == 0
    assert "nothing found" in capsys.readouterr().out
    for genre in ("a", "b"):
        (tmp_path / genre).mkdir()
        for i in range(3):
            (tmp_path / genre / f"{i}.wav").write_bytes(b"junk")
    assert _call("data", "check", tmp_path, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert {finding["kind"] for finding in report["findings"]} == {"unreadable"}
    assert report["duration_s"] is None


def test_train_fills_a_run_and_tells_its_scores(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    _call("train", songs, "--model", "mlp", "--out", run, "--epochs", 2, "--seed", 4, "--jobs", 1)
    out = capsys.readouterr().out
    assert "test accuracy" in out
    assert "of n=3 tracks (95 % interval" in out
    settings = Run.load(run).settings
    assert settings.seed == 4
    assert settings.hyperparameters.epochs == 2
    assert settings.hyperparameters.mixup == 0.2  # the model's own, where nothing was said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give one of DATA"),
        (("songs", "--features", "t.csv"), "give one of DATA"),
        (("songs", "--image-recipe", "plain"), "goes with --images"),
        (("songs", "--epochs", "0"), "epochs=0"),
        (("songs", "--seed", "-1"), "seed=-1"),
    ],
)
def test_wrong_usage_is_one_clear_line(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _call("train", *words, "--model", "mlp", "--out", "nowhere")


def test_an_unknown_model_names_those_that_there_are(songs: Path) -> None:
    with pytest.raises(ConfigError, match="must be one of resnet18, "):
        _call("train", songs, "--model", "hmm", "--out", "nowhere")


def test_the_real_table_trains_on_the_filtered_split(
    gtzan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _call(
        *("train", "--features", gtzan / "features_30_sec.csv", "--model", "mlp"),
        *("--split", "filtered", "--splits-dir", gtzan / "splits"),
        *("--out", tmp_path / "run", "--epochs", 6),
    )
    assert "fault- and artist-filtered, 443/197/290 tracks" in capsys.readouterr().out
    accuracy = Run.load(tmp_path / "run").metrics.test.scores.accuracy
    assert accuracy.n == 290
    # An SVC on the same table and split reaches 0.528; an untrained model 0.1.
    assert accuracy.value is not None
    assert accuracy.value > 0.4


def test_plain_pictures_give_a_run_that_says_it_cannot_be_deployed(
    gtzan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pictures"
    for genre in ("blues", "metal"):
        (folder / genre).mkdir(parents=True)
        for i in range(4):
            name = f"{genre}.{i:05d}.png"
            (folder / genre / name).symlink_to(gtzan / "spectrograms" / genre / name)
    _call(
        *("train", "--images", folder, "--model", "resnet18", "--out", tmp_path / "run"),
        *("--epochs", 1, "--crops-per-track", 1),
    )
    assert "cannot be fed from audio" in capsys.readouterr().out
    run = Run.load(tmp_path / "run")
    assert not run.settings.deployable
    assert run.windows(run.tracks("test")[0]).shape == (1, 1, 128, 128)
