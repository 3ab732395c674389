"""Sounds that are no music: speech by espeak-ng, noises, tones, sweeps, hum, clicks, beeps.

They teach and test a model's rule for unknown sounds. Speech needs the program espeak-ng.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from genrekit.arrays import Float32, Float64
from genrekit.audio.decoding import Audio, load_audio
from genrekit.errors import DependencyError

SAMPLE_RATE = 16_000
_SECONDS = 6
_SEEDS = 7
_PEAK = 0.5
_TEXTS = (
    "The quick brown fox jumps over the lazy dog while the train leaves the station at seven.",
    "Please hold the line, all our agents are busy. Your call will be answered shortly.",
    "Numbers follow: one, two, three, four, five, six, seven, eight, nine, ten, eleven.",
)
# fmt: off
_VOICES = (
    "en", "en-us", "de", "fr", "es", "it", "pt", "ru", "pl", "nl", "sv", "cs", "hu", "ro", "tr",
    "el", "fi", "da", "hi", "ja", "ar", "id", "vi", "en+f2", "en+f4", "en+m3", "en+m7",
    "en+croak", "en+whisper", "de+f3", "fr+m5", "es+f1",
)
# fmt: on


def not_music() -> Iterator[tuple[str, Audio]]:
    """Yield over 150 sounds, each with a name `kind/number`.

    Raises
    ------
    DependencyError
        If espeak-ng is not installed.
    """
    for name, samples in _made():
        peak = float(np.abs(samples).max()) or 1.0
        yield name, Audio((samples * (_PEAK / peak)).astype(np.float32), SAMPLE_RATE)
    yield from _speech()


def _speech() -> Iterator[tuple[str, Audio]]:
    if shutil.which("espeak-ng") is None:
        raise DependencyError("speech needs the program espeak-ng: apt-get install espeak-ng")
    with tempfile.TemporaryDirectory() as folder:
        for i, voice in enumerate(_VOICES):
            path = Path(folder, f"{i}.wav")
            words = ["-v", voice, "-s", str(120 + 10 * (i % 7)), "-p", str(30 + 5 * (i % 9))]
            command = ["espeak-ng", *words, "-w", str(path), _TEXTS[i % len(_TEXTS)]]
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed words
            yield f"speech/{i}", load_audio(path)


def _made() -> Iterator[tuple[str, Float64]]:
    t = np.arange(_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    for i, hz in enumerate((50, 100, 220, 440, 700, 1000, 1500, 2000, 3000, 4000, 5000, 6500)):
        yield f"sine/{i}", np.sin(2 * np.pi * hz * t)
    for i, hz in enumerate((60, 120, 300, 500, 800, 1200)):
        yield f"square/{i}", np.sign(np.sin(2 * np.pi * hz * t))
        yield f"sawtooth/{i}", (hz * t) % 1.0 - 0.5
    sweeps = ((50, 7000), (7000, 50), (200, 2000), (100, 400), (1000, 6000), (3000, 300))
    for i, (low, high) in enumerate(sweeps):
        yield f"sweep/{i}", np.sin(2 * np.pi * (low * t + (high - low) * t * t / (2 * _SECONDS)))
        rate = np.log(high / low) / _SECONDS
        yield f"glide/{i}", np.sin(2 * np.pi * low / rate * (np.exp(rate * t) - 1.0))
    for i, (hz, overtones) in enumerate((f, n) for f in (50, 60) for n in (3, 8, 20)):
        rng = np.random.default_rng(i)
        tones = (np.sin(2 * np.pi * hz * k * t + k) / k for k in range(1, overtones))
        yield f"hum/{i}", sum(tones, 0.01 * rng.standard_normal(len(t)))
    for i, per_second in enumerate((1, 2, 4, 7, 12, 20, 40)):
        clicks = np.zeros(len(t))
        clicks[:: SAMPLE_RATE // per_second] = 1.0
        yield f"clicks/{i}", clicks
    for seed in range(_SEEDS):
        yield from _random(seed, t)


def _random(seed: int, t: Float64) -> Iterator[tuple[str, Float64]]:
    rng = np.random.default_rng(seed)
    white = rng.standard_normal(len(t))
    spectrum = np.fft.rfft(white)
    order = np.maximum(1.0, np.arange(len(spectrum)))
    yield f"white noise/{seed}", white
    yield f"pink noise/{seed}", np.fft.irfft(spectrum / np.sqrt(order), len(t))
    yield f"brown noise/{seed}", np.fft.irfft(spectrum / order, len(t))
    yield f"blue noise/{seed}", np.diff(white, prepend=0.0)
    swell: Float64 = np.interp(t, np.linspace(0.0, _SECONDS, 20), rng.uniform(0.0, 1.0, 20))
    yield f"gusts/{seed}", swell * np.fft.irfft(spectrum / order**0.7, len(t))
    gate = np.heaviside(np.sin(2 * np.pi * rng.uniform(0.5, 3.0) * t), 0.0)
    yield f"beeps/{seed}", gate * np.sin(2 * np.pi * rng.uniform(400.0, 3000.0) * t)
    yield f"pulsing noise/{seed}", white * (1.0 + np.sin(2 * np.pi * rng.uniform(2, 30) * t))
    yield f"rain/{seed}", white * (rng.random(len(t)) < 0.02)
    pair = (rng.choice([697, 770, 852, 941]), rng.choice([1209, 1336, 1477]))
    keyed = np.heaviside(np.sin(2 * np.pi * 2.0 * t) + 0.3, 0.0)
    yield f"dialling/{seed}", keyed * sum(np.sin(2 * np.pi * hz * t) for hz in pair)
    engine = np.zeros(len(t))
    for k in range(1, 15):
        hz = rng.uniform(20.0, 40.0) * k
        engine += rng.uniform(0.2, 1.0) * np.sin(2 * np.pi * hz * t + rng.uniform(0.0, 6.0))
    yield f"engine/{seed}", engine * (1.0 + 0.3 * white)
    spikes: Float32 = np.zeros(len(t), np.float32)
    spikes[rng.integers(0, len(t), 60)] = rng.choice([-1.0, 1.0], 60)
    yield f"crackle/{seed}", spikes.astype(np.float64)
