"""Report: one self-contained HTML page of trainings and measurements."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from genrekit.bench.machine.hardware import Machine
from genrekit.bench.results import ModelBench

from ..peers.results import PeersDocument
from .accuracy_charts import accuracy_charts
from .html_table import Cell, Table, number, size, word
from .sources import SourceFile, Sources, read_sources
from .speed_charts import speed_charts

_TEMPLATES = Path(__file__).parent / "templates"


def report(paths: Sequence[Path], *, title: str = "genrekit report") -> str:
    """Write the page.

    Parameters
    ----------
    paths : sequence of Path
        As `read_sources` takes them.
    title : str

    Returns
    -------
    str
        HTML that needs no network: style, script, charts and data are within.

    Raises
    ------
    ConfigError, DataError, FileError
        If a path is none of the known documents, or cannot be read.
    """
    sources = read_sources(paths)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Ours, not data: the page's policy admits exactly these, by their hashes.
    style, script = (
        Markup((_TEMPLATES / name).read_text("utf-8"))  # noqa: S704
        for name in ("report.css", "report.js")
    )
    return environment.get_template("report.html.j2").render(
        title=title,
        style=style,
        script=script,
        policy="default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src '{_hash(script)}'",
        summary=_summary(sources),
        speed=speed_charts(sources),
        accuracy=accuracy_charts(sources),
        profiles=[_profile(model) for model in sources.models if model.profile],
        runs=_runs(sources),
        peers=[_peers(document) for document in sources.peers],
        machines=_machines(sources),
        files=[_link(file) for file in sources.files],
    )


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _link(file: SourceFile) -> dict[str, str]:
    encoded = base64.b64encode(file.content).decode()
    return {"name": file.name, "href": f"data:application/json;base64,{encoded}"}


def _summary(sources: Sources) -> Table | None:
    rows = []
    for bench in sources.benches:
        speedups = {speedup.model: speedup.engine_alone for speedup in bench.speedups}
        for model in bench.models:
            ratio = speedups.get(model.model)
            rows.append(
                (
                    word(model.model),
                    size(model.bytes),
                    size(model.gzip_bytes),
                    number(
                        model.source_bytes / model.bytes if model.source_bytes else None, ".2f", "x"
                    ),
                    *_accuracy_cells(sources, model),
                    number(model.single_stream.total.p50_ms),
                    number(model.single_stream.total.p99_ms),
                    number(model.engine_alone.p50_ms),
                    Cell("", None)
                    if ratio is None
                    else Cell(
                        f"{ratio.median:.2f}x ({ratio.ci95[0]:.2f} to {ratio.ci95[1]:.2f})",
                        ratio.median,
                    ),
                    number(model.memory.peak / 2**20, ".1f"),
                    number(model.memory.model / 2**20, ".1f"),
                    number(model.cold_start.total.p50_ms, ".0f"),
                    number(1.0 / model.offline.realtime_factor, ".0f", "x"),
                    word(model.engine),
                )
            )
    columns = (
        "artifact",
        "bytes",
        "gzip bytes",
        "times smaller",
        "tracks right",
        "95 % interval",
        "of tracks",
        "same label",
        "judged by",
        "p50 ms",
        "p99 ms",
        "engine p50 ms",
        "engine, times as fast",
        "peak MiB",
        "model's MiB",
        "cold start ms",
        "faster than music",
        "engine",
    )
    return Table("All artifacts", columns, tuple(rows)) if rows else None


def _accuracy_cells(sources: Sources, model: ModelBench) -> tuple[Cell, ...]:
    known = sources.accuracy(model)
    if known is None:
        return (Cell("", None),) * 5
    return (
        number(known.share.value, ".1%"),
        _interval(known.share.ci95),
        number(known.share.n, "d"),
        number(known.agreement, ".1%"),
        word(known.source),
    )


def _interval(ci95: tuple[float, ...] | None) -> Cell:
    return Cell("", None) if ci95 is None else Cell(f"{ci95[0]:.1%} to {ci95[1]:.1%}", ci95[0])


def _profile(model: ModelBench) -> Table:
    return Table(
        f"Operators of {model.model}",
        ("operator", "calls", "ms", "share"),
        tuple(
            (
                word(operator.operator),
                number(operator.calls, "d"),
                number(operator.ms, ".4f"),
                number(operator.share, ".1%"),
            )
            for operator in model.profile
        ),
    )


def _runs(sources: Sources) -> Table | None:
    rows = []
    for run in sources.runs:
        accuracy = run.metrics.test.scores.accuracy
        rows.append(
            (
                word(run.name),
                word(run.settings.model),
                number(run.metrics.parameters, ",d"),
                number(run.metrics.epochs, "d"),
                number(run.metrics.seconds, ".0f"),
                number(accuracy.value, ".1%"),
                _interval(accuracy.ci95),
                number(accuracy.n, "d"),
            )
        )
    columns = (
        "run",
        "model",
        "parameters",
        "epochs",
        "seconds",
        "test tracks right",
        "95 % interval",
        "of tracks",
    )
    return Table("Trainings", columns, tuple(rows)) if rows else None


def _peers(document: PeersDocument) -> Table:
    rows = []
    for result in document.results:
        ratio = result.ratio
        rows.append(
            (
                word(result.name),
                number(result.latency.p50_ms),
                Cell("", None)
                if ratio is None
                else Cell(
                    f"{ratio.median:.2f}x ({ratio.ci95[0]:.2f} to {ratio.ci95[1]:.2f})",
                    ratio.median,
                ),
                number(result.cold_start.p50_ms, ".0f"),
                number(result.peak_bytes / 2**20, ".0f"),
                number(result.install_bytes / 1e6, ".0f"),
                size(result.model_bytes),
                number(result.accuracy.value, ".1%"),
                _interval(result.accuracy.ci95),
                number(result.accuracy.n, "d"),
                number(result.agreement, ".1%"),
                word(", ".join(result.packages)),
            )
        )
    columns = (
        "way",
        "p50 ms",
        "time by the first's",
        "cold start ms",
        "peak MiB",
        "install MB",
        "model bytes",
        "clips right",
        "95 % interval",
        "of clips",
        "same label",
        "packages",
    )
    return Table(f"Side by side: {document.work}", columns, tuple(rows))


def _machines(sources: Sources) -> list[dict[str, object]]:
    found: list[dict[str, object]] = [
        {
            "title": f"Measured {bench.created}",
            "rows": [
                *_machine_rows(bench.machine),
                ("threads", str(bench.conditions.threads)),
                ("other processes meanwhile", _share(bench.conditions.load_during)),
            ],
            "warnings": bench.conditions.warnings,
        }
        for bench in sources.benches
    ]
    return found + [
        {
            "title": f"Side by side, measured {peers.created}",
            "rows": _machine_rows(peers.machine),
            "warnings": tuple(f"{name}: {reason}" for name, reason in peers.absent.items()),
        }
        for peers in sources.peers
    ]


def _machine_rows(machine: Machine) -> list[tuple[str, str]]:
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    memory = (
        "unknown" if machine.memory_bytes is None else f"{machine.memory_bytes / 2**30:.1f} GiB"
    )
    rows = [
        ("board", machine.board or ""),
        ("processor", machine.cpu),
        ("instructions", ", ".join(machine.cpu_features)),
        ("cores", str(machine.cores)),
        ("governor", machine.governor or "unknown"),
        ("memory", memory),
        ("system", f"{machine.system}, {machine.word_bits} bit"),
        (
            "versions",
            f"genrekit {machine.genrekit}, Python {machine.python}, NumPy {machine.numpy}",
        ),
        ("packages", packages),
    ]
    return [(name, value) for name, value in rows if value]


def _share(load: float | None) -> str:
    return "unknown" if load is None else f"{load:.0%} of all cores"
