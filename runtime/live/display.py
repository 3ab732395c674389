"""Terminal view: genres as bars over time, and how the machine copes; or plain lines."""

from __future__ import annotations

import collections
import os
import shutil
from collections.abc import Callable
from typing import Protocol, TextIO

from .listener import Update

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:-=+*#%@"  # where the terminal's encoding has no blocks
_MAX_HISTORY = 512  # columns of the widest terminal
_AROUND = 4  # lines above and below the genres
_STATES = {
    "unsure": "unsure",
    "silence": "silence",
    "unknown": "unknown",
    "away": "no microphone; looking for it",
}

_UP, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[{}A", "\x1b[K", "\x1b[J"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


class View(Protocol):
    """Shows updates to someone."""

    def show(self, update: Update) -> None:
        """Show one update."""
        ...

    def close(self) -> None:
        """Leave the screen as it should be."""
        ...


def choose_view(labels: tuple[str, ...], file: TextIO) -> View:
    """Return live bars for a terminal that can move its cursor, else plain lines."""
    if file.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return BarView(labels, file)
    return LineView(file)


def describe(update: Update) -> str:
    """Say what is heard, in a few words."""
    score = update.score
    if score.label is not None and score.probability is not None:
        return f"{score.label} {score.probability:.0%}"
    return _STATES[score.state]


class LineView:
    """A line whenever what is heard changes."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._shown: tuple[str, str | None] | None = None

    def show(self, update: Update) -> None:
        """Print a line if the state or the genre is another."""
        heard = (update.score.state, update.score.label)
        if heard != self._shown:
            self._shown = heard
            print(
                f"{clock_text(update.position_s)}  {describe(update)}", file=self._file, flush=True
            )

    def close(self) -> None:
        """Do nothing: lines are done when they are printed."""


class BarView:
    """Bars that are drawn over at each update.

    Parameters
    ----------
    labels : tuple of str
        Rows, in this order; where they do not fit, the most probable.
    file : text file
        A terminal.
    size : callable
        Returns columns and lines; asked each time, as a window may be resized.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        file: TextIO,
        size: Callable[[], tuple[int, int]] = shutil.get_terminal_size,
    ) -> None:
        self._labels = labels
        self._file = file
        self._size = size
        self._ramp = _BLOCKS if _can_show(file, _BLOCKS) else _ASCII
        self._history: collections.deque[dict[str, float]] = collections.deque(maxlen=_MAX_HISTORY)
        self._drawn = 0

    def show(self, update: Update) -> None:
        """Draw over the last update."""
        self._history.append({score.label: score.probability for score in update.score.ranking})
        lines = self.render(update)
        up = _UP.format(self._drawn) if self._drawn else _HIDE_CURSOR
        body = "".join(f"{line}{_CLEAR_LINE}\n" for line in lines)
        print(f"{up}\r{body}{_CLEAR_BELOW}", end="", file=self._file, flush=True)
        self._drawn = len(lines)

    def render(self, update: Update) -> list[str]:
        """Return the lines of an update, none wider than the terminal."""
        columns, height = self._size()
        rows = self._rows(max(1, height - _AROUND))
        name = max(len(label) for label in self._labels)
        width = max(1, min(columns - name - 8, _MAX_HISTORY))
        recent = list(self._history)[-width:]
        lines = [describe(update), ""]
        for label in rows:
            bars = "".join(self._bar(shares.get(label, 0.0)) for shares in recent)
            share = recent[-1].get(label, 0.0) if recent else 0.0
            lines.append(f"{label:<{name}} {bars:>{width}} {share:>4.0%}")
        lines.append(
            f"{clock_text(update.position_s)}  {update.level_db:.0f} dB  "
            f"latency {update.latency_ms:.0f} ms  CPU {update.cpu_share:.0%}  "
            f"dropped {update.dropped_s:.1f} s, {update.overruns} overruns"
        )
        return [line[: columns - 1] for line in lines]

    def close(self) -> None:
        """Give the cursor back, below the bars."""
        if self._drawn:
            print(_SHOW_CURSOR, end="", file=self._file, flush=True)

    def _rows(self, most: int) -> tuple[str, ...]:
        if len(self._labels) <= most:
            return self._labels
        last = self._history[-1] if self._history else {}
        return tuple(sorted(self._labels, key=lambda label: -last.get(label, 0.0))[:most])

    def _bar(self, share: float) -> str:
        return self._ramp[min(len(self._ramp) - 1, int(share * len(self._ramp)))]


def clock_text(seconds: float) -> str:
    """Return hours:minutes:seconds."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _can_show(file: TextIO, text: str) -> bool:
    try:
        text.encode(file.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
