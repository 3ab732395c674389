"""Search: targets choose the right candidate, and the whole command works on a small run."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genrekit.artifact.container import read_artifact
from genrekit.bench.paired import Ratio
from genrekit.classify.verification import verify
from genrekit.errors import ConfigError
from genrekit.export.commands.compress import parse_ms, parse_size, register
from genrekit.export.search.candidates import Result
from genrekit.export.search.image_candidates import PLAIN, ImageCandidateFactory, ImageChain
from genrekit.export.search.layer_sensitivity import describe_layers, draw_layers, report_layers
from genrekit.export.search.search import Candidate, Target, choose, frontier, time_all, warnings_of
from genrekit.train.data.datasets import DataSource
from genrekit.train.evaluation.metrics import compare, share
from genrekit.train.hyperparameters import Hyperparameters
from genrekit.train.runs.run import Run
from genrekit.train.runs.trainer import Observer, Plan, train

N = 200


def candidate(
    chain: ImageChain,
    size: int,
    ms: float,
    right: int,
    *,
    float_bytes: int = 1_000,
    gain: float = 2.0,
) -> Candidate:
    said = [0] * right + [1] * (N - right)
    result = Result(
        name=chain.name,
        float_name=chain.float_name,
        steps=chain.steps(1),
        format="onnx",
        bytes=size,
        gzip_bytes=size,
        parameters=1,
        macs=1,
        accuracy=share(right, N),
        paired=compare([0] * N, [0] * 150 + [1] * (N - 150), said),
        rejected=None,
    )
    ratio = Ratio(median=gain, ci95=(0.9 * gain, 1.1 * gain), n=60)
    return Candidate(
        result=result, latency_ms=ms, speedup=ratio, against_float=ratio, float_bytes=float_bytes
    )


FOUND = [
    candidate(PLAIN, 1_000, 8.0, 150, gain=1.0),
    candidate(ImageChain(int8="minmax"), 260, 3.0, 149),
    candidate(ImageChain(int8="qat"), 270, 3.1, 151),
    candidate(ImageChain(pruned=0.5, int8="minmax"), 90, 1.5, 140, float_bytes=300),
    candidate(ImageChain(student="bands", int8="minmax"), 310, 9.9, 100, float_bytes=300, gain=0.5),
]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (Target(size=1_000), "own-qat"),
        (Target(size=265), "own-minmax"),
        (Target(size=100), "own-pruned50-minmax"),
        (Target(latency_ms=2.0), "own-pruned50-minmax"),
        (Target(latency_ms=3.05), "own-minmax"),
        (Target(max_loss=0.0), "own-qat"),
        (Target(max_loss=0.5), "own-minmax"),
        (Target(max_loss=5.0), "own-pruned50-minmax"),
    ],
)
def test_the_target_chooses(target: Target, name: str) -> None:
    assert choose(FOUND, target).result.name == name


def test_an_unreachable_target_says_how_close_one_comes() -> None:
    with pytest.raises(ConfigError, match="smallest has 90 bytes"):
        choose(FOUND, Target(size=80))
    with pytest.raises(ConfigError, match=r"fastest takes 1\.50 ms"):
        choose(FOUND, Target(latency_ms=1.0))


def test_larger_and_slower_candidates_are_warned_of() -> None:
    said = warnings_of(FOUND)
    assert len(said) == 2
    assert all(line.startswith("bands-minmax") for line in said)
    assert "larger" in said[0]
    assert "slower" in said[1]


def test_the_frontier_holds_what_nothing_beats() -> None:
    names = [c.result.name for c in frontier(FOUND)]
    assert names == ["own-pruned50-minmax", "own-minmax", "own-qat"]


@pytest.mark.parametrize(
    ("text", "size"), [("1MB", 1_000_000), ("200kB", 200_000), ("1.5 MiB", 1_572_864), ("77", 77)]
)
def test_sizes_have_units(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_times_have_units_and_nonsense_is_refused() -> None:
    assert parse_ms("2ms") == parse_ms("2") == parse_ms("0.002s") == 2.0
    for parse, text in ((parse_size, "one"), (parse_size, "5 parsecs"), (parse_ms, "2h")):
        with pytest.raises(argparse.ArgumentTypeError):
            parse(text)


def test_two_targets_or_none_are_refused() -> None:
    for given in ({}, {"size": 1, "max_loss": 1.0}, {"size": -1}):
        with pytest.raises(ConfigError, match="exactly one target"):
            Target(**given)


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network trained for two epochs on striped pictures of two genres."""
    folder = tmp_path_factory.mktemp("compress")
    rng = np.random.default_rng(0)
    for genre, row in (("high", 100), ("low", 400)):
        (folder / "pictures" / genre).mkdir(parents=True)
        for index in range(8):
            picture = rng.integers(0, 80, (543, 57), dtype=np.uint8)
            picture[row : row + 60] += 120
            Image.fromarray(picture).save(folder / "pictures" / genre / f"{genre}.{index:05d}.png")
    source = DataSource(
        kind="images", path=str(folder / "pictures"), image_recipe="stft_5s", synthetic=True
    )
    settings = Hyperparameters(
        epochs=2,
        batch_size=6,
        learning_rate=4e-3,
        weight_decay=0.05,
        label_smoothing=0.0,
        mixup=0.0,
        warp=False,
        spec_augment=False,
        crops_per_track=2,
        patience=2,
    )
    plan = Plan(source=source, model="small_cnn", hyperparameters=settings)
    observer = Observer(say=lambda _: None)
    return train(plan, folder / "run", device="cpu", observer=observer).folder


