"""Charts of what an artifact costs for its accuracy, and which ones no other beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.ticker import FuncFormatter

from genrekit.bench.results import ModelBench

from .html_table import Table, number, word
from .sources import Sources
from .svg_chart import GRID, Chart, canvas, colour, legend, log_scale

_MARKERS = "osD^vPX*"


def frontier_charts(sources: Sources) -> list[Chart]:
    """Draw accuracy against size and against latency, where accuracies are known."""
    quantities: tuple[tuple[str, str, str, Callable[[ModelBench], float], str], ...] = (
        ("size", "Accuracy and size", "file size (MB)", lambda m: m.bytes / 1e6, "MB"),
        (
            "latency",
            "Accuracy and latency",
            "file to genre, median (ms)",
            lambda m: m.single_stream.total.p50_ms,
            "ms",
        ),
    )
    charts = [
        _frontier(sources, f"accuracy-{key}", title, label, quantity, unit)
        for key, title, label, quantity, unit in quantities
    ]
    return [chart for chart in charts if chart is not None]


def _frontier(
    sources: Sources,
    key: str,
    title: str,
    label: str,
    quantity: Callable[[ModelBench], float],
    unit: str,
) -> Chart | None:
    points = []
    for index, model in enumerate(sources.models):
        known = sources.accuracy(model)
        if known and known.share.value is not None and known.share.ci95 is not None:
            points.append((index, model, quantity(model), known.share.value, known.share))
    if not points:
        return None
    best = undominated([(x, y) for _, _, x, y, _ in points])
    with canvas(key) as drawn:
        axes = drawn.axes
        axes.step(*zip(*best, strict=True), where="post", color=GRID, linestyle="--", zorder=1)
        for index, model, x, y, share in points:
            low, high = share.ci95 or (y, y)
            axes.plot([x, x], [low, high], color=colour(index), linewidth=1.5, zorder=2)
            (mark,) = axes.plot(
                [x],
                [y],
                _MARKERS[index % len(_MARKERS)],
                color=colour(index),
                markersize=8,
                label=model.model,
                zorder=3,
            )
            drawn.tell(
                mark,
                f"{model.model}: {x:.3g} {unit}, {y:.1%} of {share.n} tracks right "
                f"({low:.1%} to {high:.1%})",
            )
        axes.set_xlabel(label)
        axes.set_ylabel("tracks right")
        log_scale(axes)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        legend(drawn)
        rows = tuple(
            (
                word(model.model),
                number(x, ".4g", f" {unit}"),
                number(y, ".1%"),
                word("yes" if (x, y) in best else "no"),
            )
            for _, model, x, y, _ in points
        )
        leaders = [m.model for _, m, x, y, _ in points if (x, y) in best]
        return drawn.chart(
            title,
            f"Each mark is an artifact, its bar the 95 % interval of accuracy. No other is both "
            f"better and smaller or faster than: {', '.join(leaders)}.",
            Table(title, ("artifact", label, "tracks right", "on the frontier"), rows),
        )


def undominated(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points to the left of which none is as high, from left to right."""
    best: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or y > best[-1][1]:
            best.append((x, y))
    return best
