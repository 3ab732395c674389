"""Streams: samples in, feature frames and model windows out, in fixed memory.

Files and microphones take the same path, so streaming equals offline by construction: the
offline features of a clip are one long push and a flush.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import Float32
from ..artifact.card import Card
from ..artifact.sections import InputSpec
from ..errors import AudioError, ConfigError
from ..features.config import FeatureConfig
from ..features.kinds import extract, from_power, streams
from ..features.stft import frame_power
from .inputs import to_tensor

_BLOCK_FRAMES = 64  # transformed at once: large enough for the FFT, small enough for the cache
# Pooled at once. A matrix product's rounding depends on its shape and on a row's place in it, so
# frame t always stands in row t % 16 of a product of 16 rows, whatever was pushed together: 64
# saves a tenth of a file's features, but makes a microphone's few frames cost four times as much.
_TILE_FRAMES = 16


class FrameStream:
    """Frames of a feature that needs only its frame's spectrum.

    Parameters
    ----------
    kind : str
        A kind for which `features.streams(kind, config)` holds.
    config : FeatureConfig

    Notes
    -----
    The buffers have a fixed size whatever is pushed. Frames do not depend on how the samples were
    cut, bit for bit; they equal `features.extract` of the whole clip up to float32 rounding.
    """

    def __init__(self, kind: str, config: FeatureConfig) -> None:
        self._kind = kind
        self._config = config
        self._buffer = np.zeros(config.n_fft + _BLOCK_FRAMES * config.hop_length, np.float32)
        self._tile = np.zeros((_TILE_FRAMES, config.n_bins), np.float32)
        self._margin = 0 if config.padding == "none" else config.n_fft // 2
        self.reset()

    def reset(self) -> None:
        """Start a new clip."""
        self._filled = 0
        self._row = 0  # in the tile, of the next frame
        self._started = self._config.padding != "reflect"
        if self._config.padding == "zero":
            self._append(np.zeros(self._margin, np.float32))
        # Reflection mirrors the clip's last samples, some of which have left the buffer by then.
        self._tail = np.zeros(0, np.float32)

    def push(self, samples: Float32) -> Float32:
        """Take any number of samples and return the frames that they complete.

        Parameters
        ----------
        samples : float32, shape (n,)

        Returns
        -------
        float32, shape (frames, bands)
        """
        if self._config.padding == "reflect":
            self._tail = np.concatenate([self._tail, samples])
            if not self._started:
                if len(self._tail) <= self._margin:
                    return self._frames([])
                samples = np.concatenate([self._tail[self._margin : 0 : -1], self._tail])
                self._started = True
            self._tail = self._tail[-(self._margin + 1) :].copy()
        return self._consume(samples)

    def flush(self) -> Float32:
        """End the clip and return its last frames, which overlap the padding.

        Returns
        -------
        float32, shape (frames, bands)

        Raises
        ------
        AudioError
            If the clip is too short for reflected padding.
        """
        if not self._started:
            raise AudioError(
                f"reflect padding needs {self._margin + 1} samples, the clip has {len(self._tail)}"
            )
        if self._config.padding == "zero":
            frames = self._consume(np.zeros(self._margin, np.float32))
        elif self._config.padding == "reflect":
            frames = self._consume(self._tail[-2::-1])
        else:
            frames = self._frames([])
        self.reset()
        return frames

    def _append(self, samples: Float32) -> None:
        self._buffer[self._filled : self._filled + len(samples)] = samples
        self._filled += len(samples)

    def _consume(self, samples: Float32) -> Float32:
        n_fft, hop = self._config.n_fft, self._config.hop_length
        parts: list[Float32] = []
        while len(samples):
            room = len(self._buffer) - self._filled
            self._append(samples[:room])
            samples = samples[room:]
            if self._filled < n_fft:
                continue
            frames = 1 + (self._filled - n_fft) // hop
            used = (frames - 1) * hop + n_fft
            parts += self._pooled(frame_power(self._buffer[:used], self._config))
            kept = self._filled - frames * hop
            self._buffer[:kept] = self._buffer[frames * hop : self._filled].copy()
            self._filled = kept
        return self._frames(parts)

    def _pooled(self, power: Float32) -> Iterator[Float32]:
        """Yield the feature of the next power spectra, tile by tile."""
        while len(power):
            rows = slice(self._row, min(_TILE_FRAMES, self._row + len(power)))
            count = rows.stop - rows.start
            self._tile[rows] = power[:count]
            yield from_power(self._kind, self._tile, self._config)[rows]
            power = power[count:]
            self._row = rows.stop % _TILE_FRAMES

    def _frames(self, parts: list[Float32]) -> Float32:
        if parts:
            return parts[0] if len(parts) == 1 else np.concatenate(parts)
        empty = np.zeros((0, self._config.n_bins), np.float32)
        return from_power(self._kind, empty, self._config)


class WindowStream:
    """Model input for one of a card's inputs, window by window.

    A feature whose frames stand alone is computed once per frame and shared by overlapping
    windows; any other (the 57-vector, or decibels below a maximum) is computed from each
    window's own samples.
    """

    def __init__(self, card: Card, spec: InputSpec) -> None:
        config, rate = card.features, card.features.sample_rate
        self._config = config
        self._spec = spec
        self._frames = FrameStream(spec.feature, config) if streams(spec.feature, config) else None
        if self._frames is None:
            self._size = card.window_samples
            self._hop = round(card.windowing.hop_s * rate)
        else:
            self._size = spec.frames
            if self._size != config.n_frames(card.window_samples):
                raise ConfigError(
                    f"input {spec.name!r}: {self._size} frames, but a window of "
                    f"{card.windowing.window_s} s gives {config.n_frames(card.window_samples)}"
                )
            self._hop = max(1, round(card.windowing.hop_s * rate / config.hop_length))
        self.reset()

    @property
    def hop_samples(self) -> int:
        """Samples between the starts of two windows."""
        return self._hop * (self._config.hop_length if self._frames else 1)

    def reset(self) -> None:
        """Start a new clip."""
        if self._frames:
            self._frames.reset()
        self._pending: Float32 | None = None
        self._skipped = 0  # rows still to come that lie between two windows

    def push(self, samples: Float32) -> list[Float32]:
        """Take samples and return the model inputs of the windows that they complete.

        Returns
        -------
        list of float32, each of shape `spec.shape`
        """
        return self._cut(self._frames.push(samples) if self._frames else samples)

    def flush(self) -> list[Float32]:
        """End the clip and return the inputs that its last frames complete."""
        windows = self._cut(self._frames.flush()) if self._frames else []
        self.reset()
        return windows

    def _cut(self, rows: Float32) -> list[Float32]:
        pending = rows if self._pending is None else np.concatenate([self._pending, rows])
        windows: list[Float32] = []
        start = self._skipped
        while start + self._size <= len(pending):
            window = pending[start : start + self._size]
            if self._frames is None:
                window = extract(self._spec.feature, window, self._config)
            windows.append(to_tensor(window, self._spec))
            start += self._hop
        # Without padding, the hop in frames may exceed a window's frames.
        self._skipped = max(0, start - len(pending))
        self._pending = pending[start:].copy()
        return windows


class CardStream:
    """All inputs of a card, window by window, from one stream of samples.

    Parameters
    ----------
    card : Card
    """

    def __init__(self, card: Card) -> None:
        self._card = card
        self._streams = {spec.name: WindowStream(card, spec) for spec in card.inputs}
        self.reset()

    @property
    def hop_s(self) -> float:
        """Seconds between the starts of two windows."""
        first = next(iter(self._streams.values()))
        return first.hop_samples / self._card.features.sample_rate

    def reset(self) -> None:
        """Start a new clip."""
        self._ready: dict[str, list[Float32]] = {name: [] for name in self._streams}
        self._head: Float32 | None = np.zeros(0, np.float32)
        for stream in self._streams.values():
            stream.reset()

    def push(self, samples: Float32) -> list[dict[str, Float32]]:
        """Take samples at the card's rate and return the windows that they complete.

        Parameters
        ----------
        samples : float32, shape (n,)

        Returns
        -------
        list of dict of str to float32
            One dict per window: input name to tensor without batch axis.
        """
        if self._head is not None:
            self._head = np.concatenate([self._head, samples[: self._card.window_samples]])
        for name, stream in self._streams.items():
            self._ready[name] += stream.push(samples)
        return self._collect()

    def flush(self) -> list[dict[str, Float32]]:
        """End the clip; one shorter than a window is padded by the card's rule.

        Raises
        ------
        AudioError
            If the clip has no samples.
        """
        if self._head is not None and len(self._head) < self._card.window_samples:
            head = self._padded(self._head)
            self.reset()
            windows = self.push(head)
        else:
            windows = []
        for name, stream in self._streams.items():
            self._ready[name] += stream.flush()
        windows += self._collect()
        self.reset()
        return windows

    def _padded(self, head: Float32) -> Float32:
        if not len(head):
            raise AudioError("no samples: nothing to classify")
        size = self._card.window_samples
        if self._card.windowing.short == "wrap":
            return np.resize(head, size)
        return np.concatenate([head, np.zeros(size - len(head), np.float32)])

    def _collect(self) -> list[dict[str, Float32]]:
        count = min(len(queue) for queue in self._ready.values())
        windows = [{name: queue[i] for name, queue in self._ready.items()} for i in range(count)]
        for queue in self._ready.values():
            del queue[:count]
        if count:
            self._head = None
        return windows