@pytest.mark.slow
def test_the_command_writes_a_verified_artifact_and_keeps_its_candidates(
    small_run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = [
        PLAIN,
        *(ImageChain(int8=way) for way in ("percentile", "qat")),
        ImageChain(student="bands", pruned=0.5, int8="minmax"),
        ImageChain(student="inverted"),
    ]
    monkeypatch.setattr(ImageCandidateFactory, "recipes", lambda _: tried)
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    out = tmp_path / "small.onnx"
    arguments = ["compress", str(small_run), "--out", str(out), "--epochs", "1"]
    args = parser.parse_args([*arguments, "--target-size", "150kB"])
    args.run(args)
    first = capsys.readouterr().out
    assert first.count("McNemar") == len(tried) + 1  # every candidate, and the test tracks
    artifact = read_artifact(out)
    assert artifact.size <= 150_000
    assert verify(artifact).passed
    assert any("pruned" in step for step in artifact.card.compression.steps)
    made = {path: path.stat().st_mtime_ns for path in small_run.glob("compress/*/*/model.onnx")}
    assert len(made) == len(tried)
    picture = tmp_path / "pareto.png"
    args = parser.parse_args(
        ["compress", str(small_run), "--epochs", "1", "--pareto", str(picture)]
    )
    args.run(args)
    with Image.open(picture) as drawn:
        assert drawn.width > 800
    assert made == {path: path.stat().st_mtime_ns for path in made}


def test_a_candidate_is_an_artifact_that_tells_of_the_validation_tracks(small_run: Path) -> None:
    factory = ImageCandidateFactory(Run.load(small_run), 1)
    recipe = ImageChain(int8="minmax")
    result = factory.result(recipe)
    artifact = read_artifact(factory.artifact(recipe))
    assert (result.bytes, result.rejected) == (artifact.size, None)
    told = artifact.card.training.accuracy[0]
    assert told.split.startswith("valid tracks")
    assert (told.accuracy, told.n) == (result.accuracy.value, result.accuracy.n)
    (plain, rounded) = time_all(factory, [PLAIN, recipe])
    assert plain.speedup.median == 1.0
    assert rounded.float_bytes == plain.result.bytes > rounded.result.bytes


def test_the_layer_report_names_every_convolution(small_run: Path, tmp_path: Path) -> None:
    factory = ImageCandidateFactory(Run.load(small_run), 1)
    report = report_layers(factory, lambda _: None)
    assert [row.layer for row in report.rows][:2] == ["stem.0", "blocks.0.conv1"]
    assert len(report.rows) == 7
    assert all(row.sqnr_db > 10.0 for row in report.rows)
    assert "blocks.1.conv2" in describe_layers(report)
    draw_layers(report, tmp_path / "layers.png")
    with Image.open(tmp_path / "layers.png") as drawn:
        assert drawn.width > 800
