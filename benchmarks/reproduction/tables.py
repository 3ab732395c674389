"""Report tables: what `genrekit reproduce` found, in short, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genrekit.train.data.protocols import LEAKY, PROTOCOLS

from .rows import ACCURACY, FOLDS, OF_REPORT, Row

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
COMPOSED = (
    "features-mlp",
    "features-neighbour",
    "mfcc-cnn-3s",
    "mel-resnet18",
    "mfcc-resnet18",
    "mfcc-series-lstm",
    "mel-mfcc-joint",
    "mel-mfcc-late",
)
_TRACK = PROTOCOLS["track"].label


def real_table(rows: Sequence[Row]) -> str:
    """Return the systems on recorded music: without and with artists in common."""
    ways = {"filtered": PROTOCOLS["filtered"].label, "artist folds": FOLDS, "random": _TRACK}
    return _table([row for row in rows if not row.is_synthetic], REAL, ways)


def leak_table(rows: Sequence[Row]) -> str:
    """Return the systems on composed music: divided as the report did, and by track."""
    ways = {"divided as there": OF_REPORT, "by track": _TRACK}
    return _table([row for row in rows if row.is_synthetic], COMPOSED, ways, told=True)


def _table(
    rows: Sequence[Row], systems: Sequence[str], ways: Mapping[str, str], *, told: bool = False
) -> str:
    """Return a line for each system, a column for each way; with what the report told, if asked."""
    found = {
        (row.system, OF_REPORT if row.protocol.endswith(OF_REPORT) else row.protocol): row
        for row in rows
        if row.metric == ACCURACY
    }
    lines = []
    for name in systems:
        own = [found.get((name, way)) for way in ways.values()]
        if there := [row for row in own if row]:
            report = [_told(there)] if told else []
            lines.append([there[0].title, *report, *map(_accuracy, own)])
    if not lines:
        return ""
    head = ["system", *(["report"] if told else []), *ways]
    rule = f"|---|{'--:|' * (len(head) - 1)}"
    return "\n".join([_line(head), rule, *map(_line, lines)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _told(rows: Sequence[Row]) -> str:
    values = [row.report_value for row in rows if row.report_value is not None]
    return f"{values[0]:.4g}" if values else ""


def _accuracy(row: Row | None) -> str:
    if row is None or row.value is None or row.ci95 is None:
        return ""
    leaky = f"**{LEAKY}** " if row.is_leaky else ""
    return f"{leaky}{row.value:.3f} ({row.ci95[0]:.3f} to {row.ci95[1]:.3f}), n = {row.n}"
