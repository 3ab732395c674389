"""Compression document: the claims and the rows as a page for people, and as pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from genrekit.files import write_whole

from .rows import Row

COMMAND = "python -m genrekit.benchmarks.compression.run"
_DOTS_PER_INCH = 110
_HEAD = (
    "| model | chain | bytes | gzip | smaller | faster (95 % interval) | accuracy (95 % interval) "
    "| difference (95 % interval) | p | same label |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
_CLAIM_HEAD = ("| what must be reached | measured | |", "|---|---|---|")

# Bytes at most, how many times as fast at least, points lost at most.
BOUNDS = {"resnet18": (1_100_000, 10.0, 1.0), "mlp": (80_000, 1.0, 0.5)}

Claim = tuple[str, str, bool | None]


def page(rows: Sequence[Row], titles: dict[str, str], notes: Sequence[str] = ()) -> str:
    """Format rows, claims first.

    Parameters
    ----------
    rows : sequence of Row
    titles : dict of str to str
        Of the subjects, in their order.
    notes : sequence of str
        Lines under the claims, such as the machine.
    """
    lines = [
        "# Compression",
        "",
        f"Made by `{COMMAND}`. One thread. Sizes are of whole files, cards included. Size, speed "
        "and paired difference are against each run's own float file; `p` is McNemar's, exact. "
        "Bold is what the validation tracks chose for the target; they are the run's own, for "
        "composed music 1 000 more. Test tracks are looked at once for each row, which has the "
        "time of it in `compression.json`. `-long` is the chosen student, distilled for longer.",
        "",
        *notes,
        "",
        *_CLAIM_HEAD,
    ]
    for asked, measured, reached in claims(rows):
        verdict = {True: "reached", False: "**not reached**", None: "not measured"}[reached]
        lines.append(f"| {asked} | {measured} | {verdict} |")
    for subject, bounds in BOUNDS.items():
        reaching = _reaching([row for row in rows if row.subject == subject], *bounds)
        names = ", ".join(f"`{name}`" for name in reaching) or "none"
        lines += ["", f"On the test tracks all bounds of `{subject}` are reached by: {names}."]
    for subject, title in titles.items():
        own = [row for row in rows if row.subject == subject]
        if not own:
            continue
        usable = [row for row in own if row.rejected is None]
        lines += ["", f"## {title}", "", f"![pictured](compression_{subject}.png)", "", *_HEAD]
        lines += [_line(row) for row in usable]
        refused = [row for row in own if row.rejected is not None]
        if refused:
            lines += ["", "Rejected:", ""]
            lines += [
                f"- `{row.name}` ({row.chain}, {row.bytes:,} bytes): {row.rejected}"
                for row in refused
            ]
    return "\n".join(lines) + "\n"


def claims(rows: Sequence[Row]) -> list[Claim]:
    """Hold the rows against what was asked: (what, measured, whether it was reached)."""
    named = {(row.subject, row.name): row for row in rows}
    image = _chosen(rows, "resnet18")
    made: list[Claim] = []
    if image is not None:
        made += [
            _at_most("image model at most 1.1 MB", image.bytes, 1_100_000),
            _over("image model at least 40x smaller", image.ratio, 40.0),
            _over("image model at least 10x faster", image.speedup, 10.0),
            _within("image model within 1 point of its teacher", image, 1.0),
        ]
    int8 = named.get(("resnet18", "own-minmax"))
    if int8 is not None:
        made += [
            _over("int8 alone at least 3.9x smaller", int8.ratio, 3.9),
            _over("int8 alone at least 2.7x faster (VNNI)", int8.speedup, 2.7),
            _within("int8 alone within 0.5 point", int8, 0.5),
            (
                "int8 alone: same label on at least 97 %",
                f"{int8.agreement or 0.0:.1%} of n={int8.n}",
                (int8.agreement or 0.0) >= 0.97,
            ),
        ]
    small = _chosen(rows, "mlp")
    if small is not None:
        made += [
            _at_most("MLP at most 80 KB", small.bytes, 80_000),
            _over("MLP at least 10x smaller", small.ratio, 10.0),
            _over("MLP no slower than dense", small.speedup, 1.0),
            _within("MLP within 0.5 point", small, 0.5),
        ]
    return made


def _reaching(rows: Sequence[Row], size: int, speedup: float, points: float) -> list[str]:
    """Name the rows that reach a subject's every bound on the test tracks, chosen or not."""
    return [
        row.name
        for row in rows
        if row.bytes <= size
        and (row.speedup or 0.0) >= speedup
        and row.paired_difference is not None
        and 100 * row.paired_difference >= -points
    ]


