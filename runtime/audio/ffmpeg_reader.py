"""What libsndfile does not read (AAC, ALAC, WMA, ...), through FFmpeg and the package `av`."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from ..arrays import Float32
from ..errors import AudioError, DependencyError
from .pcm import check_channels, check_magnitude, check_sample_rate, downmix

_MOST_FAILURES = 100  # damaged packets of one file
# Formats that hold sound and nothing that names another file: no playlist may open anything.
_FORMATS = (
    "aac,ac3,adts,aiff,amr,ape,asf,au,caf,dsf,eac3,flac,matroska,webm,mov,mp4,m4a,3gp,mp3,mp2,mpc,"
    "mpc8,ogg,opus,tak,tta,voc,w64,wav,wv"
)
_OPTIONS = {"protocol_whitelist": "none", "format_whitelist": _FORMATS}


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
            self._container: Any = av.open(
                _SeekableBytes(file), mode="r", metadata_errors="replace", options=dict(_OPTIONS)
            )
        except (self._error, ValueError, OSError) as error:
            raise AudioError(f"{name}: not audio that can be read: {_words(error)}") from error
        try:
            if not self._container.streams.audio:
                raise AudioError("no sound in it")
            stream = self._container.streams.audio[0]
            if stream.codec_context is None:
                raise AudioError("FFmpeg has no decoder for its sound")
            check_sample_rate(stream.rate)
            check_channels(stream.channels)
        except AudioError as error:
            self._container.close()
            raise AudioError(f"{name}: {error}") from None
        self.sample_rate: int = stream.rate
        self._channels: int = stream.channels
        self.frames: int | None = None
        # One layout and rate for the whole file, whatever changes in its middle.
        self._new_resampler = functools.partial(
            av.AudioResampler, format="flt", layout=stream.layout, rate=stream.rate
        )
        self._resampler: Any = self._new_resampler()
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
        failures = 0
        while True:
            try:
                packet = next(packets, None)
                frames = [] if packet is None else packet.decode()
            except self._error as error:
                # A damaged packet is passed over, as players do; a damaged file ends.
                failures += 1
                if failures > _MOST_FAILURES or isinstance(error, EOFError):
                    if not self._position:
                        raise AudioError(f"{self._name}: damaged: {_words(error)}") from error
                    return
                continue
            for frame in frames:
                yield from self._mono(frame)
            if packet is None:
                yield from self._mono(None)
                return

    def _mono(self, frame: Any) -> Iterator[Float32]:
        for part in self._resampled(frame):
            # By the buffer, whose size is known: PyAV's own array trusts a damaged frame's layout.
            count = part.samples * self._channels
            if memoryview(part.planes[0]).nbytes < 4 * count:
                raise AudioError(f"{self._name}: damaged: a frame is shorter than it says")
            values = np.frombuffer(part.planes[0], np.float32, count)
            samples = values.reshape(-1, self._channels)
            check_magnitude(samples, self._position)
            self._position += len(samples)
            yield downmix(samples)

    def _resampled(self, frame: Any) -> list[Any]:
        try:
            return list(self._resampler.resample(frame))
        except ValueError:  # layout or rate changed: what was before is done
            rest = list(self._resampler.resample(None))
            self._resampler = self._new_resampler()
        try:
            return rest + list(self._resampler.resample(frame))
        except ValueError as error:
            raise AudioError(f"{self._name}: damaged: {_words(error)}") from error

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


class _SeekableBytes:
    """A file as FFmpeg may be given it: a seek out of bounds goes to the nearer end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_CUR: self._file.tell(), os.SEEK_END: self._size}.get(whence, 0)
        return self._file.seek(min(max(0, base + offset), self._size))


def _words(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())
