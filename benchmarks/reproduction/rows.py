"""Report rows: the numbers beside the report's, as JSON and as Markdown.

Rows are merged into what a file holds already: a row replaces the one of the same system, data,
protocol and metric, and no other. So the synthetic set and the real one share one file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from genrekit.files import write_whole
from genrekit.strict_json import decode
from genrekit.train.data.protocols import LEAKY
from genrekit.train.runs.documents import read_document, write_document

ACCURACY = "accuracy"
NOT_RUN = "not run"
SYNTHETIC = "synthetic"  # how data begin that were composed by rules
OF_REPORT = " (the report's)"  # how a protocol ends that is the report's own
FOLDS = "3 artist folds, pooled"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One number.

    Parameters
    ----------
    system : str
    title : str
        The system for people.
    data : str
        Begins with "synthetic" where the music was composed by rules.
    protocol : str
        Begins with "LEAKY" where segments of one track stand on both sides.
    metric : str
    value : float or None
        None where it was not measured; `note` says why.
    n : int
        Tracks (segments, under a leaky protocol) of one test side, or of all folds.
    ci95 : tuple of float or None
    seeds : tuple of int
    report_value : float or None
        The report's number.
    parameters : int
    seconds : float
        Of training, all seeds together.
    evaluations : tuple of str
        The log of the test side: every cell that was ever scored on it for this number, and when.
    note : str
    """

    system: str
    title: str
    data: str
    protocol: str
    metric: str
    value: float | None
    n: int
    ci95: tuple[float, ...] | None
    seeds: tuple[int, ...]
    report_value: float | None
    parameters: int
    seconds: float
    evaluations: tuple[str, ...]
    note: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What identifies a row."""
        return self.system, self.data, self.protocol, self.metric

    @property
    def is_synthetic(self) -> bool:
        """Whether the music was composed by rules."""
        return self.data.startswith(SYNTHETIC)

    @property
    def is_leaky(self) -> bool:
        """Whether segments of one track stood on both sides."""
        return self.protocol.startswith(LEAKY)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Another number of a system that was trained, as in `Row`."""

    metric: str
    value: float
    n: int = 0
    ci95: tuple[float, ...] | None = None
    report_value: float | None = None
    note: str = ""

    def beside(self, row: Row) -> Row:
        """Return a row like the one of the system's accuracy."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return dataclasses.replace(row, **own, seeds=row.seeds[:1], seconds=0.0)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Document:
    rows: tuple[Row, ...]


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a file; none if there is no file."""
    if not path.is_file():
        return []
    document = {"rows": read_document(path)}
    return list(decode(_Document, document, str(path)).rows)


def merge(old: Iterable[Row], new: Iterable[Row], order: Sequence[str]) -> list[Row]:
    """Replace rows by key and sort: by data, then in the report's order of systems.

    The log of evaluations is never cut: a row that replaces another goes on with its log.
    """
    rows = {row.key: row for row in old}
    for row in new:
        log = rows[row.key].evaluations if row.key in rows else ()
        known = dict.fromkeys((*log, *row.evaluations))
        rows[row.key] = dataclasses.replace(row, evaluations=tuple(known))
    place = {name: index for index, name in enumerate(order)}

    def rank(row: Row) -> tuple[bool, str, int, bool, bool, str]:
        """Put the synthetic set first, leaky protocols last, other metrics behind the accuracy."""
        known = place.get(row.system, len(place))
        return (
            *(not row.is_synthetic, row.data, known),
            *(row.is_leaky, row.metric != ACCURACY, row.protocol),
        )

    return sorted(rows.values(), key=rank)


def write_rows(folder: Path, rows: Sequence[Row]) -> None:
    """Write `report.json` and `report.md`."""
    write_document(folder / "report.json", list(rows))
    write_whole(folder / "report.md", markdown(rows))


def markdown(rows: Sequence[Row]) -> str:
    """Format rows for people: one table per data set, in the order given."""
    lines = [
        "# The report's systems, rebuilt",
        "",
        "Made by `genrekit reproduce`. *Report* is the student report's number, *ours* is measured "
        "here with its 95 % interval (Wilson; over several seeds, at their mean). Rows marked "
        f"**{LEAKY}** divide segments, not tracks: they say how well a model knows a recording "
        "again, not how well it names a genre. Synthetic music is composed by rules; its rows "
        "compare systems, they say nothing of recorded music. *Scored* counts how often a model "
        "was judged on the test side for the number: once per seed and member, more where a "
        "declaration was changed later; `report.json` has the log.",
    ]
    for data in dict.fromkeys(row.data for row in rows):
        lines += ["", f"## {data[0].upper()}{data[1:]}", "", *_table(rows, data)]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Row], data: str) -> list[str]:
    head = ["system", "protocol", "metric", "report", "ours (95 %)", "n", "seeds", "scored"]
    head += ["parameters", "training", "note"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        if row.data != data:
            continue
        marked = row.protocol.replace(LEAKY, f"**{LEAKY}**")
        cells = [
            row.title,
            marked,
            row.metric,
            "" if row.report_value is None else f"{row.report_value:.4g}",
            _value(row),
            str(row.n or ""),
            str(len(row.seeds) or ""),
            str(len(row.evaluations) or ""),
            f"{row.parameters:,}" if row.parameters else "",
            f"{row.seconds:.0f} s" if row.seconds else "",
            row.note,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _value(row: Row) -> str:
    if row.value is None:
        return NOT_RUN
    if row.ci95 is None:
        return f"{row.value:.3f}"
    return f"{row.value:.3f} ({row.ci95[0]:.3f} to {row.ci95[1]:.3f})"
