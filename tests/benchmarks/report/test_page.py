"""The report, from documents filled by their own schema."""

from __future__ import annotations

import dataclasses
import json
import typing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from genrekit.bench.results import BenchDocument
from genrekit.benchmarks.footprint.install_size import installed_bytes
from genrekit.benchmarks.peers.results import PeersDocument
from genrekit.benchmarks.report.page import report
from genrekit.benchmarks.report.pareto_charts import undominated
from genrekit.commands.main import main
from genrekit.errors import ConfigError
from genrekit.strict_json import encode

HOSTILE = "<script>alert('$x^2$')</script>&amp;.onnx"


def filled(kind: Any, name: str = "") -> Any:
    """Make a value of a type: a dataclass with every field filled, 1 for each number."""
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{field: filled(hint, field) for field, hint in hints.items()})  # type: ignore[operator] - a class
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return inner[0]
    if origin is tuple:
        counts = {"total_percentiles_ms": 101, "inference_percentiles_ms": 101, "size": 3}
        count = counts.get(name, 2 if name.startswith(("ci95", "p50_ci95")) else 1)
        return (filled(inner[0], name),) * count
    if origin is dict:
        return {}
    if origin is not None:  # a union: its first member
        return filled(inner[0], name)
    return {int: 1, float: 1.0, str: name, bool: False}[kind]


@pytest.fixture
def document() -> BenchDocument:
    bench: BenchDocument = filled(BenchDocument)
    model = dataclasses.replace(bench.models[0], model=HOSTILE, bytes=1_234_567, source_bytes=0)
    return dataclasses.replace(bench, models=(model,), speedups=())


@pytest.fixture
def path(document: BenchDocument, tmp_path: Path) -> Path:
    file = tmp_path / "bench-images.json"
    file.write_text(json.dumps(encode(document)))
    return file


def test_a_hostile_name_stays_text(path: Path) -> None:
    page = report([path])
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert('$x^2$')&lt;/script&gt;&amp;amp;.onnx" in page


def test_charts_are_well_formed_and_their_ids_unique(path: Path) -> None:
    page = report([path])
    charts = ["<svg" + part.split("</svg>")[0] + "</svg>" for part in page.split("<svg")[1:]]
    assert len(charts) >= 6
    ids = [
        element.get("id")
        for chart in charts
        for element in ElementTree.fromstring(chart).iter()  # noqa: S314 - our own page
        if element.get("id")
    ]
    assert len(ids) == len(set(ids))
    assert not [chart for chart in charts if "#0a00" in chart or "#0101" in chart]


def test_the_same_documents_give_the_same_page(path: Path) -> None:
    assert report([path]) == report([path])


@pytest.mark.parametrize(
    ("text", "reason"),
    [("[]", "neither of"), ('{"kind": "other"}', "neither of"), ("{", "not JSON")],
)
def test_a_strange_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    strange = tmp_path / "strange.json"
    strange.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        report([strange])


def test_the_command_writes_the_page_and_tells_where(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"
    assert main(["report", str(path), "-o", str(out), "--title", "Pi 4"]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert "<title>Pi 4</title>" in out.read_text()


def test_peers_stand_side_by_side(tmp_path: Path) -> None:
    document: PeersDocument = filled(PeersDocument)
    (result,) = document.results
    document = dataclasses.replace(
        document, results=(dataclasses.replace(result, name="librosa, torch"),), absent={"x": "y"}
    )
    file = tmp_path / "peers.json"
    file.write_text(json.dumps(encode(document)))
    page = report([file])
    assert "librosa, torch</th>" in page
    assert "1.00x (1.00 to 1.00)" in page
    assert "<li>x: y</li>" in page


def test_an_install_holds_the_package_and_what_it_needs() -> None:
    numpy = installed_bytes(["numpy"])
    folder = Path(np.__file__).parent
    assert numpy >= sum(file.stat().st_size for file in folder.rglob("*.so"))
    assert installed_bytes(["matplotlib"]) > numpy  # it needs NumPy, and more
    assert installed_bytes(["numpy", "NumPy"]) == numpy
    assert installed_bytes(["no-such-package"]) == 0


def test_the_frontier_leaves_out_what_another_beats() -> None:
    points = [(3.0, 0.8), (1.0, 0.5), (2.0, 0.4), (2.0, 0.7), (4.0, 0.8)]
    assert undominated(points) == [(1.0, 0.5), (2.0, 0.7), (3.0, 0.8)]
