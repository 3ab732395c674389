"""Sound sources: blocks of mono samples as time goes by, from a file or from raw PCM."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from ..arrays import Float32
from ..audio.decoding import open_audio
from ..audio.pcm import Encoding, check_channels, check_sample_rate, downmix
from ..errors import AudioError, ConfigError

BLOCK_S = 0.1  # at once: short against a window, long against what a block costs

ENCODINGS = {
    "u8": Encoding("unsigned", 1, "<"),
    "mulaw": Encoding("mulaw", 1, "<"),
    "s16le": Encoding("signed", 2, "<"),
    "s16be": Encoding("signed", 2, ">"),
    "s24le": Encoding("signed", 3, "<"),
    "s32le": Encoding("signed", 4, "<"),
    "f32le": Encoding("float", 4, "<"),
}
# Above real time: a pipe from another sound card must never wait for the slower of two clocks.
_PIPE_SPEED = 1.01
_LATE_S = 1.0  # behind by more (the process was stopped), the clock is set anew: no rush


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Samples that came together.

    Parameters
    ----------
    samples : float32, shape (n,)
        Mono; empty if nothing came for a while.
    sample_rate : int
        Hz.
    arrived_s : float
        When the last of them was there, on `time.monotonic`'s clock.
    fresh : bool
        Whether they do not continue the ones before: a device came back.
    """

    samples: Float32
    sample_rate: int
    arrived_s: float
    fresh: bool = False


@dataclasses.dataclass(slots=True)
class Losses:
    """What a source lost, counted from its start."""

    overruns: int = 0  # times that the driver reported lost samples
    dropped_s: float = 0.0  # of audio that was not fetched in time
    reconnects: int = 0


class SoundSource(Protocol):
    """Where the live path gets its samples."""

    losses: Losses

    def blocks(self) -> Iterator[Block]:
        """Yield blocks until the source ends, at its own pace."""
        ...

    def close(self) -> None:
        """Let go of the device or file."""
        ...


class Pacer:
    """Waits so that audio passes in real time.

    Parameters
    ----------
    speed : float
        1 is real time.
    clock, sleep : callable
        `time.monotonic` and `time.sleep`.
    """

    def __init__(
        self,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._due: float | None = None

    def wait(self, audio_s: float) -> None:
        """Return when so many more seconds of audio may have been heard."""
        now = self._clock()
        if self._due is None or now > self._due + _LATE_S:
            self._due = now
        self._due += audio_s / self._speed
        if self._due > now:
            self._sleep(self._due - now)


class FileSource:
    """A song played as if it were heard.

    Parameters
    ----------
    path : path-like
    pacer : Pacer, optional
        None plays as fast as it is taken.

    Raises
    ------
    AudioError, FileError, DependencyError
        As `open_audio`.
    """

    def __init__(self, path: str | os.PathLike[str], pacer: Pacer | None = None) -> None:
        self.losses = Losses()
        self._reader = open_audio(path)
        self._pacer = pacer

    def blocks(self) -> Iterator[Block]:
        """Yield blocks to the end of the file."""
        rate = self._reader.sample_rate
        while len(samples := self._reader.read(round(BLOCK_S * rate))):
            if self._pacer:
                self._pacer.wait(len(samples) / rate)
            yield Block(samples, rate, time.monotonic())

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class PcmSource:
    """Raw interleaved PCM from a pipe.

    Parameters
    ----------
    pipe : binary file
        Such as `sys.stdin.buffer`; it stays open.
    sample_rate, channels : int
        Hz; interleaved channels, which are averaged.
    encoding : str
        One of `ENCODINGS`.
    pacer : Pacer, optional
        None reads as fast as the pipe gives.

    Raises
    ------
    AudioError
        If the rate or the number of channels is out of bounds.
    ConfigError
        If the encoding is unknown.
    """

    def __init__(
        self,
        pipe: BinaryIO,
        sample_rate: int,
        channels: int = 1,
        encoding: str = "s16le",
        pacer: Pacer | None = None,
    ) -> None:
        check_sample_rate(sample_rate)
        check_channels(channels)
        if encoding not in ENCODINGS:
            raise ConfigError(f"encoding {encoding!r}: must be one of {', '.join(ENCODINGS)}")
        self.losses = Losses()
        self._pipe = pipe
        self._rate = sample_rate
        self._channels = channels
        self._encoding = ENCODINGS[encoding]
        self._pacer = pacer

    @staticmethod
    def real_time() -> Pacer:
        """Return the pacer for a pipe that may itself come from a sound card."""
        return Pacer(_PIPE_SPEED)

    def blocks(self) -> Iterator[Block]:
        """Yield blocks until the pipe closes; a frame cut off at the end is left out."""
        frame_bytes = self._channels * self._encoding.width
        wanted = round(BLOCK_S * self._rate) * frame_bytes
        first = True
        while data := self._pipe.read(wanted):  # waits for all of it, or the end
            if first and data[:4] in (b"RIFF", b"fLaC", b"OggS", b"FORM"):
                raise AudioError(
                    "standard input: an audio file, not raw PCM: give its name to --input, or "
                    "decode it with 'ffmpeg -i FILE -f s16le -'"
                )
            first = False
            whole = len(data) // frame_bytes * frame_bytes
            if not whole:
                return
            samples = downmix(self._encoding.decode(data[:whole]).reshape(-1, self._channels))
            if self._pacer:
                self._pacer.wait(len(samples) / self._rate)
            yield Block(samples, self._rate, time.monotonic())

    def close(self) -> None:
        """Do nothing: the pipe is its owner's."""
