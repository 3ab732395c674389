"""Audio: a mono clip in memory, and a song file read in blocks."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

import numpy as np

from ..arrays import Float32
from ..errors import AudioError, DependencyError, FileError
from .au import is_au, read_au_layout
from .pcm import PcmReader, check_magnitude, check_sample_rate
from .resampling import Resampler
from .soundfile_reader import SoundFileReader
from .wav import is_wav, read_wav_layout

BLOCK_FRAMES = 1 << 16
_SYNC = 0xFF  # how a frame of MPEG audio begins
MAX_LOADED_FRAMES = 1 << 28  # 1 GiB of samples, 3.4 h at 22 050 Hz


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """A mono clip.

    Parameters
    ----------
    samples : float32, shape (n,)
        Full scale is 1.
    sample_rate : int
        Hz.

    Raises
    ------
    AudioError
        If the samples are not one-dimensional, finite float32, or the rate is out of bounds.
    """

    samples: Float32
    sample_rate: int

    def __post_init__(self) -> None:
        check_sample_rate(self.sample_rate)
        if self.samples.dtype != np.float32 or self.samples.ndim != 1:
            raise AudioError(
                f"samples are {self.samples.dtype} of shape {self.samples.shape}: "
                "must be float32 of shape (n,)"
            )
        check_magnitude(self.samples, 0)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


class AudioReader(Protocol):
    """A song that is decoded block by block, in constant memory."""

    sample_rate: int
    """Hz."""

    frames: int | None
    """Length, where it is known before the end is reached."""

    def read(self, n_frames: int) -> Float32:
        """Return the next mono samples, shape (k,); k < n_frames only at the end."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_audio(path: str | os.PathLike[str]) -> AudioReader:
    """Open a song; its first bytes decide the format, not its name.

    WAV and .au are read here; FLAC, OGG and MP3 need the extra `audio`, AAC, ALAC, WMA and the
    sound tracks of films the extra `ffmpeg`, which also reads an MP3 whole that does not say how
    long it is.

    Parameters
    ----------
    path : path-like
        A regular file.

    Returns
    -------
    AudioReader
        To be closed, or used in a `with` statement.

    Raises
    ------
    FileError
        If there is no such file, or it cannot be read, or it is a folder, device or pipe.
    AudioError
        If it is not audio, or is audio outside the bounds.
    DependencyError
        If it takes `soundfile` and that is not installed.

    Examples
    --------
    >>> with open_audio("song.wav") as reader:  # doctest: +SKIP
    ...     while len(block := reader.read(65_536)):
    ...         use(block)
    """
    file = _open_regular(path)
    try:
        return _make_reader(file, str(path))
    except BaseException:
        file.close()
        raise


def _open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    source = Path(path)
    try:
        if not stat.S_ISREG(source.stat().st_mode):  # opening a pipe would wait for its writer
            raise FileError(f"{source}: not a regular file")
        return source.open("rb")
    except FileError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{source}: cannot be read: {reason}") from error


def _make_reader(file: BinaryIO, name: str) -> AudioReader:
    try:
        head = file.read(12)
        if not head:
            raise AudioError("an empty file")
        layout = None
        if is_wav(head):
            layout = read_wav_layout(file)
        elif is_au(head):
            layout = read_au_layout(file)
    except AudioError as error:
        raise AudioError(f"{name}: {error}") from None
    except OSError as error:
        raise FileError(f"{name}: cannot be read: {error.strerror or error}") from error
    if layout is not None:
        return PcmReader(file, layout, name)
    if head[:3] == b"ID3" or head[0] == _SYNC:  # MP3, perhaps
        from .mpeg import may_be_cut_short

        if may_be_cut_short(file) and has_ffmpeg():
            return _ffmpeg(file, name)
    try:
        return SoundFileReader(file, name)
    except (AudioError, DependencyError) as error:
        if has_ffmpeg():
            return _ffmpeg(file, name)
        if isinstance(error, DependencyError):
            raise
        raise AudioError(f'{error} AAC, WMA and more: pip install "genrekit[ffmpeg]"') from error


def has_ffmpeg() -> bool:
    """Whether the package `av` is installed; it brings FFmpeg's libraries with it."""
    return importlib.util.find_spec("av") is not None


def _ffmpeg(file: BinaryIO, name: str) -> AudioReader:
    from .ffmpeg_reader import FfmpegReader  # few songs need it

    return FfmpegReader(file, name)


def load_audio(path: str | os.PathLike[str], sample_rate: int | None = None) -> Audio:
    """Read a whole song into memory, mono.

    Parameters
    ----------
    path : path-like
        A regular file.
    sample_rate : int, optional
        Hz; the file's own rate by default.

    Returns
    -------
    Audio

    Raises
    ------
    AudioError
        As `open_audio`; also if there are no samples, or more than 2 ** 28.
    FileError, DependencyError
        As `open_audio`.
    """
    with open_audio(path) as reader:
        target_rate = reader.sample_rate if sample_rate is None else sample_rate
        resampler = Resampler(reader.sample_rate, target_rate)
        blocks: list[Float32] = []
        held = 0
        while len(block := reader.read(BLOCK_FRAMES)):
            blocks.append(resampler.push(block))
            held += len(blocks[-1])
            if held > MAX_LOADED_FRAMES:
                raise AudioError(
                    f"{path}: more than {MAX_LOADED_FRAMES} samples; "
                    "read it in blocks, with open_audio"
                )
    if not blocks:
        raise AudioError(f"{path}: no samples; at least one is needed")
    blocks.append(resampler.flush())
    return Audio(np.concatenate(blocks), target_rate)
