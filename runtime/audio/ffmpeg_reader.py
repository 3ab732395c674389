"""What libsndfile does not read (AAC, ALAC, WMA, ...), through FFmpeg and the package `av`."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from ..arrays import Float32
from ..errors import AudioError, DependencyError
from .pcm import check_channels, check_magnitude, check_sample_rate, downmix


def has_ffmpeg() -> bool:
    """Whether the package `av` is installed; it brings FFmpeg's libraries with it."""
    return importlib.util.find_spec("av") is not None


class FfmpegReader:
    """Reads mono blocks of a file's first sound track; implements `decoding.AudioReader`.

    Parameters
    ----------
    file : binary file
        A real file; the reader owns it and closes it.
    name : str
        For error messages.

    Raises
    ------
    DependencyError
        If `av` is not installed.
    AudioError
        If FFmpeg does not know the file, it has no sound, or its format is out of bounds.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        try:
            import av
        except ImportError as error:
            raise DependencyError(
                f'{name}: needs FFmpeg\'s libraries: pip install "genrekit[ffmpeg]"'
            ) from error
        av.logging.set_level(av.logging.PANIC)  # its own words would go to the terminal
        self._error: type[Exception] = av.error.FFmpegError
        self._file, self._name = file, name
        self._position = 0
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        file.seek(0)
        try:
            self._container: Any = av.open(file, mode="r", metadata_errors="replace")
        except (self._error, ValueError) as error:
            raise AudioError(f"{name}: not audio that can be read: {_words(error)}") from error
        try:
            if not self._container.streams.audio:
                raise AudioError("no sound in it")
            stream = self._container.streams.audio[0]
            check_sample_rate(stream.rate)
            check_channels(stream.channels)
        except AudioError as error:
            self._container.close()
            raise AudioError(f"{name}: {error}") from None
        self.sample_rate: int = stream.rate
        self.frames: int | None = None
        # One layout and rate for the whole file, whatever changes in its middle.
        self._resampler: Any = av.AudioResampler(
            format="fltp", layout=stream.layout, rate=stream.rate
        )
        self._blocks = self._decode(stream)
        self._pending = np.zeros(0, np.float32)

    def read(self, n_frames: int) -> Float32:
        """Decode the next frames and average their channels.

        Returns
        -------
        float32, shape (k,)
            k < n_frames only at the end of the file.

        Raises
        ------
        AudioError
            If a sample is not finite, or nothing at all could be decoded.
        """
        blocks, held = [self._pending], len(self._pending)
        while held < n_frames and (block := next(self._blocks, None)) is not None:
            blocks.append(block)
            held += len(block)
        samples = np.concatenate(blocks)
        self._pending = samples[n_frames:]
        return samples[:n_frames]

    def _decode(self, stream: Any) -> Iterator[Float32]:
        packets = self._container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                frames = [] if packet is None else packet.decode()
            except self._error as error:
                # A damaged packet in the middle is passed over, as players do.
                if self._position or not isinstance(error, ValueError):
                    if isinstance(error, (EOFError, OSError)):
                        return
                    continue
                raise AudioError(f"{self._name}: damaged: {_words(error)}") from error
            for frame in frames:
                yield from self._mono(frame)
            if packet is None:
                yield from self._mono(None)
                return

    def _mono(self, frame: Any) -> Iterator[Float32]:
        for part in self._resampler.resample(frame):
            samples = np.ascontiguousarray(part.to_ndarray().T, np.float32)
            check_magnitude(samples, self._position)
            self._position += len(samples)
            yield downmix(samples)

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _words(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())
