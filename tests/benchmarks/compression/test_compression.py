"""Compression rows: the committed page is that of the committed rows, and they are honest."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from PIL import Image

from genrekit.benchmarks.compression.document import claims, draw_rows, page
from genrekit.benchmarks.compression.rows import Row
from genrekit.benchmarks.compression.run import FOLDER, subjects
from genrekit.strict_json import decode
from genrekit.train.evaluation.metrics import wilson_interval

ASKED = (
    *("name", "chain", "format", "data", "bytes", "gzip_bytes", "ratio", "speedup"),
    *("parameters", "macs", "accuracy", "n", "ci95", "paired_difference", "paired_ci95"),
    "agreement",
)


def committed() -> list[Row]:
    rows = json.loads((FOLDER / "compression.json").read_text("utf-8"))
    return [decode(Row, row, "compression.json") for row in rows]


def titles() -> dict[str, str]:
    return {s.name: s.title for s in subjects(Path("work"), Path("/"))}


def test_the_page_is_made_of_the_rows() -> None:
    written = (FOLDER / "compression.md").read_text("utf-8")
    machine = next(line for line in written.splitlines() if line.startswith("Machine: "))
    assert written == page(committed(), titles(), [machine])


def test_every_row_has_what_was_asked_for() -> None:
    names = {field.name for field in dataclasses.fields(Row)}
    assert names.issuperset(ASKED)
    assert {row.subject for row in committed()} == set(titles())


def test_every_accuracy_comes_with_its_tracks_interval_and_pair() -> None:
    for row in committed():
        if row.rejected is not None:
            assert (row.n, row.accuracy, row.evaluated) == (0, None, None)
            continue
        fresh = row.subject in ("resnet18", "mlp")
        assert row.n >= 2_000 if fresh else row.n == 290
        assert ("synthetic" in row.data) == fresh
        assert row.accuracy is not None
        assert row.ci95 == pytest.approx(wilson_interval(round(row.accuracy * row.n), row.n))
        assert row.paired_difference is not None
        assert row.paired_ci95 is not None
        assert row.paired_ci95[0] <= row.paired_difference <= row.paired_ci95[1]
        assert row.evaluated is not None
        assert row.valid_n >= (1_000 if fresh else 197)


def test_every_engine_row_was_timed_and_stores_were_not() -> None:
    for row in committed():
        timed = row.rejected is None and row.format != "gkdc"
        assert (row.speedup is not None) == timed


def test_ratios_are_those_of_the_bytes() -> None:
    rows = committed()
    for row in rows:
        plain = next(other for other in rows if other.subject == row.subject)
        assert row.ratio == pytest.approx(plain.bytes / row.bytes)


def test_sparse_int8_is_rejected_with_its_reason() -> None:
    refused = [row for row in committed() if row.rejected is not None]
    assert {row.name for row in refused} == {"polynomial90-sparse_int8"}
    assert all("FULLY_CONNECTED" in (row.rejected or "") for row in refused)


def test_a_claim_is_reached_or_not_by_its_rows() -> None:
    rows = committed()
    image = next(row for row in rows if row.subject == "resnet18" and row.chosen)
    for difference, reached in ((-0.0099, True), (-0.0101, False)):
        changed = dataclasses.replace(image, paired_difference=difference)
        found = {asked: verdict for asked, _, verdict in claims([changed])}
        assert found["image model within 1 point of its teacher"] is reached
    assert claims([]) == []


def test_rows_are_drawn(tmp_path: Path) -> None:
    own = [row for row in committed() if row.subject == "mlp"]
    draw_rows(own, "title", tmp_path / "rows.png")
    with Image.open(tmp_path / "rows.png") as drawn:
        assert drawn.width > 1_000
