"""systemd: tell the service manager that all is well, where it asked to be told.

References
----------
sd_notify(3): datagrams to the Unix socket that NOTIFY_SOCKET names.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress


class ServiceManager:
    """Reports to systemd; does nothing where no service manager listens.

    Parameters
    ----------
    clock : callable
        `time.monotonic`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        # "@" stands for the abstract namespace's leading NUL.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog_us = os.environ.get("WATCHDOG_USEC", "")
        self._period_s = int(watchdog_us) / 2e6 if watchdog_us.isdecimal() else None
        self._clock = clock
        self._told_at = -float("inf")

    def ready(self) -> None:
        """Tell that the service has started."""
        self._tell(b"READY=1")

    def alive(self) -> None:
        """Tell that it still runs, at most twice in each period of the watchdog."""
        now = self._clock()
        if self._period_s is not None and now - self._told_at >= self._period_s:
            self._told_at = now
            self._tell(b"WATCHDOG=1")

    def _tell(self, message: bytes) -> None:
        if not self._address:
            return
        # A manager that has gone is no reason to stop listening.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(message, self._address)
