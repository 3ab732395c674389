"""The reference signal: the same sound on every machine, from which an artifact proves itself."""

from __future__ import annotations

import numpy as np

from ..arrays import Float32
from ..artifact.card import Card
from ..artifact.sections import Probe, Reference
from ..engines.base import Engine
from ..errors import ConfigError
from .streams import CardStream

SIGNAL = "genrekit-reference-1"
FEATURE_TOLERANCE = 2e-3  # in normalised units: FFTs and matrix products round differently
_PROBES = 64


def reference_signal(n_samples: int, sample_rate: int) -> Float32:
    """Make the signal named `SIGNAL`: a gliding chord, a beat and noise below them.

    Every frequency band has energy in every frame, so that no feature hangs on rounding.

    Parameters
    ----------
    n_samples : int
    sample_rate : int
        Hz.

    Returns
    -------
    float32, shape (n_samples,)
    """
    index = np.arange(n_samples, dtype=np.uint32)
    noise = _noise(index)
    seconds = index.astype(np.float64) / sample_rate
    chord = sum(
        np.sin(2.0 * np.pi * hz * (seconds + 0.02 * seconds * seconds)) / (voice + 1)
        for voice, hz in enumerate((110.0, 277.0, 659.0, 1_480.0, 3_520.0))
    )
    since_beat = seconds - np.floor(seconds / 0.5) * 0.5
    beat = noise * np.exp(-24.0 * since_beat)
    return (0.2 * chord + 0.25 * beat + 0.03 * noise).astype(np.float32)


def _noise(
    index: np.ndarray[tuple[int, ...], np.dtype[np.uint32]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """White noise in -1..1 from each sample's index alone (32-bit integer hash).

    References
    ----------
    C. Wellons, "Prospecting for hash functions" (2018): lowbias32.
    """
    x = index + np.uint32(0x9E3779B9)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2.0**31 - 1.0


def reference_inputs(card: Card) -> dict[str, Float32]:
    """Compute a card's inputs, with a batch axis of 1, from one window of the signal.

    Raises
    ------
    ConfigError
        If the card's features and windows do not fit together.
    """
    stream = CardStream(card)
    samples = reference_signal(card.window_samples, card.features.sample_rate)
    windows = stream.push(samples) + stream.flush()
    if not windows:
        raise ConfigError("the card's windows never fill: its features and windowing disagree")
    return {name: tensor[np.newaxis] for name, tensor in windows[0].items()}


def measure_reference(card: Card, engine: Engine, *, logit_tolerance: float) -> Reference:
    """Compute what a card stores at export time.

    Parameters
    ----------
    card : Card
        Its `reference` is ignored.
    engine : Engine
        The exported model, loaded.
    logit_tolerance : float
        Largest absolute difference that another machine's rounding may make.
    """
    inputs = reference_inputs(card)
    probes = []
    for spec in card.inputs:
        flat = inputs[spec.name].ravel()
        index = probe_index(flat.size)
        probes.append(
            Probe(
                input=spec.name,
                index=tuple(int(i) for i in index),
                value=tuple(float(value) for value in flat[index]),
                tolerance=FEATURE_TOLERANCE,
            )
        )
    logits = engine.run(inputs)[0]
    return Reference(
        signal=SIGNAL,
        probes=tuple(probes),
        logits=tuple(float(value) for value in logits),
        logit_tolerance=logit_tolerance,
    )


def probe_index(size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Choose up to 64 positions spread over a tensor; a golden-ratio walk avoids its strides."""
    if size <= _PROBES:
        return np.arange(size)
    steps = np.arange(_PROBES) * 0.6180339887498949
    return np.unique((np.mod(steps, 1.0) * size).astype(np.int64))
