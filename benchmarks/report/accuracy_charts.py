"""Charts of accuracy: confusion matrices, scores by genre, learning curves."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genrekit.train.evaluation.metrics import Scores

from .html_table import Cell, Table, number, word
from .sources import RunSource, Sources
from .svg_chart import GRID, INK, PAPER, SERIES, Chart, canvas, colour, legend


def accuracy_charts(sources: Sources) -> list[Chart]:
    """Draw the confusion matrices and genre scores, and each run's learning curves."""
    scored = sources.scores()
    charts = [_genres(scored)] if scored else []
    charts += [
        _confusion(f"confusion-{index}", title, labels, scores)
        for index, (title, labels, scores) in enumerate(scored)
    ]
    for index, run in enumerate(sources.runs):
        charts += _learning(f"learning-{index}", run)
    return charts


def _confusion(key: str, title: str, labels: tuple[str, ...], scores: Scores) -> Chart:
    counts = np.array(scores.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with canvas(key, height=1.6 + 0.3 * len(labels)) as drawn:
        axes = drawn.axes
        for (row, column), count in np.ndenumerate(counts):
            share = float(shares[row, column])
            cell = axes.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    1,
                    1,
                    facecolor=SERIES[0] if count else "none",
                    alpha=0.15 + 0.85 * share if count else None,
                    edgecolor=GRID,
                    linewidth=0.6,
                )
            )
            drawn.tell(cell, f"{labels[row]}, said to be {labels[column]}: {count} ({share:.0%})")
            if count:
                ink = PAPER if share > 0.5 else INK
                axes.text(column, row, str(count), ha="center", va="center", color=ink, size=9)
        axes.set_xlim(-0.5, len(labels) - 0.5)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xticks(range(len(labels)), labels, rotation=60, ha="right")
        axes.set_yticks(range(len(labels)), labels)
        axes.set_xlabel("said")
        axes.set_ylabel("true")
        axes.grid(visible=False)
        rows = tuple(
            (word(label), *(number(int(n), "d") for n in row))
            for label, row in zip(labels, counts, strict=True)
        )
        return drawn.chart(
            f"Confusion: {title}",
            f"{int(counts.trace())} of {int(counts.sum())} tracks on the diagonal. "
            + _worst_confusion(counts, labels),
            Table(f"Confusion: {title}", ("true", *labels), rows),
        )


def _worst_confusion(
    counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]], labels: tuple[str, ...]
) -> str:
    wrong = counts - np.diag(np.diag(counts))
    if not wrong.any():
        return "None is confused."
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return f"Most often confused: {labels[row]} said to be {labels[column]}, {wrong.max()} times."


def _genres(scored: list[tuple[str, tuple[str, ...], Scores]]) -> Chart:
    labels = scored[0][1]
    shown = [(i, title, scores) for i, (title, own, scores) in enumerate(scored) if own == labels]
    title = "F1 by genre"
    step = 0.7 / len(shown)
    with canvas("genres", height=1.4 + len(labels) * max(0.28, 0.1 * len(shown))) as drawn:
        axes = drawn.axes
        for place, (index, name, scores) in enumerate(shown):
            first = True
            for row, score in enumerate(scores.per_class):
                if score.f1.value is None or score.f1.ci95 is None:
                    continue
                y = row + (place - (len(shown) - 1) / 2) * step
                low, high = score.f1.ci95
                axes.plot([low, high], [y, y], color=colour(index), linewidth=1.2)
                (mark,) = axes.plot(
                    [score.f1.value],
                    [y],
                    "o",
                    color=colour(index),
                    markersize=5,
                    label=name if first else None,
                )
                first = False
                drawn.tell(
                    mark,
                    f"{name}, {score.label}: F1 {score.f1.value:.2f} ({low:.2f} to {high:.2f})",
                )
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("F1")
        legend(drawn)
        columns = ("artifact", "genre", "precision", "recall", "F1", "tracks")
        return drawn.chart(
            title,
            "Harmonic mean of precision and recall with its 95 % interval; 1 is never wrong. "
            + _extremes(shown[0][1], shown[0][2]),
            Table(title, columns, tuple(_genre_rows(shown))),
        )


def _genre_rows(shown: list[tuple[int, str, Scores]]) -> list[tuple[Cell, ...]]:
    return [
        (
            word(name),
            word(score.label),
            number(score.precision.value, ".2f"),
            number(score.recall.value, ".2f"),
            number(score.f1.value, ".2f"),
            number(score.recall.n, "d"),
        )
        for _, name, scores in shown
        for score in scores.per_class
    ]


def _extremes(name: str, scores: Scores) -> str:
    known = [
        (score.f1.value, score.label) for score in scores.per_class if score.f1.value is not None
    ]
    if not known:
        return ""
    low, high = min(known), max(known)
    return f"{name}: best {high[1]} ({high[0]:.2f}), worst {low[1]} ({low[0]:.2f})."


def _learning(key: str, run: RunSource) -> list[Chart]:
    rows = run.history.epochs
    epochs = [row.epoch for row in rows]
    best = run.history.best_epoch
    table = Table(
        f"Learning: {run.name}",
        ("epoch", "training loss", "validation loss", "validation accuracy"),
        tuple(
            (
                number(row.epoch, "d"),
                number(row.train_loss, ".4f"),
                number(row.valid_loss, ".4f"),
                number(row.valid_accuracy, ".1%"),
            )
            for row in rows
        ),
    )
    curves = {
        "training loss": [row.train_loss for row in rows],
        "validation loss": [row.valid_loss for row in rows],
    }
    with canvas(f"{key}-loss") as drawn:
        axes = drawn.axes
        for index, (name, values) in enumerate(curves.items()):
            axes.plot(epochs, values, color=colour(index), label=name)
            for epoch, value in zip(epochs, values, strict=True):
                (mark,) = axes.plot([epoch], [value], ".", color=colour(index), markersize=6)
                drawn.tell(mark, f"epoch {epoch}: {name} {value:.4f} nats")
        axes.axvline(best, color=INK, linewidth=1.0, linestyle=":")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("epoch (dotted: the best)")
        axes.set_ylabel("cross-entropy (nats)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend(drawn, columns=2)
        losses = drawn.chart(
            f"Loss: {run.name}",
            f"{len(rows)} epochs; the best was epoch {best}, with a validation loss of "
            f"{rows[best - 1].valid_loss:.3f} nats.",
            table,
        )
    with canvas(f"{key}-accuracy") as drawn:
        axes = drawn.axes
        axes.plot(epochs, [row.valid_accuracy for row in rows], color=colour(0))
        for row in rows:
            (mark,) = axes.plot(
                [row.epoch], [row.valid_accuracy], ".", color=colour(0), markersize=6
            )
            drawn.tell(mark, f"epoch {row.epoch}: {row.valid_accuracy:.1%}")
        axes.axvline(best, color=INK, linewidth=1.0, linestyle=":")
        axes.set_ylim(0, 1)
        axes.set_xlabel("epoch (dotted: the best)")
        axes.set_ylabel("validation tracks right")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        accuracy = drawn.chart(
            f"Validation accuracy: {run.name}",
            f"At epoch {best} the model was right on {rows[best - 1].valid_accuracy:.1%} of the "
            "validation tracks.",
            table,
        )
    return [losses, accuracy]
