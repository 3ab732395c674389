"""Layer report: which layers of an image network bear pruning, and which bear int8."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from genrekit.files import write_whole

from ..formats.onnx import export_onnx
from ..pruning.channels import sensitivity
from ..quantization.sqnr import layer_errors
from ..quantization.static import quantize
from ..writing.comparison import torch_logits, track_scores
from .image_candidates import CALIBRATION_WINDOWS, ImageCandidateFactory

SHARE = 0.5  # of one layer's channels, taken out to see what they are worth
FAR_BELOW_DB = 10.0  # the other layers: leave such a one in float
_COMPARED_WINDOWS = 32
_DOTS_PER_INCH = 110


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LayerRow:
    """One convolution.

    Parameters
    ----------
    layer : str
        The torch module's name.
    node : str
        The ONNX node's, as `quantize` takes it in `exclude`.
    pruned_accuracy : float
        On the validation tracks with `SHARE` of this layer's channels gone and nothing learned
        afterwards; layers whose channels leave together share it.
    sqnr_db : float
        Of its output in the int8 graph, noise of earlier layers included.
    keep_float : bool
        Whether it lies `FAR_BELOW_DB` below the median of all.
    """

    layer: str
    node: str
    pruned_accuracy: float
    sqnr_db: float
    keep_float: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LayerReport:
    """All convolutions of a network, and its accuracy as it is."""

    accuracy: float
    n: int
    rows: tuple[LayerRow, ...]


def report_layers(factory: ImageCandidateFactory, say: Callable[[str], None]) -> LayerReport:
    """Measure every convolution of a run's network on its validation tracks.

    Parameters
    ----------
    factory : ImageCandidateFactory
    say : callable
        Told what is being done.
    """
    windowed = factory.valid.windowed
    names = list(windowed.features)

    def judge(network: object) -> float:
        return track_scores(torch_logits(network), windowed, names)[0]

    say("channels of one layer at a time")
    worth = {s.layer: s.score for s in sensitivity(factory.network, factory.spec, judge)}
    say("rounding noise of every layer")
    graph = export_onnx(factory.network, [factory.spec])
    windows = factory.run.calibration_inputs(CALIBRATION_WINDOWS)
    rounded = quantize(graph, {factory.spec.name: windows})
    seen = np.concatenate([windowed.windows(name)[0] for name in names])
    step = max(1, len(seen) // _COMPARED_WINDOWS)
    errors = layer_errors(graph, rounded, {factory.spec.name: seen[::step][:_COMPARED_WINDOWS]})
    usual = float(np.median([error.sqnr_db for error in errors]))
    rows = [
        LayerRow(
            layer=error.weight.removesuffix(".weight"),
            node=error.name,
            pruned_accuracy=worth[error.weight.removesuffix(".weight")],
            sqnr_db=error.sqnr_db,
            keep_float=error.sqnr_db < usual - FAR_BELOW_DB,
        )
        for error in errors
        if error.weight.removesuffix(".weight") in worth
    ]
    return LayerReport(accuracy=judge(factory.network), n=len(names), rows=tuple(rows))


def describe_layers(report: LayerReport) -> str:
    """Tabulate a report for people."""
    lines = [
        f"validation accuracy {report.accuracy:.1%} of n={report.n} tracks as it is",
        f"{'layer':<28}{f'{SHARE:.0%} pruned':>12}{'loss':>8}{'SQNR, dB':>10}",
    ]
    for row in report.rows:
        loss = 100 * (row.pruned_accuracy - report.accuracy)
        advice = "  keep in float" if row.keep_float else ""
        lines.append(
            f"{row.layer:<28}{row.pruned_accuracy:>12.1%}{loss:>+8.1f}{row.sqnr_db:>10.1f}{advice}"
        )
    return "\n".join(lines)


def draw_layers(report: LayerReport, path: Path) -> None:
    """Draw a report as a PNG file, two bars for each layer."""
    rows: Sequence[LayerRow] = report.rows
    places = np.arange(len(rows))
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    above.bar(places, [100 * row.pruned_accuracy for row in rows], color="tab:blue")
    above.axhline(100 * report.accuracy, color="grey", linewidth=1)
    above.set_ylabel(f"accuracy, %, without\n{SHARE:.0%} of its channels")
    above.set_title(f"Validation tracks, n = {report.n}; the line is the network as it is")
    colours = ["tab:red" if row.keep_float else "tab:green" for row in rows]
    below.bar(places, [row.sqnr_db for row in rows], color=colours)
    below.set_ylabel("signal over int8\nrounding noise, dB")
    below.set_xticks(places, [row.layer for row in rows], rotation=60, ha="right", fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    write_whole(path, buffer.getvalue())
