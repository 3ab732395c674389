"""GenreClassifier: an artifact, its features and an engine, from a song to ranked genres."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from ..arrays import Float32, Float64
from ..artifact.container import Artifact, read_artifact
from ..artifact.packaged import choose_model
from ..audio.decoding import Audio, open_audio
from ..audio.resampling import Resampler
from ..engines.registry import load_engine
from ..errors import AudioError, ConfigError
from .decision import WindowDecision, decide, is_silent, together
from .prediction import Prediction, Segment, rank
from .streams import CardStream

_BLOCK_S = 5.0  # of audio held at once: files of any length take the same memory


def load(
    path: str | os.PathLike[str] | None = None, *, threads: int = 1, engine: str | None = None
) -> GenreClassifier:
    """Load a model file, or without one the model in the wheel; see `GenreClassifier.load`."""
    return GenreClassifier.load(choose_model(path), threads=threads, engine=engine)


class GenreClassifier:
    """A loaded model that names the genre of songs.

    Examples
    --------
    >>> classifier = GenreClassifier.load("model.onnx")  # doctest: +SKIP
    >>> classifier.classify("song.wav").label  # doctest: +SKIP
    'jazz'
    """

    def __init__(self, artifact: Artifact, *, threads: int = 1, engine: str | None = None) -> None:
        self.artifact = artifact
        self.card = artifact.card
        self._engine = load_engine(artifact, threads=threads, engine=engine)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, threads: int = 1, engine: str | None = None
    ) -> GenreClassifier:
        """Read, check and load a model file.

        Parameters
        ----------
        path : path-like
            An .onnx or .tflite file made by `genrekit export`.
        threads : int
            Threads of one inference.
        engine : str, optional
            One of `engines.registry.ENGINES`; None takes the first that is installed.

        Raises
        ------
        ArtifactError, FileError, EngineError, DependencyError
        """
        return cls(read_artifact(path), threads=threads, engine=engine)

    @property
    def engine_name(self) -> str:
        """The inference engine in use."""
        return self._engine.name

    def classify(
        self, source: str | os.PathLike[str] | Audio, *, min_probability: float = 0.0
    ) -> Prediction:
        """Name the genre of a song.

        Parameters
        ----------
        source : path-like or Audio
            A file of any length, read block by block, or samples in memory.
        min_probability : float
            Below it no genre is named.

        Raises
        ------
        AudioError, FileError
            If it cannot be decoded or has no samples.
        """
        clock = _Stopwatch()
        samples = 0

        def counted(blocks: Iterable[Float32]) -> Iterator[Float32]:
            nonlocal samples
            for block in blocks:
                samples += len(block)
                yield block
            if not samples:
                raise AudioError(f"{_name(source)}: no samples: nothing to classify")

        with clock.stage("total"):
            blocks, rate = _blocks(source, clock)
            decisions = list(self._windows(counted(blocks), rate, clock))
        return self._predict(decisions, samples / rate, clock.ms, min_probability)

    def embed(self, source: str | os.PathLike[str] | Audio) -> Float32:
        """Compute the model's embedding of each window that is not silent.

        Parameters
        ----------
        source : path-like or Audio

        Returns
        -------
        float32, shape (windows, values)

        Raises
        ------
        ConfigError
            If the model has no embedding.
        AudioError, FileError
            If the source cannot be decoded, or has no samples.
        """
        if self.card.embedding is None:
            raise ConfigError(f"{self.artifact.path}: this model gives no embedding")
        return self.outputs(source)[self.card.embedding]

    def outputs(self, source: str | os.PathLike[str] | Audio) -> dict[str, Float32]:
        """Compute all outputs of the model for each window that is not silent.

        Returns
        -------
        dict of str to float32, each of shape (windows, values)
            By the names in the card.

        Raises
        ------
        AudioError, FileError
            If the source cannot be decoded, or holds silence alone.
        """
        blocks, rate = _blocks(source, _Stopwatch())
        rows = [
            self._engine.outputs({key: x[np.newaxis] for key, x in window.items()})
            for window in self._inputs(blocks, rate, _Stopwatch())
            if not is_silent(self.card, window)
        ]
        if not rows:
            raise AudioError(f"{_name(source)}: silent: nothing to hear in it")
        return {name: np.concatenate([row[name] for row in rows]) for name in self.card.outputs}

    def windows(self, blocks: Iterable[Float32], sample_rate: int) -> Iterator[Float64]:
        """Classify mono samples as they come, window by window.

        Parameters
        ----------
        blocks : iterable of float32, shape (n,)
            One recording, cut anywhere: the results do not depend on where.
        sample_rate : int
            Hz, of the blocks.

        Yields
        ------
        float64, shape (labels,)
            Probabilities of one window, in the order of the card's labels.

        Raises
        ------
        AudioError
            If there are no samples.
        """
        for decision in self._windows(blocks, sample_rate, _Stopwatch()):
            yield decision.probabilities

    def _windows(
        self, blocks: Iterable[Float32], sample_rate: int, clock: _Stopwatch
    ) -> Iterator[WindowDecision]:
        for window in self._inputs(blocks, sample_rate, clock):
            with clock.stage("inference"):
                decision = decide(self.card, self._engine, window)
            yield decision

    def _inputs(
        self, blocks: Iterable[Float32], sample_rate: int, clock: _Stopwatch
    ) -> Iterator[dict[str, Float32]]:
        stream = CardStream(self.card)
        resampler = Resampler(sample_rate, self.card.features.sample_rate)
        for block in blocks:
            with clock.stage("resample"):
                resampled = resampler.push(block)
            with clock.stage("features"):
                windows = stream.push(resampled)
            yield from windows
        with clock.stage("resample"):
            resampled = resampler.flush()
        with clock.stage("features"):
            windows = stream.push(resampled) + stream.flush()
        yield from windows

    def _predict(
        self,
        decisions: list[WindowDecision],
        duration_s: float,
        latency_ms: dict[str, float],
        min_probability: float,
    ) -> Prediction:
        labels, window_s = self.card.labels, self.card.windowing.window_s
        hop_s = CardStream(self.card).hop_s
        segments = []
        for index, decision in enumerate(decisions):
            best = int(decision.probabilities.argmax())
            start = index * hop_s
            end = min(start + window_s, duration_s)
            label = None if decision.reason(self.card) else labels[best]
            segments.append(Segment(start, end, label, float(decision.probabilities[best])))
        mean, reason, strangeness = together(self.card, decisions, least=min_probability)
        return Prediction(
            ranking=rank(mean, labels),
            segments=tuple(segments),
            duration_s=duration_s,
            latency_ms=latency_ms,
            reason=reason,
            strangeness=strangeness,
        )


def _name(source: str | os.PathLike[str] | Audio) -> str:
    return "audio" if isinstance(source, Audio) else str(source)


class _Stopwatch:
    """Adds up the time of named stages, in milliseconds."""

    def __init__(self) -> None:
        self.ms = dict.fromkeys(("decode", "resample", "features", "inference", "total"), 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.ms[name] += (time.perf_counter() - start) * 1e3


def _blocks(
    source: str | os.PathLike[str] | Audio, clock: _Stopwatch
) -> tuple[Iterator[Float32], int]:
    """Return an iterator over blocks of mono samples, and their rate in Hz."""
    if isinstance(source, Audio):
        return iter([source.samples]), source.sample_rate
    with clock.stage("decode"):
        reader = open_audio(source)

    def read() -> Iterator[Float32]:
        with reader:
            while True:
                with clock.stage("decode"):
                    block = reader.read(round(_BLOCK_S * reader.sample_rate))
                if not len(block):
                    return
                yield block

    return read(), reader.sample_rate
