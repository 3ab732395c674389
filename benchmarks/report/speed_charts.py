"""Charts of speed: latencies, stages, threads, ceilings, sustained runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.ticker import FuncFormatter

from genrekit.bench.results import ModelBench

from .html_table import Cell, Table, number, word
from .pareto_charts import frontier_charts
from .sources import Sources
from .svg_chart import INK, PAPER, Chart, canvas, colour, legend, log_scale

_STAGES = ("decode", "resample", "features", "inference")


def speed_charts(sources: Sources) -> list[Chart]:
    """Draw every chart of the measured artifacts for which there are numbers."""
    models = sources.models
    if not models:
        return []
    charts = [
        *frontier_charts(sources),
        _distributions(models),
        _stages(models),
        _efficiency(models),
    ]
    if any(len(model.threads) > 1 for model in models):
        charts.append(_threads(models))
    return charts + [_sustained(model, i) for i, model in enumerate(models) if model.sustained]


def _distributions(models: Sequence[ModelBench]) -> Chart:
    title = "Latency, single stream"
    marks = (50, 90, 95, 99)
    with canvas("latency") as drawn:
        axes = drawn.axes
        for index, model in enumerate(models):
            percentiles = model.single_stream.total_percentiles_ms
            axes.plot(percentiles, range(101), color=colour(index), label=model.model)
            for mark in marks:
                (point,) = axes.plot(
                    [percentiles[mark]], [mark], "o", color=colour(index), markersize=5
                )
                drawn.tell(point, f"{model.model}: p{mark} {percentiles[mark]:.4g} ms")
        axes.set_xlabel("file to genre (ms)")
        axes.set_ylabel("percentile of rounds")
        log_scale(axes)
        legend(drawn)
        rows = tuple(
            (word(model.model), *(number(p) for p in _latency_numbers(model))) for model in models
        )
        columns = ("artifact", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "max ms", "mean ms", "sd ms")
        return drawn.chart(
            title,
            "Share of rounds that took at most so long, from the song's file to its genre. "
            + _sentence(models, lambda m: f"{m.single_stream.total.p50_ms:.3g} ms"),
            Table(title, columns, rows),
        )


def _latency_numbers(model: ModelBench) -> tuple[float, ...]:
    total = model.single_stream.total
    return (
        total.p50_ms,
        total.p90_ms,
        total.p95_ms,
        total.p99_ms,
        total.max_ms,
        total.mean_ms,
        total.sd_ms,
    )


def _stages(models: Sequence[ModelBench]) -> Chart:
    title = "Where the time goes"
    with canvas("stages", height=1.3 + 0.45 * len(models)) as drawn:
        axes = drawn.axes
        for row, model in enumerate(models):
            left = 0.0
            for index, stage in enumerate(_STAGES):
                ms = getattr(model.single_stream, stage).p50_ms
                (bar,) = axes.barh(
                    row,
                    ms,
                    left=left,
                    color=colour(index),
                    edgecolor=PAPER,
                    label=stage if row == 0 else None,
                )
                drawn.tell(bar, f"{model.model}: {stage} {ms:.3g} ms")
                left += ms
        axes.set_yticks(range(len(models)), [model.model for model in models])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("median (ms)")
        legend(drawn, columns=len(_STAGES))
        rows = tuple(
            (
                word(model.model),
                *(number(getattr(model.single_stream, stage).p50_ms) for stage in _STAGES),
                number(model.single_stream.total.p50_ms),
            )
            for model in models
        )
        return drawn.chart(
            title,
            f"Median time of each stage for {models[0].single_stream.audio_s:.3g} s of music. The "
            "longest stage of " + _sentence(models, _longest_stage),
            Table(title, ("artifact", *(f"{s} ms" for s in _STAGES), "total ms"), rows),
        )


def _longest_stage(model: ModelBench) -> str:
    return max(_STAGES, key=lambda stage: getattr(model.single_stream, stage).p50_ms)


def _efficiency(models: Sequence[ModelBench]) -> Chart:
    title = "How close to the machine's limit"
    with canvas("efficiency", height=1.2 + 0.45 * len(models)) as drawn:
        axes = drawn.axes
        for row, model in enumerate(models):
            limit = model.efficiency
            (bar,) = axes.barh(row, limit.share, color=colour(row))
            most = f"{limit.ceiling.macs_per_s / 1e9:.3g} G MAC/s"
            drawn.tell(
                bar,
                f"{model.model}: {limit.macs_per_s / 1e9:.3g} of {most} "
                f"({limit.ceiling.engine}, {limit.ceiling.arithmetic})",
            )
        axes.axvline(1.0, color=INK, linewidth=1.0, linestyle=":")
        axes.set_yticks(range(len(models)), [model.model for model in models])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("share of the engine's fastest matrix product")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        return drawn.chart(
            title,
            "Multiply-accumulates per second on one core, as a share of what the same engine "
            "reaches with a plain matrix product. "
            + _sentence(models, lambda m: f"{m.efficiency.share:.1%}"),
            Table(
                title,
                ("artifact", "M MAC", "arithmetic", "G MAC/s", "ceiling G MAC/s", "share"),
                tuple(_efficiency_row(model) for model in models),
            ),
        )


def _efficiency_row(model: ModelBench) -> tuple[Cell, ...]:
    limit = model.efficiency
    return (
        word(model.model),
        number(limit.operations.macs / 1e6),
        word(limit.operations.arithmetic),
        number(limit.macs_per_s / 1e9),
        number(limit.ceiling.macs_per_s / 1e9),
        number(limit.share, ".1%"),
    )


def _threads(models: Sequence[ModelBench]) -> Chart:
    title = "Threads"
    swept = [(i, model) for i, model in enumerate(models) if model.threads]
    counts = sorted({point.threads for _, model in swept for point in model.threads})
    with canvas("threads") as drawn:
        axes = drawn.axes
        for index, model in swept:
            first = model.threads[0].latency.p50_ms
            speedups = [
                (p.threads, first / p.latency.p50_ms, p.latency.p50_ms) for p in model.threads
            ]
            axes.plot(
                [t for t, _, _ in speedups],
                [s for _, s, _ in speedups],
                color=colour(index),
                label=model.model,
            )
            for threads, speedup, ms in speedups:
                (mark,) = axes.plot([threads], [speedup], "o", color=colour(index), markersize=6)
                drawn.tell(mark, f"{model.model}: {threads} threads, {ms:.3g} ms, {speedup:.2f}x")
        axes.plot(counts, counts, color=INK, linewidth=1.0, linestyle=":", label="ideal")
        axes.set_xticks(counts)
        axes.set_xlabel("threads")
        axes.set_ylabel("times as fast as with one")
        legend(drawn)
        rows = tuple(
            (word(model.model), number(p.threads, "d"), number(p.latency.p50_ms, ".4g"))
            for _, model in swept
            for p in model.threads
        )
        return drawn.chart(
            title,
            "One window through the engine with more threads, compared with one thread. "
            + _sentence(
                [model for _, model in swept],
                lambda m: (
                    f"{m.threads[0].latency.p50_ms / m.threads[-1].latency.p50_ms:.2f} times "
                    f"as fast with {m.threads[-1].threads}"
                ),
            ),
            Table(title, ("artifact", "threads", "p50 ms"), rows),
        )


def _sustained(model: ModelBench, index: int) -> Chart:
    title = f"Sustained: {model.model}"
    run = model.sustained
    if run is None:
        raise ValueError(model.model)
    with canvas(f"sustained-{index}") as drawn:
        axes = drawn.axes
        axes.plot(
            [p.elapsed_s for p in run.points], [p.p50_ms for p in run.points], color=colour(index)
        )
        for point in run.points:
            (mark,) = axes.plot(
                [point.elapsed_s], [point.p50_ms], ".", color=colour(index), markersize=5
            )
            heat = "" if point.temperature_c is None else f", {point.temperature_c:.0f} C"
            clock = "" if point.clock_mhz is None else f", {point.clock_mhz:.0f} MHz"
            drawn.tell(mark, f"{point.elapsed_s:.0f} s: {point.p50_ms:.3g} ms{clock}{heat}")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("seconds")
        axes.set_ylabel("file to genre, median (ms)")
        rows = tuple(
            (
                number(p.elapsed_s, ".0f"),
                number(p.p50_ms, ".4g"),
                number(p.clock_mhz, ".0f"),
                number(p.temperature_c, ".1f"),
                word(", ".join(p.throttled)),
            )
            for p in run.points
        )
        return drawn.chart(
            title,
            f"One prediction after another for {run.seconds:.0f} s; at the end each took "
            f"{run.slowdown:.2f} times as long as at the start.",
            Table(title, ("seconds", "p50 ms", "MHz", "C", "limited by"), rows),
        )


def _sentence(models: Sequence[ModelBench], tell: Callable[[ModelBench], str]) -> str:
    return "; ".join(f"{model.model}: {tell(model)}" for model in models) + "."
