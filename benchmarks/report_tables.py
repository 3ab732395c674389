"""Report tables: what `genrekit reproduce` found, in short, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genrekit.train.protocols import LEAKY, PROTOCOLS

from .report_rows import ACCURACY, Row

REAL = (
    "spectrogram-texture",
    "texture-ensemble",
    "picture-ensemble",
    "table-trees",
    "stft-texture",
    "spectrogram-vgg16-trees",
    "table-mlp",
    "table-svm",
    "stft-small-cnn",
    "stft-resnet18",
)
SYNTHETIC = (
    "features-mlp",
    "features-neighbour",
    "mfcc-cnn-3s",
    "mel-resnet18",
    "mfcc-resnet18",
    "mfcc-series-lstm",
    "mel-mfcc-joint",
    "mel-mfcc-late",
)
_FILTERED, _TRACK = PROTOCOLS["filtered"].label, PROTOCOLS["track"].label
_FOLDS = "3 artist folds, pooled"


def real_table(rows: Sequence[Row]) -> str:
    """Return the systems on recorded music: without and with artists in common."""
    find = _finder([row for row in rows if not row.data.startswith("synthetic")])
    lines = []
    for name in REAL:
        filtered, folds = find(name, _FILTERED), find(name, _FOLDS)
        if filtered is not None:
            cells = (filtered.title, _accuracy(filtered), _accuracy(folds))
            lines.append(f"| {' | '.join(cells)} | {_accuracy(find(name, _TRACK))} |")
    return _table("| system | filtered | artist folds | random |", lines)


def leak_table(rows: Sequence[Row]) -> str:
    """Return the systems on composed music: divided as the report did, and by track."""
    find = _finder([row for row in rows if row.data.startswith("synthetic")])
    lines = []
    for name in SYNTHETIC:
        honest, own = find(name, _TRACK), find(name, "")
        if honest is not None:
            told = "" if honest.report_value is None else f"{honest.report_value:.4g}"
            cells = (honest.title, told, _accuracy(own), _accuracy(honest))
            lines.append(f"| {' | '.join(cells)} |")
    return _table("| system | report | divided as there | by track |", lines)


def _table(head: str, lines: Sequence[str]) -> str:
    return "\n".join([head, "|---|--:|--:|--:|", *lines]) if lines else ""


def _finder(rows: Sequence[Row]) -> Callable[[str, str], Row | None]:
    """Look accuracies up by system and protocol; no protocol is the report's own."""

    def find(name: str, protocol: str) -> Row | None:
        for row in rows:
            asked = row.protocol == protocol or (not protocol and "the report's" in row.protocol)
            if row.system == name and row.metric == ACCURACY and asked:
                return row
        return None

    return find


def _accuracy(row: Row | None) -> str:
    if row is None or row.value is None or row.ci95 is None:
        return ""
    leaky = f"**{LEAKY}** " if row.protocol.startswith(LEAKY) else ""
    return f"{leaky}{row.value:.3f} ({row.ci95[0]:.3f} to {row.ci95[1]:.3f}), n = {row.n}"
