"""Endless sound: generated audio that never repeats, of which any stretch can be made alone."""

from __future__ import annotations

import functools

import numpy as np

from genrekit.arrays import Float32

_CHANGE_S = 20  # seconds between changes of chord and loudness


def stretch(first: int, count: int, sample_rate: int, seed: int) -> Float32:
    """Return samples first..first + count.

    Parameters
    ----------
    first, count : int
    sample_rate : int
        Hz.
    seed : int

    Returns
    -------
    float32, shape (count,)
    """
    seconds = range(first // sample_rate, (first + count - 1) // sample_rate + 1)
    samples = np.concatenate([second_of_sound(index, sample_rate, seed) for index in seconds])
    start = first - seconds[0] * sample_rate
    return samples[start : start + count]


def second_of_sound(index: int, sample_rate: int, seed: int) -> Float32:
    """Return one second: a chord under noise; float32, shape (sample_rate,)."""
    chord, noise_level = _chord(index // _CHANGE_S, sample_rate, seed)
    noise = np.random.default_rng([seed, 1, index]).standard_normal(sample_rate, dtype=np.float32)
    return chord + noise_level * noise


@functools.lru_cache(maxsize=1)
def _chord(number: int, sample_rate: int, seed: int) -> tuple[Float32, np.float32]:
    rng = np.random.default_rng([seed, 0, number])
    tones_hz = rng.integers(60, 4_000, (4, 1))  # whole, so that seconds join without a click
    amplitudes = rng.uniform(0.01, 0.15, (4, 1))
    time_s = np.arange(sample_rate) / sample_rate
    chord = (amplitudes * np.sin(2.0 * np.pi * tones_hz * time_s)).sum(axis=0)
    return chord.astype(np.float32), np.float32(rng.uniform(0.01, 0.15))
