"""Production: what a studio and a medium do to a mix, chosen mostly without regard to genre."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from genrekit.arrays import Float32

from .genres.style import Sound

_PIVOT_HZ = 800.0  # where a tilted spectrum keeps its level
_BLOCK_S = 0.012  # time between two readings of the compressor's level
_CEILING = 0.98


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Mastering:
    """Every choice of one track's production."""

    tilt_db: float  # per octave around the pivot
    low_hz: float  # band limits, 12 dB per octave
    high_hz: float
    presence_db: float  # one broad resonance
    presence_hz: float
    reverb_s: float  # time in which the reverberation falls by 60 dB
    wet_db: float  # its energy relative to the dry sound
    compression: float  # 0 leaves the dynamics, 1 flattens them
    saturation_db: float  # drive into a soft clipper
    hiss_db: float  # noise relative to the music
    hiss_tilt_db: float  # per octave
    crackles_hz: float  # clicks per second
    wow: float  # relative depth of a slow pitch variation
    loudness_db: float  # RMS re full scale


def draw_mastering(sound: Sound, rng: np.random.Generator) -> Mastering:
    """Draw a track's production around what its style likes."""
    low_fi = rng.random() < 0.1
    return Mastering(
        tilt_db=float(sound.tilt_db + rng.normal(0.0, 0.6)),
        low_hz=float(np.exp(rng.uniform(math.log(20), math.log(180 if low_fi else 60)))),
        high_hz=float(np.exp(rng.uniform(math.log(3_500 if low_fi else 8_000), math.log(14_000)))),
        presence_db=float(rng.normal(0.0, 2.0)),
        presence_hz=float(np.exp(rng.uniform(math.log(200), math.log(5_000)))),
        reverb_s=float(sound.reverb_s * np.exp(rng.normal(0.0, 0.5))),
        wet_db=float(sound.wet_db + rng.normal(0.0, 4.0)),
        compression=float(np.clip(sound.compression + rng.normal(0.0, 0.25), 0.0, 0.9)),
        saturation_db=float(max(0.0, rng.normal(0.0, 5.0))),
        hiss_db=float(rng.uniform(-50, -32) if rng.random() < 0.3 else rng.uniform(-75, -50)),
        hiss_tilt_db=float(rng.uniform(-4.0, 0.0)),
        crackles_hz=float(rng.uniform(2, 25)) if rng.random() < sound.vinyl else 0.0,
        wow=float(rng.uniform(0.0, 0.002)) if rng.random() < 0.15 else 0.0,
        loudness_db=float(rng.uniform(-24.0, -12.0)),
    )


def master(mix: Float32, sample_rate: int, choices: Mastering, rng: np.random.Generator) -> Float32:
    """Turn a mix into a finished track.

    Parameters
    ----------
    mix : float32, shape (samples,)
        The parts' sum, at any level.
    sample_rate : int
        In Hz.
    choices : Mastering
        What to do.
    rng : numpy.random.Generator
        Source of reverberation, hiss and crackle.

    Returns
    -------
    float32, shape (samples,)
        Samples in -1..1, at the chosen loudness where peaks allow it.
    """
    track = _compress(_at_rms(mix, 0.1), choices.compression, sample_rate)
    if choices.wow > 0:
        track = _wow(track, choices.wow, sample_rate)
    if choices.saturation_db > 0:
        drive = np.float32(10.0 ** (choices.saturation_db / 20.0))
        track = np.tanh(_at_rms(track, 0.12) * drive, dtype=np.float32)
    track = _at_rms(_room_and_tone(track, sample_rate, choices, rng), 0.1)
    track += _hiss(len(track), sample_rate, choices, rng)
    if choices.crackles_hz > 0:
        track += _crackle(len(track), sample_rate, choices.crackles_hz, rng)
    return _limit(_at_rms(track, 10.0 ** (choices.loudness_db / 20.0)))


def _at_rms(samples: Float32, rms: float) -> Float32:
    energy = math.sqrt(float(np.dot(samples, samples)) / max(len(samples), 1))
    return samples * np.float32(rms / max(energy, 1e-9))


def _compress(samples: Float32, amount: float, sample_rate: int) -> Float32:
    """Divide by a smoothed level, to the power `amount`."""
    block = max(1, round(_BLOCK_S * sample_rate))
    padded = np.pad(samples, (0, -len(samples) % block)).reshape(-1, block)
    power = np.mean(padded**2, axis=1)
    smooth = signal.lfilter([0.15], [1.0, -0.85], power)
    gain = (np.sqrt(smooth) + 0.01) ** -amount
    at = np.arange(len(samples), dtype=np.float32) / block
    return samples * np.asarray(np.interp(at, np.arange(len(gain)), gain), np.float32)


