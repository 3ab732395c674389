"""Degradation: what phones, codecs and rooms do to music, for models that must bear it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genrekit.arrays import Float32

Degrade = Callable[[Float32, int, np.random.Generator], Float32]
_ORDER = 10  # of the low-pass


def low_pass(samples: Float32, sample_rate: int, cut_hz: float) -> Float32:
    """Take away what lies above a frequency (Butterworth, order 10).

    Parameters
    ----------
    samples : float32, shape (n,)
    sample_rate : int
        Hz.
    cut_hz : float
        At or above half the sample rate, nothing is taken away.
    """
    from scipy.signal import butter, sosfilt

    if cut_hz >= sample_rate / 2:
        return samples
    sections = butter(_ORDER, cut_hz, fs=sample_rate, output="sos")
    return np.asarray(sosfilt(sections, samples), np.float32)


def add_noise(samples: Float32, snr_db: float, rng: np.random.Generator) -> Float32:
    """Add white noise at a signal-to-noise ratio in dB."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    scale = np.sqrt(power) * 10.0 ** (-snr_db / 20.0)
    return np.asarray(samples + scale * rng.standard_normal(len(samples)), np.float32)


def add_room(samples: Float32, sample_rate: int, rng: np.random.Generator) -> Float32:
    """Play samples in a room and hear them through a small microphone.

    The impulse response is the direct sound and decaying noise: a reverberation time of 0.2 to
    0.7 s, the tail 2 dB above to 10 dB below the direct sound; then a band of about 80-250 Hz to
    5-7.5 kHz.
    """
    from scipy.signal import butter, fftconvolve, sosfilt

    length = int(sample_rate * rng.uniform(0.2, 0.7))
    tail = rng.standard_normal(length) * 10.0 ** (-3.0 * np.arange(length) / length)
    tail *= rng.uniform(0.3, 1.2) / np.sqrt(np.square(tail).sum())
    tail[0] = 1.0
    heard = fftconvolve(samples, tail)[: len(samples)]
    band = (rng.uniform(80.0, 250.0), rng.uniform(5_000.0, 7_500.0))
    sections = butter(2, band, btype="band", fs=sample_rate, output="sos")
    return np.asarray(sosfilt(sections, heard), np.float32)


def _cut(hz: float) -> Degrade:
    return lambda samples, rate, _: low_pass(samples, rate, hz)


def _noisy(db: float) -> Degrade:
    return lambda samples, _, rng: add_noise(samples, db, rng)


DEGRADATIONS: dict[str, Degrade] = {
    "low-pass 7 kHz": _cut(7_000.0),
    "low-pass 6 kHz": _cut(6_000.0),
    "low-pass 4 kHz": _cut(4_000.0),
    "low-pass 3.7 kHz": _cut(3_700.0),
    "noise 20 dB": _noisy(20.0),
    "noise 10 dB": _noisy(10.0),
    "room": lambda samples, rate, rng: add_room(samples, rate, rng),
    "another room": lambda samples, rate, rng: add_room(samples, rate, rng),
}
