"""Progress: one line on standard error that is written over, if a person is looking."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_PERIOD_S = 0.2
_BAR = 24


class ProgressLine:
    """Songs done, failed, speed and the time left.

    Parameters
    ----------
    total : int
        Songs in all.
    done : int
        Songs that were done before.
    file : text file, optional
        Standard error by default; nothing is drawn unless it is a terminal.
    """

    def __init__(self, total: int, *, done: int = 0, file: TextIO | None = None) -> None:
        self.done = done
        self.failed = 0
        self._total = total
        self._before = done
        self._file = sys.stderr if file is None else file
        self._shown = self._file.isatty()
        self._start = self._drawn = time.monotonic()

    def step(self, *, failed: bool) -> None:
        """Count one song."""
        self.done += 1
        self.failed += failed
        now = time.monotonic()
        if self._shown and now - self._drawn >= _PERIOD_S:
            self._drawn = now
            print(f"\r{self.text(now - self._start)}\x1b[K", end="", file=self._file, flush=True)

    def text(self, elapsed_s: float) -> str:
        """Return the line after so much time."""
        share = self.done / self._total if self._total else 1.0
        rate = (self.done - self._before) / max(elapsed_s, 1e-3)
        left = (self._total - self.done) / rate if rate else 0.0
        bar = "#" * round(_BAR * min(share, 1.0))
        failed = f", {self.failed} failed" if self.failed else ""
        return (
            f"[{bar:<{_BAR}}] {self.done}/{self._total}{failed}, {rate:.1f}/s, "
            f"{left // 3600:.0f}:{left // 60 % 60:02.0f}:{left % 60:02.0f} left"
        )

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            print("\r\x1b[K", end="", file=self._file, flush=True)