def _wow(samples: Float32, depth: float, sample_rate: int) -> Float32:
    """Vary the pitch as a record pressed off its center does, at 33 1/3 turns a minute."""
    turns_hz = 100.0 / 180.0
    time = np.arange(len(samples)) / sample_rate
    sway = depth / (2 * np.pi * turns_hz) * (1 - np.cos(2 * np.pi * turns_hz * time))
    at = np.maximum(time - sway, 0.0) * sample_rate
    return np.asarray(np.interp(at, np.arange(len(samples)), samples), np.float32)


def _room_and_tone(
    samples: Float32, sample_rate: int, choices: Mastering, rng: np.random.Generator
) -> Float32:
    """Reverberation and equalisation in one multiplication of spectra."""
    tail = round(min(choices.reverb_s, 3.0) * sample_rate)
    decay = np.exp(-6.9 / max(tail, 1) * np.arange(tail, dtype=np.float32))
    room = rng.standard_normal(tail, dtype=np.float32) * decay
    room *= np.float32(10 ** (choices.wet_db / 20) / max(float(np.linalg.norm(room)), 1e-9))
    # Air and walls take the top off a room.
    room = np.asarray(signal.lfilter([0.45], [1.0, -0.55], room), np.float32)
    response = np.concatenate([np.ones(1, np.float32), room])
    size = fft.next_fast_len(len(samples) + len(response) - 1, real=True)
    spectrum = fft.rfft(samples, size)
    spectrum *= fft.rfft(response, size)
    spectrum *= _equaliser(size, sample_rate, choices)
    return np.asarray(fft.irfft(spectrum, size)[: len(samples)], np.float32)


def _equaliser(size: int, sample_rate: int, choices: Mastering) -> Float32:
    """Gain per bin of an rfft of `size` samples; float32, shape (size // 2 + 1,)."""
    # A curve this smooth needs few points: computed on 512, interpolated to the bins.
    grid = np.linspace(0.0, sample_rate / 2, 512)
    hz = np.maximum(grid, 1.0)
    octaves = np.log2(np.clip(hz, 30.0, None) / _PIVOT_HZ)
    shape = np.exp(-0.5 * (np.log2(hz / choices.presence_hz) / 0.7) ** 2)
    gain = 10.0 ** ((choices.tilt_db * octaves + choices.presence_db * shape) / 20.0)
    gain /= np.sqrt(1 + (choices.low_hz / hz) ** 4) * np.sqrt(1 + (hz / choices.high_hz) ** 4)
    gain[0] = 0.0
    bins = np.arange(size // 2 + 1) * (sample_rate / size)
    return np.asarray(np.interp(bins, grid, gain), np.float32)


def _hiss(samples: int, sample_rate: int, choices: Mastering, rng: np.random.Generator) -> Float32:
    """Noise with a sloping spectrum, relative to music at an RMS of 0.1."""
    size = fft.next_fast_len(samples, real=True)
    bins: NDArray[np.float64] = np.arange(1, size // 2 + 2) * (sample_rate / size)
    slope = (bins / _PIVOT_HZ) ** (choices.hiss_tilt_db / 6.02)
    spectrum = fft.rfft(rng.standard_normal(size, dtype=np.float32))
    spectrum *= np.minimum(slope, 30.0).astype(np.float32)
    noise = np.asarray(fft.irfft(spectrum, size)[:samples], np.float32)
    return _at_rms(noise, 0.1 * 10.0 ** (choices.hiss_db / 20.0))


def _crackle(samples: int, sample_rate: int, rate_hz: float, rng: np.random.Generator) -> Float32:
    """Clicks of random size at random times."""
    count = int(rng.poisson(rate_hz * samples / sample_rate))
    clicks = np.zeros(samples, np.float32)
    at = rng.integers(0, samples, count)
    clicks[at] = rng.exponential(0.06, count) * rng.choice((-1.0, 1.0), count)
    return np.asarray(signal.lfilter([1.0], [1.0, -0.6], clicks), np.float32)


def _limit(samples: Float32) -> Float32:
    """Bend the peaks under the ceiling; sounds below half of it stay as they are."""
    knee = np.float32(0.5 * _CEILING)
    size = np.abs(samples)
    over = np.maximum(size - knee, 0.0)
    bent = knee + knee * np.tanh(over / knee)
    return np.where(size > knee, np.sign(samples) * bent, samples).astype(np.float32)
