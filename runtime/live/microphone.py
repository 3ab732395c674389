"""Microphone: samples from a sound card that may be unplugged, overrun, or change its rate."""

from __future__ import annotations

import collections
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from ..arrays import Float32
from ..audio.pcm import MAX_RATE_HZ, MIN_RATE_HZ, downmix
from ..errors import AudioError
from .sources import BLOCK_S, Block, Losses

QUEUE_S = 10.0  # of audio that may wait; then the oldest is dropped, so that latency is bounded
SILENT_DRIVER_S = 2.0  # without a block, the device is taken for lost
RETRY_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # between attempts to open it again; the last repeats

# Called by the driver's thread: float32 of shape (frames, channels), and whether samples before
# it were lost.
Deliver = Callable[[Float32, bool], None]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class InputDevice:
    """A sound card's input, as its driver names it."""

    index: int
    name: str
    channels: int
    default_rate: int  # Hz
    is_default: bool


class Recording(Protocol):
    """A device that is recording."""

    sample_rate: int
    """Hz."""

    def alive(self) -> bool:
        """Tell whether the driver still records."""
        ...

    def close(self) -> None:
        """Stop; never raises."""
        ...


class SoundDriver(Protocol):
    """What opens sound cards."""

    def devices(self) -> tuple[InputDevice, ...]:
        """Look again at what is plugged in now; nothing may be recording."""
        ...

    def record(
        self, device: InputDevice, sample_rate: int, channels: int, deliver: Deliver
    ) -> Recording:
        """Start to record; raise `AudioError` if the device refuses."""
        ...


def choose_device(devices: tuple[InputDevice, ...], wanted: str | None) -> InputDevice:
    """Find the device that a person means.

    Parameters
    ----------
    devices : tuple of InputDevice
    wanted : str, optional
        Its number or a part of its name; None is the system's default.

    Raises
    ------
    AudioError
        If there is none, or several fit.
    """
    if not devices:
        raise AudioError("no microphone: plug one in; 'genrekit doctor' tells why one is not seen")
    if wanted is None:
        return next((device for device in devices if device.is_default), devices[0])
    if wanted.isdecimal():
        found = [device for device in devices if device.index == int(wanted)]
    else:
        found = [device for device in devices if wanted.lower() in device.name.lower()]
        found = [device for device in found if device.name == wanted] or found
    if len(found) != 1:
        names = "; ".join(f"{device.index}: {device.name}" for device in devices)
        raise AudioError(f"--device {wanted!r} fits {len(found)} devices, must fit one of: {names}")
    return found[0]


def rates_to_try(preferred: int, device: InputDevice) -> tuple[int, ...]:
    """Return sample rates in Hz, the cheapest for the model first, each once."""
    multiples = (preferred, 2 * preferred)
    usual = (device.default_rate, 44_100, 48_000, 32_000, 16_000, 8_000, 96_000)
    return tuple(
        dict.fromkeys(rate for rate in multiples + usual if MIN_RATE_HZ <= rate <= MAX_RATE_HZ)
    )


class Microphone:
    """Records from a device and comes back to it whenever it is lost.

    Parameters
    ----------
    driver : SoundDriver
    wanted : str, optional
        As for `choose_device`; a device found by its name is found again by it.
    preferred_rate : int
        Hz, of the model.
    clock : callable
        `time.monotonic`.

    Raises
    ------
    AudioError
        If there is no such device, or it refuses every rate.
    """

    def __init__(
        self,
        driver: SoundDriver,
        wanted: str | None,
        preferred_rate: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.losses = Losses()
        self._driver = driver
        self._preferred_rate = preferred_rate
        self._clock = clock
        self._arrival = threading.Condition()
        self._queue: collections.deque[tuple[Float32, float]] = collections.deque()
        self._queued = 0  # samples
        self._heard_at = clock()
        self._retry_at = 0.0
        self._failures = 0
        self._recording: Recording | None = None
        self._any = wanted is None
        self.device = choose_device(driver.devices(), wanted)
        self._open()

    def blocks(self) -> Iterator[Block]:
        """Yield what was recorded, for ever; an empty block while the device is away."""
        fresh = False
        while True:
            if self._recording is None:
                fresh |= self._reopen()
            samples, arrived_s = self._take(BLOCK_S)
            if len(samples):
                yield Block(samples, self.sample_rate, arrived_s, fresh)
                fresh = False
                continue
            silent_s = self._clock() - self._heard_at
            if self._recording and (silent_s > SILENT_DRIVER_S or not self._recording.alive()):
                self.close()
                self._failures = 0
                self._retry_at = self._clock() + RETRY_S[0]
            if self._recording is None:
                yield Block(samples, self.sample_rate, self._clock())

    @property
    def is_away(self) -> bool:
        """Whether the device is lost at the moment."""
        return self._recording is None

    def close(self) -> None:
        """Stop recording."""
        if self._recording is not None:
            self._recording.close()
            self._recording = None

    def _open(self) -> None:
        """Negotiate rate and channels; many cards know neither 22 050 Hz nor mono."""
        refusal: AudioError | None = None
        for channels in dict.fromkeys((1, min(2, self.device.channels), self.device.channels)):
            for rate in rates_to_try(self._preferred_rate, self.device):
                with self._arrival:  # what a lost device left behind had another rate
                    self._queue.clear()
                    self._queued = 0
                    self.sample_rate = rate
                try:
                    self._recording = self._driver.record(
                        self.device, rate, channels, self._deliver
                    )
                except AudioError as error:
                    refusal = error
                    continue
                self._heard_at = self._clock()
                return
        raise AudioError(f"{self.device.name}: refuses every sample rate: {refusal}")

    def _reopen(self) -> bool:
        """Try again if it is time; return whether the device is back."""
        if self._clock() < self._retry_at:
            return False
        try:
            self.device = self._find_again()
            self._open()
        except AudioError:
            self._failures = min(self._failures + 1, len(RETRY_S) - 1)
            self._retry_at = self._clock() + RETRY_S[self._failures]
            return False
        self.losses.reconnects += 1
        return True

    def _find_again(self) -> InputDevice:
        """Find the device by its name: plugged in again, its number may be another."""
        devices = self._driver.devices()
        same = [device for device in devices if device.name == self.device.name]
        if not same and not self._any:
            raise AudioError(f"{self.device.name}: not plugged in")
        return next((device for device in same if device.index == self.device.index), None) or (
            same[0] if same else choose_device(devices, None)
        )

    def _deliver(self, frames: Float32, overrun: bool) -> None:
        """Queue a block; runs on the driver's thread and never waits for the consumer."""
        mono = downmix(frames)
        with self._arrival:
            self.losses.overruns += overrun
            self._heard_at = self._clock()
            self._queue.append((mono, self._heard_at))
            self._queued += len(mono)
            while self._queued > QUEUE_S * self.sample_rate:
                dropped = len(self._queue.popleft()[0])
                self._queued -= dropped
                self.losses.dropped_s += dropped / self.sample_rate
            self._arrival.notify()

    def _take(self, timeout_s: float) -> tuple[Float32, float]:
        """Return the oldest queued block and when it came, or nothing after `timeout_s`."""
        with self._arrival:
            if not self._queue:
                self._arrival.wait(timeout_s)
            if not self._queue:
                return np.zeros(0, np.float32), self._clock()
            block = self._queue.popleft()
            self._queued -= len(block[0])
            return block
