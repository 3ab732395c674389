"""The pages' tables are those of the committed documents."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from genrekit.bench.results import BenchDocument
from genrekit.benchmarks.report.sources import read_sources
from genrekit.benchmarks.speed.soak import Soak
from genrekit.benchmarks.suite import targets
from genrekit.benchmarks.suite.run_all import FOLDER, PAGES, read_tables, refreshed
from genrekit.documents import write_document
from genrekit.errors import ConfigError

from ..report.test_page import filled

PAGE = "before\n<!-- table: artifacts -->\nyesterday\n<!-- table end -->\nafter\n"


def test_a_table_is_refreshed_between_its_markers(tmp_path: Path) -> None:
    bench: BenchDocument = filled(BenchDocument)
    model = dataclasses.replace(bench.models[0], model="m.onnx", bytes=1_234_567, source_bytes=0)
    write_document(
        tmp_path / "bench-images.json", dataclasses.replace(bench, models=(model,), speedups=())
    )
    fresh = refreshed(PAGE, read_tables(tmp_path))
    assert fresh.startswith("before\n<!-- table: artifacts -->\n")
    assert fresh.endswith("<!-- table end -->\nafter\n")
    assert "| `m.onnx` | 1,234,567 |" in fresh
    assert "yesterday" not in fresh
    assert refreshed(fresh, read_tables(tmp_path)) == fresh


def test_without_documents_a_table_says_so(tmp_path: Path) -> None:
    assert "Not measured yet." in refreshed(PAGE, read_tables(tmp_path))


def test_the_pages_tables_are_those_of_the_committed_json() -> None:
    tables = read_tables()
    for page in PAGES:
        text = page.read_text("utf-8")
        assert "<!-- table: artifacts -->" in text
        assert refreshed(text, tables) == text, (
            "run: python -m genrekit.benchmarks.suite.run_all --tables"
        )


def test_a_missed_target_is_shown_as_missed(tmp_path: Path) -> None:
    soak = dataclasses.replace(
        filled(Soak), windows=10, identical=9, rss_peak_bytes=500_000, rss_settled_bytes=100_000
    )
    write_document(tmp_path / "soak.json", soak)
    growth, equal = targets.read_targets(tmp_path)
    assert (growth.measured, growth.met) == ("0.40 MB", True)
    assert (equal.measured, equal.met) == ("9", False)
    assert "| 9 | **missed** |" in targets.render([equal])


def test_every_committed_document_is_of_this_schema() -> None:
    assert targets.read_targets(FOLDER)


def test_a_document_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "soak.json").write_text(json.dumps({"kind": "genrekit-bench", "schema": 1}))
    with pytest.raises(ConfigError, match=r"not written by 'benchmarks\.speed\.soak'"):
        targets.read_targets(tmp_path)


def test_an_artifact_is_shown_with_the_accuracy_of_the_file_itself() -> None:
    sources = read_sources([FOLDER / "bench-tiny.json"])
    (model,) = sources.models
    known = sources.accuracy(model)
    assert known is not None
    assert known.source.endswith("this file")
    assert {entry.split.rpartition(": ")[2]: entry.accuracy for entry in model.accuracy}[
        "this file"
    ] == known.share.value
