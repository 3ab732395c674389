"""Compressed audio (FLAC, OGG, MP3, ...) through the optional package `soundfile`."""

from __future__ import annotations

import os
from types import ModuleType, TracebackType
from typing import BinaryIO, Self

import numpy as np

from ..arrays import Float32
from ..errors import AudioError, DependencyError
from .pcm import BLOCK_BYTES, check_channels, check_magnitude, check_sample_rate, downmix


def _import_soundfile(name: str) -> ModuleType:
    try:
        import soundfile
    except ImportError as error:
        raise DependencyError(
            f"{name}: neither PCM WAV nor .au; other audio needs soundfile: "
            'pip install "genrekit[audio]"'
        ) from error
    except OSError as error:  # soundfile is there, the C library that it wraps is not
        raise DependencyError(
            f"{name}: soundfile cannot load libsndfile: sudo apt install libsndfile1"
        ) from error
    module: ModuleType = soundfile
    return module


class SoundFileReader:
    """Reads mono blocks through libsndfile; implements `audio.AudioReader`.

    Parameters
    ----------
    file : binary file
        A real file; the reader owns it and closes it.
    name : str
        For error messages.

    Raises
    ------
    DependencyError
        If `soundfile` is not installed.
    AudioError
        If libsndfile does not know the file, or its format is out of bounds.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        soundfile = _import_soundfile(name)
        self._error: type[Exception] = soundfile.SoundFileError
        self._file = file
        self._name = name
        self._position = 0  # frames read so far
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        try:
            # By descriptor, so that the content decides: soundfile looks at a name's extension.
            self._sound = soundfile.SoundFile(file.fileno(), closefd=False)
        except self._error as error:
            raise AudioError(f"{name}: not audio that can be read: {_one_line(error)}") from error
        try:
            check_sample_rate(self._sound.samplerate)
            check_channels(self._sound.channels)
        except AudioError as error:
            self._sound.close()
            raise AudioError(f"{name}: {error}") from None
        # A seekable SoundFile seeks to its own position after each read, which resets an MP3
        # decoder: a gap after every block. It also stops where the header says.
        self._sound.seekable = lambda: False
        self.sample_rate: int = self._sound.samplerate
        # A header's claim or an estimate, not a promise: decoding shows the true number.
        self.frames: int | None = None

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
            If the file is damaged, or a sample is not finite.
        """
        block_frames = max(1, BLOCK_BYTES // (4 * self._sound.channels))
        blocks: list[Float32] = []
        missing = n_frames
        while missing > 0:
            block = self._read_block(min(missing, block_frames))
            if len(block) == 0:
                break
            blocks.append(block)
            missing -= len(block)
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)

    def _read_block(self, n_frames: int) -> Float32:
        try:
            samples: Float32 = self._sound.read(n_frames, dtype="float32", always_2d=True)
            check_magnitude(samples, self._position)
        except (self._error, AudioError) as error:
            raise AudioError(
                f"{self._name}: damaged after {self._position / self.sample_rate:.1f} s: "
                f"{_one_line(error)}"
            ) from error
        self._position += len(samples)
        return downmix(samples)

    def close(self) -> None:
        """Close the file."""
        self._sound.close()
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


def _one_line(error: Exception) -> str:
    # libsndfile's own words, without the number that the file is open under.
    return " ".join(str(getattr(error, "error_string", error)).split())
