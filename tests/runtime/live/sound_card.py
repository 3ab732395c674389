"""A sound card that misbehaves as real ones do, and a clock that is set by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from genrekit.errors import AudioError
from genrekit.live.listener import Listener, Update
from genrekit.live.microphone import Deliver, InputDevice, Microphone
from genrekit.live.sources import Block


def device(index: int, name: str, *, channels: int = 1, default: bool = False) -> InputDevice:
    return InputDevice(
        index=index, name=name, channels=channels, default_rate=48_000, is_default=default
    )


class Card:
    """A sound card; implements `SoundDriver` and its one `Recording`."""

    def __init__(self, *rates: int, channels: int = 1) -> None:
        self.plugged = [device(0, "USB Audio", channels=channels, default=True)]
        self.rates = rates
        self.channels = channels
        self.sample_rate = 0
        self.running = False
        self.attempts = 0
        self.first_block: np.ndarray | None = None  # that comes as soon as it records
        self._deliver: Deliver | None = None

    def devices(self) -> tuple[InputDevice, ...]:
        assert not self.running, "PortAudio cannot look for devices while it records"
        self.attempts += 1
        return tuple(self.plugged)

    def record(
        self, device: InputDevice, sample_rate: int, channels: int, deliver: Deliver
    ) -> Card:
        if sample_rate not in self.rates or channels != self.channels:
            raise AudioError(f"{device.name}: Invalid sample rate")
        self.sample_rate, self.running, self._deliver = sample_rate, True, deliver
        if self.first_block is not None:
            self.play(self.first_block)
        return self

    def alive(self) -> bool:
        return self.running

    def close(self) -> None:
        self.running = False

    def play(self, samples: np.ndarray, *, overrun: bool = False) -> None:
        """Deliver mono samples on every channel, as the driver's thread does."""
        assert self._deliver is not None
        frames = np.repeat(samples.astype(np.float32)[:, None], self.channels, axis=1)
        self._deliver(frames, overrun)

    def unplug(self) -> None:
        self.plugged, self.running = [], False

    def plug_in(self, index: int = 0) -> None:
        self.plugged = [device(index, "USB Audio", channels=self.channels)]


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def listen(card: Card, clock: Clock) -> tuple[Microphone, Iterator[Block]]:
    microphone = Microphone(card, None, 22_050, clock)
    return microphone, microphone.blocks()


def updates(listener: Listener, blocks: Iterator[Block], count: int) -> list[Update]:
    return [update for block in itertools.islice(blocks, count) for update in listener.hear(block)]