def _chosen(rows: Sequence[Row], subject: str) -> Row | None:
    return next((row for row in rows if row.subject == subject and row.chosen), None)


def _at_most(asked: str, size: int, bound: int) -> Claim:
    return asked, f"{size:,} bytes", size <= bound


def _over(asked: str, value: float | None, bound: float) -> Claim:
    if value is None:
        return asked, "-", None
    return asked, f"{value:.2f}x", value >= bound


def _within(asked: str, row: Row, points: float) -> Claim:
    if row.paired_difference is None or row.paired_ci95 is None:
        return asked, "-", None
    low, high = row.paired_ci95
    measured = (
        f"{100 * row.paired_difference:+.2f} points ({100 * low:+.2f} to {100 * high:+.2f}), "
        f"n={row.n}, p = {row.mcnemar_p:.2g}"
    )
    return asked, measured, 100 * row.paired_difference >= -points


def _line(row: Row) -> str:
    cells = [
        f"**{row.name}**" if row.chosen else row.name,
        row.chain,
        f"{row.bytes:,}",
        f"{row.gzip_bytes:,}",
        "-" if row.ratio is None else f"{row.ratio:.1f}x",
        "-",
        "-",
        "-",
        "-",
        "-",
    ]
    if row.speedup is not None and row.speedup_ci95 is not None:
        cells[5] = f"{row.speedup:.2f}x ({row.speedup_ci95[0]:.2f} to {row.speedup_ci95[1]:.2f})"
    if row.accuracy is not None and row.ci95 is not None and row.paired_ci95 is not None:
        cells[6] = f"{row.accuracy:.1%} ({row.ci95[0]:.1%} to {row.ci95[1]:.1%})"
        cells[7] = (
            f"{100 * (row.paired_difference or 0.0):+.2f} ({100 * row.paired_ci95[0]:+.2f} to "
            f"{100 * row.paired_ci95[1]:+.2f})"
        )
        cells[8] = f"{row.mcnemar_p:.2g}"
        cells[9] = f"{row.agreement or 0.0:.1%}"
    return "| " + " | ".join(cells) + " |"


def draw_rows(rows: Sequence[Row], title: str, path: Path) -> None:
    """Draw one subject's accuracy against bytes and against time, with intervals."""
    figure = Figure(figsize=(13, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    by_size, by_time = figure.subplots(1, 2, sharey=True)
    _scatter(by_size, rows, lambda row: row.bytes / 1e3)
    by_size.set_xlabel("kB, card included")
    _scatter(by_time, rows, lambda row: 1e3 * row.latency_ms if row.latency_ms else None)
    by_time.set_xlabel("microseconds per window, one thread")
    n = max((row.n for row in rows), default=0)
    by_size.set_ylabel(f"accuracy, %, n = {n}")
    figure.legend(*by_size.get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    figure.suptitle(title)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    write_whole(path, buffer.getvalue())


def _scatter(axes: Axes, rows: Sequence[Row], place: Callable[[Row], float | None]) -> None:
    for number, row in enumerate(rows, start=1):
        where = place(row)
        if row.accuracy is None or row.ci95 is None or where is None:
            continue
        value = 100 * row.accuracy
        bars = [[value - 100 * row.ci95[0]], [100 * row.ci95[1] - value]]
        axes.errorbar(where, value, yerr=bars, fmt="o", capsize=2, label=f"{number} {row.name}")
        place_of_text = (4, 4 + 7 * (number % 3 - 1))  # neighbours must not hide each other
        axes.annotate(
            str(number),
            (where, value),
            textcoords="offset points",
            xytext=place_of_text,
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
