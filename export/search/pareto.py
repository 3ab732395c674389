"""Pareto: accuracy of all candidates against their bytes and their time, as one picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from genrekit.files import write_whole

from .search import Candidate, frontier

_DOTS_PER_INCH = 110


def draw_pareto(found: Sequence[Candidate], path: Path) -> None:
    """Draw every candidate with the interval of its accuracy.

    Parameters
    ----------
    found : sequence of Candidate
    path : Path
        Of the PNG file.
    """
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    by_size, by_time = figure.subplots(1, 2, sharey=True)
    for axes, label, places in (
        (by_size, "bytes, card included", [float(c.result.bytes) for c in found]),
        (by_time, "ms per window, one thread", [c.latency_ms for c in found]),
    ):
        for candidate, place in zip(found, places, strict=True):
            value = 100 * (candidate.result.accuracy.value or 0.0)
            low, high = candidate.result.accuracy.ci95 or (0.0, 1.0)
            bars = [[value - 100 * low], [100 * high - value]]
            axes.errorbar(place, value, yerr=bars, fmt="o", capsize=2)
            axes.annotate(candidate.result.name, (place, value), fontsize=7)
        axes.set_xscale("log")
        axes.set_xlabel(label)
    best = frontier(found)
    by_size.plot(
        [c.result.bytes for c in best],
        [100 * (c.result.accuracy.value or 0.0) for c in best],
        color="grey",
        linewidth=1,
    )
    by_size.set_ylabel(f"validation accuracy, %, n = {found[0].result.accuracy.n}")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    write_whole(path, buffer.getvalue())
