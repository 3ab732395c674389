"""PortAudio: sound cards through the optional package `sounddevice`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ..arrays import Float32
from ..errors import AudioError, DependencyError
from .microphone import Deliver, InputDevice
from .sources import BLOCK_S


class PortAudio:
    """Opens sound cards; implements `microphone.SoundDriver`.

    Raises
    ------
    DependencyError
        If `sounddevice`, or the C library that it wraps, is not installed.
    """

    def __init__(self) -> None:
        self._sounddevice = _import_sounddevice()

    def devices(self) -> tuple[InputDevice, ...]:
        """Return the inputs that are plugged in now; see `SoundDriver.devices`."""
        # PortAudio looks for devices only when it starts, so it is started again.
        try:
            with _quiet():
                self._sounddevice._terminate()
                self._sounddevice._initialize()
            found = self._sounddevice.query_devices()
            default = self._sounddevice.default.device[0]
        except self._sounddevice.PortAudioError as error:
            raise AudioError(f"PortAudio cannot list the sound cards: {error}") from error
        return tuple(
            InputDevice(
                index=index,
                name=device["name"],
                channels=device["max_input_channels"],
                default_rate=round(device["default_samplerate"]),
                is_default=index == default,
            )
            for index, device in enumerate(found)
            if device["max_input_channels"] > 0
        )

    def record(
        self, device: InputDevice, sample_rate: int, channels: int, deliver: Deliver
    ) -> PortAudioRecording:
        """Start to record; see `SoundDriver.record`."""

        def callback(frames: Float32, _count: int, _time: object, status: Any) -> None:
            deliver(np.array(frames), bool(status.input_overflow))

        try:
            with _quiet():
                stream = self._sounddevice.InputStream(
                    samplerate=sample_rate,
                    blocksize=round(BLOCK_S * sample_rate),
                    device=device.index,
                    channels=channels,
                    dtype="float32",
                    latency="high",  # on a busy Pi a low latency only loses samples
                    callback=callback,
                )
                stream.start()
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise AudioError(
                f"{device.name}: does not record {channels} channels at {sample_rate} Hz: {error}"
            ) from error
        return PortAudioRecording(stream, sample_rate)


class PortAudioRecording:
    """A stream that is recording; implements `microphone.Recording`."""

    def __init__(self, stream: Any, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._stream = stream

    def alive(self) -> bool:
        """Tell whether PortAudio still calls back."""
        return bool(self._stream.active)

    def close(self) -> None:
        """Stop and free the stream, whatever state its device is in."""
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)


def _import_sounddevice() -> ModuleType:
    try:
        with _quiet():
            import sounddevice
    except ImportError as error:
        raise DependencyError(
            'a microphone needs sounddevice: pip install "genrekit[mic]"'
        ) from error
    except OSError as error:
        raise DependencyError(
            "sounddevice cannot load PortAudio: sudo apt install libportaudio2"
        ) from error
    module: ModuleType = sounddevice
    return module


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep ALSA's remarks on every card that is not there off the screen."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
