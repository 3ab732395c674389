"""Compression rows: the committed table is that of the committed rows, and they are honest."""

from __future__ import annotations

import json

from genrekit.benchmarks.compression import FOLDER, Row, table
from genrekit.runtime.schema import decode


def committed() -> list[Row]:
    rows = json.loads((FOLDER / "compression.json").read_text("utf-8"))
    return [decode(Row, row, "compression.json") for row in rows]


def test_the_table_is_made_of_the_rows() -> None:
    assert (FOLDER / "compression.md").read_text("utf-8") == table(committed())


def test_every_accuracy_comes_with_its_tracks_interval_and_pair() -> None:
    for row in committed():
        if row.accuracy is None:
            assert (row.n, row.ci95, row.paired_difference) == (0, None, None)
            continue
        assert row.n == 290
        assert row.ci95 is not None
        assert row.ci95[0] <= row.accuracy <= row.ci95[1]
        assert row.paired_difference is not None
        assert "filtered" in row.data


def test_ratios_are_those_of_the_bytes() -> None:
    rows = committed()
    for row in rows:
        assert abs(row.ratio - rows[0].bytes / row.bytes) < 1e-9
