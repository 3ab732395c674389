"""Plots: a run's confusion matrix and learning curves, as PNG pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from genrekit.files import write_whole

from ..evaluation.metrics import Scores

if TYPE_CHECKING:
    from ..fitting.loop import History

DOTS_PER_INCH = 110


def draw_confusion(scores: Scores, labels: tuple[str, ...], path: Path) -> None:
    """Draw which genre was taken for which.

    Parameters
    ----------
    scores : Scores
    labels : tuple of str
        Genres, in the order of the matrix.
    path : Path
        Of the PNG file.
    """
    counts = np.array(scores.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.6 + 0.52 * len(labels)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        axes.text(
            column,
            row,
            str(counts[row, column]),
            ha="center",
            va="center",
            color="white" if shares[row, column] > 0.5 else "black",
        )
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("said")
    axes.set_ylabel("true")
    accuracy = scores.accuracy
    if accuracy.value is not None and accuracy.ci95 is not None:
        low, high = accuracy.ci95
        axes.set_title(
            f"{accuracy.value:.1%} of {accuracy.n} tracks right (95 %: {low:.1%} to {high:.1%})",
            fontsize="medium",
        )
    save_figure(figure, path)


def draw_history(history: History, path: Path) -> None:
    """Draw losses and validation accuracy over the epochs; the best epoch is marked.

    Parameters
    ----------
    history : History
    path : Path
        Of the PNG file.
    """
    rows = history.epochs
    epochs = [row.epoch for row in rows]
    figure = Figure(figsize=(8.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [row.train_loss for row in rows], ".-", label="training, augmented windows")
    left.plot(epochs, [row.valid_loss for row in rows], ".-", label="validation, tracks")
    left.set_ylabel("cross-entropy (nats)")
    left.set_ylim(bottom=0)
    left.legend(fontsize="small")
    right.plot(epochs, [row.valid_accuracy for row in rows], ".-", color="C1")
    right.set_ylabel("validation accuracy")
    right.set_ylim(0, 1)
    for axes in (left, right):
        axes.axvline(history.best_epoch, color="grey", linestyle=":")
        axes.set_xlabel("epoch (dotted: the best)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG file; the same figure gives the same bytes."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    # Without the program's version and the date the same run gives the same bytes.
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    write_whole(path, buffer.getvalue())
