"""Kills, disks and licences, on few and small runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from genrekit.bench.machine.hardware import describe_machine
from genrekit.benchmarks.footprint.licences import licences
from genrekit.benchmarks.reliability import case_counts, fault_injection, full_disk, summary
from genrekit.benchmarks.reliability.integrity import find_files, find_leftovers, is_whole, snapshot
from genrekit.benchmarks.reliability.scenarios import SCENARIOS
from genrekit.documents import read_document, write_document
from genrekit.errors import DataError
from genrekit.files import unfinished_form


def test_a_killed_command_is_begun_again_and_counted(tmp_path: Path) -> None:
    (synth,) = (scenario for scenario in SCENARIOS if scenario.name == "data synth")
    path = tmp_path / "kills.json"
    for _ in range(2):  # the second adds to the first
        goal = len(fault_injection._read(path)) + 1
        fault_injection.run_kills(
            (dataclasses.replace(synth, goal=goal),), minutes=0.4, seed=1, path=path
        )
    (tally,) = read_document(
        path, fault_injection.KillsDocument, command=fault_injection.COMMAND
    ).scenarios
    assert tally.kills >= 1
    assert tally.finished == tally.identical >= 1
    assert tally.lost == tally.leftovers == 0


def test_half_files_and_other_results_are_noticed(tmp_path: Path) -> None:
    whole = tmp_path / "a.json"
    whole.write_text('{"x": 1, "seconds": 2.0}')
    before = snapshot(tmp_path)
    assert is_whole(whole)
    whole.write_text('{"seconds": 3.0, "x": 1}')
    assert snapshot(tmp_path) == before
    whole.write_text('{"x": 2}')
    assert snapshot(tmp_path) != before
    whole.write_text('{"x": 1, "sec')
    assert not is_whole(whole)
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"file": "a"}\n{"file": "b"}\n{"fil')
    assert is_whole(rows)
    rows.write_text('{"file": "a"}\n{"file": "a"}\n')
    assert not is_whole(rows)
    for name in ("cut.wav", "cut.png", "cut.npz", "cut.npy", "cut.onnx", "cut.parquet"):
        (tmp_path / name).write_bytes(b"RIFF")
        assert not is_whole(tmp_path / name), name
    unfinished_form(tmp_path / "b.wav").touch()
    assert len(find_leftovers(tmp_path)) == 1
    assert not [path for path in find_files(tmp_path) if path.name.startswith(".")]


def test_the_table_shows_what_was_lost(tmp_path: Path) -> None:
    machine = describe_machine()
    tally = fault_injection.Kills(
        name="train", command="genrekit train", goal=9, kills=7, half_files=2
    )
    write_document(
        tmp_path / "kills.json",
        fault_injection.KillsDocument(
            command=fault_injection.COMMAND, created="today", machine=machine, scenarios=(tally,)
        ),
    )
    trial = full_disk.DiskTrial(
        name="export",
        disk="read-only",
        refused_in_one_line=True,
        others_kept=False,
        all_whole=True,
        finished_later=True,
    )
    write_document(
        tmp_path / "disks.json",
        full_disk.DisksDocument(
            command=full_disk.COMMAND, created="today", machine=machine, trials=(trial,)
        ),
    )
    counted = case_counts.Cases(subject="odd files", files=("a.py",), run=5, failed=4)
    write_document(
        tmp_path / "cases.json",
        case_counts.CasesDocument(
            command=case_counts.COMMAND, created="today", machine=machine, subjects=(counted,)
        ),
    )
    figures = {"inputs": 1_000, "cpu_s": 2.0, "broken_bounds": 3}
    (tmp_path / "fuzz.json").write_text(json.dumps({"inputs": 1_000, "targets": {"wav": figures}}))
    page = summary.describe(tmp_path)
    assert "| fuzzed `wav` | 1,000 inputs |" in page
    assert "| SIGKILL of `train` | 7 of 9 |" in page
    lost = [line.split("|")[-2].strip() for line in page.splitlines() if line.startswith("| ")]
    assert lost == ["lost", "3", "3", "2", "1", "4"]


def test_tests_are_counted_with_what_did_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('n', range(4))\n"
        "def test_one(n): assert n != 2\n"
        "def test_two(): pytest.skip('not here')\n"
    )
    monkeypatch.setattr(case_counts, "TESTS", tmp_path)
    found = case_counts.run_cases("some", ("test_some.py",))
    assert (found.run, found.failed) == (5, 2)
    with pytest.raises(DataError, match="did not run nowhere"):
        case_counts.run_cases("none", ("nowhere",))


def test_the_subjects_are_tested() -> None:
    for files in case_counts.SUBJECTS.values():
        assert all((case_counts.TESTS / file).is_file() for file in files)


def test_the_committed_page_is_made_of_the_committed_figures() -> None:
    page = (summary.RESULTS / "reliability.md").read_text("utf-8")
    assert page == summary.describe(summary.RESULTS)


def test_licences_follow_the_requirements() -> None:
    base = {row.package for row in licences([])}
    assert base == {"numpy"}
    found = {row.package: row.licence for row in licences(["onnx", "mic"])}
    assert {"numpy", "onnxruntime", "sounddevice", "cffi"} <= found.keys()
    assert found["onnxruntime"] == "MIT License"
