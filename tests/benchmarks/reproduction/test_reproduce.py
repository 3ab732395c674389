"""`genrekit reproduce`: cells are kept, leaks are named, what is not run says so."""

from __future__ import annotations

import dataclasses
import json
import wave
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from genrekit.benchmarks.reproduction.analysis.dataset_figures import (
    draw_distances,
    draw_segments,
    draw_views,
)
from genrekit.benchmarks.reproduction.analysis.segment_distances import MEASURES, pairwise
from genrekit.benchmarks.reproduction.collection import open_collection
from genrekit.benchmarks.reproduction.experiments import Bench, average
from genrekit.benchmarks.reproduction.picture_systems import declare_pictures
from genrekit.benchmarks.reproduction.reproduce import plan, reproduce, rows_of
from genrekit.benchmarks.reproduction.rows import Row, markdown, merge, read_rows, write_rows
from genrekit.benchmarks.reproduction.systems import System, declare
from genrekit.benchmarks.reproduction.tables import leak_table, real_table
from genrekit.commands.main import main
from genrekit.errors import ConfigError, DataError, FileError
from genrekit.train.data.protocols import PROTOCOLS
from genrekit.train.evaluation.metrics import compare, wilson_interval
from genrekit.train.evaluation.results import Evaluation, TrackResult
from genrekit.train.evaluation.track_evaluation import evaluation
from genrekit.train.models.registry import ARCHITECTURES

RATE = 22_050
GENRES = ("clicks", "noise", "tones")
FAST = ("features-svm", "features-neighbour")


