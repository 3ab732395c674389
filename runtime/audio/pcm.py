"""Uncompressed audio: interleaved bytes to float32 mono samples."""

from __future__ import annotations

import dataclasses
import functools
from types import TracebackType
from typing import BinaryIO, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float32
from ..errors import AudioError, FileError

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MAX_CHANNELS = 256
# Float files may hold integer-scaled samples; beyond that a squared spectrum nears overflow.
MAX_MAGNITUDE = 2.0**31
BLOCK_BYTES = 1 << 18  # decoded at once: fits a small cache, bounds memory for any layout


def check_sample_rate(sample_rate: int) -> None:
    """Raise `AudioError` unless `sample_rate` is 8000..192000 Hz."""
    if not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
        raise AudioError(
            f"sample rate {sample_rate} Hz: must be {MIN_RATE_HZ}..{MAX_RATE_HZ}; resample the file"
        )


def check_channels(channels: int) -> None:
    """Raise `AudioError` unless there are 1..256 channels."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"{channels} channels: must be 1..{MAX_CHANNELS}")


def check_magnitude(samples: Float32, first: int) -> None:
    """Raise `AudioError` on a NaN, an infinity or an absurd magnitude.

    Parameters
    ----------
    samples : float32, any shape with frames first
        Decoded block; full scale is 1.
    first : int
        Index of its first frame in the file, for the message.
    """
    if samples.size == 0:
        return
    with np.errstate(invalid="ignore"):
        fits = np.abs(samples) <= MAX_MAGNITUDE  # False for NaN
    if fits.all():
        return
    at = np.unravel_index(int(np.argmin(fits)), samples.shape)
    raise AudioError(
        f"sample {first + int(at[0])} is {samples[at]:g}: must be finite and within "
        f"{MAX_MAGNITUDE:.0f} (full scale is 1); the file is damaged"
    )


def downmix(samples: Float32) -> Float32:
    """Average the channels.

    Parameters
    ----------
    samples : float32, shape (frames, channels)

    Returns
    -------
    float32, shape (frames,)
    """
    channels = samples.shape[1]
    if channels == 1:
        return samples[:, 0]
    # Column sums: a reduction along so short an axis is several times slower.
    mono = samples[:, 0] + samples[:, 1]
    for channel in range(2, channels):
        mono += samples[:, channel]
    mono /= np.float32(channels)
    return mono


@dataclasses.dataclass(frozen=True, slots=True)
class Encoding:
    """How one sample is stored.

    Parameters
    ----------
    kind : {"signed", "unsigned", "float", "mulaw"}
    width : int
        Bytes per sample: 1..4 for integers, 4 or 8 for floats, 1 for mu-law.
    order : {"<", ">"}
        Little- or big-endian.
    """

    kind: Literal["signed", "unsigned", "float", "mulaw"]
    width: int
    order: Literal["<", ">"]

    def decode(self, data: bytes) -> Float32:
        """Turn whole samples into float32, full scale 1.

        Integers are divided by 2 ** (bits - 1), as libsndfile does.
        """
        if self.kind == "mulaw":
            return _mulaw_table()[np.frombuffer(data, np.uint8)]
        if self.kind == "float":
            stored = np.frombuffer(data, f"{self.order}f{self.width}")
            with np.errstate(over="ignore", invalid="ignore"):  # becomes inf, refused later
                return stored.astype(np.float32)
        if self.kind == "unsigned":
            samples = np.frombuffer(data, np.uint8).astype(np.float32)
            samples -= np.float32(128.0)
            bits = 8
        elif self.width == 3:
            # As the upper bytes of 32 bits, the sign is in place; the scale is that of 32 bits.
            samples = self._widen(data).astype(np.float32)
            bits = 32
        else:
            samples = np.frombuffer(data, f"{self.order}i{self.width}").astype(np.float32)
            bits = 8 * self.width
        samples *= np.float32(2.0 ** (1 - bits))
        return samples

    def _widen(self, data: bytes) -> NDArray[np.int32]:
        triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
        quads = np.zeros((len(triples), 4), np.uint8)
        quads[:, slice(1, 4) if self.order == "<" else slice(0, 3)] = triples
        return quads.view(f"{self.order}i4")[:, 0]


@functools.cache
def _mulaw_table() -> Float32:
    """Return the 256 values of G.711 mu-law, float32, shape (256,).

    References
    ----------
    ITU-T Recommendation G.711 (1988), table 2a.
    """
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    signed = np.where(code & 0x80, -magnitude, magnitude)
    return (signed / 32_768.0).astype(np.float32)


@dataclasses.dataclass(frozen=True, slots=True)
class PcmLayout:
    """Where the samples of a file lie, and what they are.

    Parameters
    ----------
    sample_rate : int
        Hz.
    channels : int
        Interleaved channels.
    encoding : Encoding
    data_offset : int
        Byte at which the first frame starts.
    frames : int
        Whole frames that the file really holds, whatever its header claims.

    Raises
    ------
    AudioError
        If the rate or the number of channels is out of bounds.
    """

    sample_rate: int
    channels: int
    encoding: Encoding
    data_offset: int
    frames: int

    def __post_init__(self) -> None:
        check_sample_rate(self.sample_rate)
        check_channels(self.channels)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame: one sample of every channel."""
        return self.channels * self.encoding.width


class PcmReader:
    """Reads mono blocks from an uncompressed file; implements `audio.AudioReader`.

    Parameters
    ----------
    file : binary file
        Seekable; the reader owns it and closes it.
    layout : PcmLayout
    name : str
        For error messages.
    """

    def __init__(self, file: BinaryIO, layout: PcmLayout, name: str) -> None:
        self.sample_rate = layout.sample_rate
        self.frames: int | None = layout.frames
        self._file = file
        self._layout = layout
        self._name = name
        self._position = 0  # frames read so far
        file.seek(layout.data_offset)

    def read(self, n_frames: int) -> Float32:
        """Decode the next frames and average their channels.

        Parameters
        ----------
        n_frames : int
            How many are wanted.

        Returns
        -------
        float32, shape (k,)
            k < n_frames only at the end of the file.

        Raises
        ------
        AudioError
            If a float sample is not finite.
        FileError
            If the file cannot be read.
        """
        mono = np.empty(min(n_frames, self._layout.frames - self._position), np.float32)
        block_frames = max(1, BLOCK_BYTES // self._layout.frame_bytes)
        for start in range(0, len(mono), block_frames):
            wanted = min(block_frames, len(mono) - start)
            block = self._read_block(wanted)
            mono[start : start + len(block)] = block
            self._position += len(block)
            if len(block) < wanted:  # the file was cut while it was being read
                return mono[: start + len(block)]
        return mono

    def _read_block(self, n_frames: int) -> Float32:
        layout = self._layout
        try:
            data = self._file.read(n_frames * layout.frame_bytes)
        except OSError as error:
            raise FileError(f"{self._name}: cannot be read: {error.strerror or error}") from error
        whole = len(data) // layout.frame_bytes * layout.frame_bytes
        samples = layout.encoding.decode(data[:whole])
        samples = samples.reshape(-1, layout.channels)
        if layout.encoding.kind == "float":
            try:
                check_magnitude(samples, self._position)
            except AudioError as error:
                raise AudioError(f"{self._name}: {error}") from None
        return downmix(samples)

    def close(self) -> None:
        """Close the file."""
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
