"""Resident memory of this process, followed without growing it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

SAMPLES = 480  # looks, spread over the whole run
_SETTLE_S = 60.0  # of time, after which memory must be flat
_SETTLE_SHARE = 0.1  # of the audio, if that comes first


class ResidentMemory:
    """Resident memory over the audio heard, in arrays whose size is fixed from the start."""

    def __init__(self, audio_s: float) -> None:
        self._step_s = audio_s / SAMPLES
        self._settle_s = audio_s * _SETTLE_SHARE
        self._settle_at = time.monotonic() + _SETTLE_S
        self._next_s = 0.0
        self._heard_s = np.full(SAMPLES + 2, np.nan)
        self._bytes = np.full(SAMPLES + 2, -1, np.int64)
        self._count = 0
        self.settled = self.peak = self.last = 0

    @property
    def samples(self) -> tuple[tuple[float, int], ...]:
        """Pairs of seconds of audio and bytes."""
        taken = slice(self._count)
        return tuple(zip(self._heard_s[taken].tolist(), self._bytes[taken].tolist(), strict=True))

    def sample(self, heard_s: float) -> None:
        """Look if it is time; the first look after a minute is what the others must not exceed."""
        settling = not self.settled and (
            heard_s >= self._settle_s or time.monotonic() >= self._settle_at
        )
        if heard_s < self._next_s and not settling:
            return
        self.last = resident_bytes()
        self._heard_s[self._count], self._bytes[self._count] = round(heard_s, 1), self.last
        self._count += 1
        if settling:
            self.settled = self.last
        if self.settled:
            self.peak = max(self.peak, self.last)
        self._next_s = heard_s + self._step_s


def resident_bytes() -> int:
    """Return what of this process is in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