def _compose(genre: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time = np.arange(7 * RATE) / RATE
    if genre == "noise":
        return 0.2 * rng.standard_normal(len(time))
    if genre == "tones":
        return 0.3 * np.sin(2 * np.pi * rng.uniform(200, 800) * time)
    return (rng.random(len(time)) < 0.001).astype(float)


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of three genres with eight songs of 7 s."""
    folder = tmp_path_factory.mktemp("music")
    for index, genre in enumerate(GENRES):
        (folder / genre).mkdir()
        for track in range(8):
            with wave.open(str(folder / genre / f"{genre}.{track:05d}.wav"), "wb") as file:
                file.setparams((1, 2, RATE, 0, "NONE", ""))
                samples = np.clip(_compose(genre, 100 * index + track), -1, 1)
                file.writeframes((samples * 32_767).astype("<i2").tobytes())
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENREKIT_CACHE", str(tmp_path_factory.getbasetemp() / "reproduce-cache"))


def _bench(music: Path, work: Path, **more: object) -> tuple[Bench, list[str]]:
    said: list[str] = []
    bench = Bench(open_collection(music), declare(32), work, device="cpu", jobs=1, say=said.append)
    return dataclasses.replace(bench, **more), said  # type: ignore[arg-type]  # the values' types vary


def _row(**changes: object) -> Row:
    row = Row(
        system="features-svm",
        title="features -> SVM",
        data="synthetic music: songs, 24 tracks",
        protocol="by track",
        metric="accuracy",
        value=0.5,
        n=10,
        ci95=(0.2, 0.8),
        seeds=(0,),
        report_value=None,
        parameters=100,
        seconds=2.0,
        evaluations=(),
        note="",
    )
    return dataclasses.replace(row, **changes)  # type: ignore[arg-type]  # the values' types vary


def test_every_declaration_names_what_there_is() -> None:
    systems = declare(32)
    names = [system.name for system in systems]
    assert len(set(names)) == len(names)
    for system in systems:
        assert {*system.members, *system.against} <= set(names)
        assert system.report_protocol in PROTOCOLS
        assert bool(system.model) != bool(system.members)
        if system.model:
            assert system.model in ARCHITECTURES
            assert system.hyperparameters.epochs >= 1
            if system.represent:
                assert system.represent().deployable


def test_all_numbers_of_the_report_have_a_row() -> None:
    numbers = {system.report_value for system in declare(32)}
    assert {0.48, 0.50, 0.84, 0.70, 0.42, 0.95, 0.9274, 0.7374, 0.65} <= numbers


def test_the_command_writes_json_and_markdown_with_leaks_named(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", "--data", str(music), "--out", str(tmp_path), "--only", *FAST]
    assert main([*words, "--jobs", "1", "--device", "cpu"]) == 0
    assert "4 of 4 rows measured" in capsys.readouterr().out
    rows = json.loads((tmp_path / "report.json").read_text())
    needed = {"system", "data", "protocol", "metric", "value", "n", "ci95", "seeds"}
    assert all(needed | {"report_value", "parameters", "seconds"} <= row.keys() for row in rows)
    leaky = [row for row in rows if "segment" in row["protocol"]]
    assert len(leaky) == 2
    assert all(row["protocol"].startswith("LEAKY: ") for row in leaky)
    # 24 songs of two segments: a tenth of them judges, and of 24 tracks a quarter.
    assert {row["n"] for row in leaky} == {6}
    assert {row["n"] for row in rows if row not in leaky} == {6}
    text = (tmp_path / "report.md").read_text()
    assert text.count("**LEAKY**: by segment") == 2
    assert [row["system"] for row in rows] == [FAST[0], FAST[0], FAST[1], FAST[1]]


def test_a_finished_cell_is_kept_and_a_changed_one_is_new(music: Path, tmp_path: Path) -> None:
    bench, _ = _bench(music, tmp_path / "runs")
    system = bench.find("features-svm")
    first = bench.outcome(system, "track", 0)
    (folder,) = (tmp_path / "runs").iterdir()
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert bench.outcome(system, "track", 0).test == first.test
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    changed = dataclasses.replace(system, changes={"batch_size": 7})
    bench.outcome(changed, "track", 0)
    bench.outcome(system, "track", 1)
    assert len(list((tmp_path / "runs").iterdir())) == 3


def test_what_cannot_be_done_is_a_row_that_says_why(music: Path, tmp_path: Path) -> None:
    bench, said = _bench(music, tmp_path / "runs")
    (task,) = plan(bench, ["filtered"], ["features-svm"])
    assert task.seeds == (0, 1, 2)
    (row,) = rows_of(bench, task)
    assert row.value is None
    assert row.note.startswith("not run: ")
    assert "train_filtered.txt" in row.note
    assert said[-1].startswith("not run: ")
    assert "| not run |" in markdown([row])


def test_a_run_that_measured_nothing_fails(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", "--data", str(music), "--out", str(tmp_path), "--only", FAST[0]]
    assert main([*words, "--protocol", "filtered", "--jobs", "1"]) == 1
    said = capsys.readouterr()
    assert "0 of 1 rows measured" in said.out
    assert "not run: " in said.err


def test_what_cannot_be_written_ends_the_run_and_is_no_row(music: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").touch()  # where a folder should be
    bench, _ = _bench(music, tmp_path / "runs")
    with pytest.raises(FileError, match="cannot be written"):
        reproduce(bench, plan(bench, ["track"], FAST), tmp_path / "out")
    rows = read_rows(tmp_path / "out" / "report.json")
    assert [row.note for row in rows] == ["not run: not reached"] * 2


def test_songs_that_lists_name_must_be_there(gtzan: Path, tmp_path: Path) -> None:
    # 60 of the songs are here, the lists of the filtered split name 930.
    bench, _ = _bench(gtzan, tmp_path / "runs")
    (task,) = plan(bench, ["filtered"], ["features-svm"])
    (row,) = rows_of(bench, task)
    assert row.value is None
    assert "lacks 8" in row.note


def test_rows_that_were_not_reached_are_written_first(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = _bench(music, tmp_path / "runs")

    def killed(*_: object) -> list[Row]:
        raise KeyboardInterrupt

    monkeypatch.setattr("genrekit.benchmarks.reproduction.reproduce.rows_of", killed)
    with pytest.raises(KeyboardInterrupt):
        reproduce(bench, plan(bench, ["track"], FAST), tmp_path)
    rows = read_rows(tmp_path / "report.json")
    assert [row.note for row in rows] == ["not run: not reached"] * 2


def test_an_ensemble_averages_its_members_and_is_compared_in_pairs(
    music: Path, tmp_path: Path
) -> None:
    both = System(
        name="both", title="both", material="songs", members=FAST, against=("features-svm",)
    )
    bench, _ = _bench(music, tmp_path / "runs", systems=(*declare(32), both))
    (task,) = plan(bench, ["track"], ["both"])
    accuracy, difference = rows_of(bench, task)
    svm, neighbour = (bench.outcome(bench.find(name), "track", 0) for name in FAST)
    mean = {
        one.id: np.mean([one.probabilities, other.probabilities], axis=0).argmax()
        for one, other in zip(svm.test.tracks, neighbour.test.tracks, strict=True)
    }
    truth = [GENRES.index(track.label) for track in svm.test.tracks]
    said = [int(mean[track.id]) for track in svm.test.tracks]
    alone = [GENRES.index(track.predicted) for track in svm.test.tracks]
    assert accuracy.value == np.mean(np.array(said) == truth)
    assert accuracy.parameters == svm.parameters + neighbour.parameters
    assert (difference.metric, difference.value) == (
        "difference to features-svm",
        compare(truth, alone, said).difference,
    )


def test_tracks_that_a_member_did_not_judge_are_left_out() -> None:
    def said(names: str) -> Evaluation:
        return evaluation(
            [
                TrackResult(
                    id=name, label="a", predicted="a", windows=1,
                    probabilities=(0.6, 0.4), logits=(0.4, 0.0),
                )
                for name in names
            ],
            ("a", "b"),
        )  # fmt: skip

    assert [track.id for track in average([said("xyz"), said("zx")], ("a", "b")).tracks] == [
        "x",
        "z",
    ]
    with pytest.raises(DataError, match="no track in common"):
        average([said("x"), said("y")], ("a", "b"))


def test_seeds_are_averaged_and_folds_pooled(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = _bench(music, tmp_path / "runs")
    by_cell = {
        ("track", 0): 0.5,
        ("track", 1): 1.0,
        ("stratified", 0): 2 / 3,
        ("stratified", 1): 1.0,
    }
    real = {cell: bench.outcome(bench.find("features-svm"), *cell) for cell in by_cell}

    def fixed(_: Bench, __: System, split: str, seed: int) -> object:
        outcome = real[split, seed]
        tracks = outcome.test.tracks
        right = round(by_cell[split, seed] * len(tracks))
        changed = [
            dataclasses.replace(track, predicted=track.label if i < right else "nothing")
            for i, track in enumerate(tracks)
        ]
        test = evaluation(changed, (*GENRES, "nothing"))
        return dataclasses.replace(outcome, test=test)

    monkeypatch.setattr(Bench, "outcome", fixed)
    (task,) = plan(bench, ["track"], ["features-svm"])
    task = dataclasses.replace(task, splits=("track", "stratified"), seeds=(0, 1))
    (row,) = rows_of(bench, task)
    # 6 and 3 tracks: (3 + 6) / 2 and (2 + 3) / 2 right on average.
    assert (row.n, row.value) == (9, pytest.approx(7 / 9))
    assert row.ci95 == wilson_interval(7, 9)


def test_what_there_is_no_material_for_is_planned_only_where_it_is_asked_for(
    music: Path, tmp_path: Path
) -> None:
    bench, _ = _bench(music, tmp_path, systems=(*declare(32), *declare_pictures()))
    assert {task.system.material for task in plan(bench, ["track"], [])} == {"songs"}
    assert len(plan(bench, ["track"], [])) == len(declare(32))
    (task,) = plan(bench, ["track"], ["stft-texture"])
    assert "has no stft_5s" in rows_of(bench, task)[0].note


def test_unknown_names_are_refused(music: Path, tmp_path: Path) -> None:
    bench, _ = _bench(music, tmp_path)
    with pytest.raises(ConfigError, match="must be one of report, track, filtered, artist-folds"):
        plan(bench, ["lucky"], [])
    with pytest.raises(DataError, match="must be one of wave-resnet18, "):
        plan(bench, ["track"], ["lucky"])
    with pytest.raises(DataError, match="no such folder"):
        open_collection(tmp_path / "nowhere")


def test_rows_are_merged_by_key_and_kept_in_the_report_s_order(tmp_path: Path) -> None:
    real = _row(data="gtzan: songs, 1000 tracks")
    leaky = _row(protocol="LEAKY: by segment")
    wave_row = _row(system="wave-resnet18", title="wave plot -> ResNet18")
    write_rows(tmp_path, [real, leaky, _row()])
    better = _row(value=0.75)
    order = ["wave-resnet18", "features-svm"]
    merged = merge(read_rows(tmp_path / "report.json"), [better, wave_row], order)
    assert merged == [wave_row, better, leaky, real]
    write_rows(tmp_path, merged)
    assert read_rows(tmp_path / "report.json") == merged


def test_the_log_of_evaluations_is_never_cut(music: Path, tmp_path: Path) -> None:
    bench, _ = _bench(music, tmp_path / "runs")
    (task,) = plan(bench, ["track"], ["features-svm"])
    first = rows_of(bench, task)
    system = dataclasses.replace(task.system, changes={"batch_size": 7})
    second = rows_of(bench, dataclasses.replace(task, system=system))
    (row,) = merge(merge(first, second, []), second, [])
    folders = {path.name for path in (tmp_path / "runs").iterdir()}
    assert len(folders) == 2
    assert {line.partition(" ")[2] for line in row.evaluations} == folders
    assert len(row.evaluations) == 2
    (line,) = (line for line in markdown([row]).splitlines() if line.startswith("| 57 features"))
    assert line.split("|")[8].strip() == "2"


def test_a_model_without_random_choices_is_said_to_have_none(music: Path, tmp_path: Path) -> None:
    bench, _ = _bench(music, tmp_path / "runs")
    (task,) = plan(bench, ["track"], ["features-svm"])
    assert rows_of(bench, task)[0].note == ""
    (row,) = rows_of(bench, dataclasses.replace(task, splits=("track",), seeds=(0, 0)))
    assert row.note == "the same for every seed"


def test_the_short_tables_name_leaks_and_show_what_there_is() -> None:
    leaky = _row(system="features-mlp", protocol="LEAKY: by segment, 70/20/10 (the report's)")
    honest = _row(system="features-mlp", protocol=PROTOCOLS["track"].label, report_value=0.9274)
    filtered = _row(
        system="table-svm", data="gtzan: table, 1000 tracks", protocol=PROTOCOLS["filtered"].label
    )
    table = leak_table([leaky, honest, filtered])
    assert table.splitlines()[2] == (
        "| features -> SVM | 0.9274 | **LEAKY** 0.500 (0.200 to 0.800), n = 10 "
        "| 0.500 (0.200 to 0.800), n = 10 |"
    )
    assert len(table.splitlines()) == 3
    (_, _, line) = real_table([leaky, honest, filtered]).splitlines()
    assert line == "| features -> SVM | 0.500 (0.200 to 0.800), n = 10 |  |  |"
    assert real_table([honest]) == ""


@pytest.mark.parametrize("measure", MEASURES)
def test_distances_are_scipy_s(measure: str) -> None:
    rows = np.random.default_rng(0).standard_normal((20, 57)).astype(np.float32)
    np.testing.assert_allclose(MEASURES[measure](rows), cdist(rows, rows, measure), atol=1e-5)


def test_segments_of_a_track_are_closer_than_tracks_and_tracks_than_genres(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tracks, targets = [], []
    for genre in range(3):
        for _ in range(4):
            centre = 5 * np.eye(3, 57)[genre] + rng.standard_normal(57)
            tracks.append((centre + 0.1 * rng.standard_normal((9, 57))).astype(np.float32))
            targets.append(genre)
    for found in pairwise(tracks, targets, GENRES):
        assert found.same_track < found.same_genre < found.other_genre
        own = np.diag(found.between)
        assert np.mean(own) == pytest.approx(found.same_genre, rel=1e-6)
        draw_distances(found, "synthetic music", tmp_path / f"{found.measure}.png")
        assert (tmp_path / f"{found.measure}.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DataError, match="need two tracks"):
        pairwise(tracks[:5], targets[:5], GENRES)


def test_figures_of_a_track_are_the_same_each_time(tmp_path: Path) -> None:
    samples = _compose("tones", 0).astype(np.float32)
    for draw in (draw_views, draw_segments):
        pictures = []
        for i in range(2):
            draw(samples, "tones.00000", tmp_path / f"{i}.png")
            pictures.append((tmp_path / f"{i}.png").read_bytes())
        assert pictures[0] == pictures[1]


@pytest.mark.slow
def test_systems_become_files_that_classify_songs(music: Path, tmp_path: Path) -> None:
    bench, _ = _bench(music, tmp_path / "runs", export=True)
    names = ["features-trees", "mel-resnet18", "mel-resnet18-torch-int8"]
    quick = tuple(
        dataclasses.replace(s, changes={**s.changes, "epochs": 2}) if s.name == names[1] else s
        for s in bench.systems
    )
    bench = dataclasses.replace(bench, systems=quick)
    by_system = {t.system.name: rows_of(bench, t) for t in plan(bench, ["track"], names)}
    for name in names[:2]:
        assert by_system[name][1].metric == "genrekit classify: same label as in training"
        assert by_system[name][1].value == 1.0
    metrics = {row.metric: row.value or 0.0 for name in names for row in by_system[name][1:]}
    assert metrics["int8 .onnx: times smaller"] > 3.8
    assert 3.8 < metrics["torch's static int8: times smaller"] < 4.1
    assert "accuracy after torch's static int8" in metrics
