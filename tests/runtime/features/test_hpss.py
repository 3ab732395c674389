"""Separation and inverse transform against librosa's, on real audio and at the edges."""

from __future__ import annotations

import csv
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from genrekit.arrays import Float32
from genrekit.errors import AudioError
from genrekit.features.config import FeatureConfig
from genrekit.features.hpss.separation import harmonic_percussive, istft, separate
from genrekit.features.stft import stft

SEGMENT = 66_149  # samples; one starts every 66 150
ZERO = FeatureConfig()
REFLECT = FeatureConfig(padding="reflect")


def mixture(n_samples: int) -> Float32:
    """A decaying click every quarter second over a chord and faint noise."""
    rng = np.random.default_rng(7)
    time = np.arange(n_samples) / 22_050
    chord = sum(np.sin(2 * np.pi * hz * time) for hz in (220.0, 277.2, 329.6))
    clicks = rng.standard_normal(n_samples) * np.exp(-60.0 * (time % 0.25))
    noise = rng.standard_normal(n_samples)
    return (0.1 * chord + 0.3 * clicks + 0.001 * noise).astype(np.float32)


def librosa_separate(samples: Float32, config: FeatureConfig) -> tuple[Float32, Float32]:
    harmonic, percussive = librosa.effects.hpss(
        samples,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        pad_mode="reflect" if config.padding == "reflect" else "constant",
    )
    return harmonic, percussive


def assert_variances_match(samples: Float32, config: FeatureConfig) -> None:
    ours = separate(stft(samples, config), config, samples.size)
    for mine, theirs in zip(ours, librosa_separate(samples, config), strict=True):
        assert mine.var() == pytest.approx(theirs.var(), rel=1e-5)  # the kit promises 1e-3
        np.testing.assert_allclose(mine, theirs, atol=2e-6)


@pytest.mark.parametrize(
    "config",
    [
        ZERO,
        REFLECT,
        FeatureConfig(n_fft=512, hop_length=128),
        FeatureConfig(n_fft=1_024, hop_length=300),  # frames do not end on a hop
        FeatureConfig(n_fft=512, hop_length=256),
    ],
)
@pytest.mark.parametrize("n_samples", [2_100, 20_480, 30_001])
def test_separation_equals_librosas(config: FeatureConfig, n_samples: int) -> None:
    assert_variances_match(mixture(n_samples), config)


def test_separation_equals_librosas_on_real_segments(gtzan: Path) -> None:
    for number, path in enumerate(sorted(gtzan.glob("genres_original/*/*.wav"))[::6]):
        samples, _ = soundfile.read(path, dtype="float32", start=66_150 * number, frames=SEGMENT)
        assert_variances_match(samples, REFLECT if number % 2 else ZERO)


@pytest.mark.slow
def test_separation_equals_librosas_on_whole_tracks_and_a_segment_of_each(gtzan: Path) -> None:
    paths = sorted(gtzan.glob("genres_original/*/*.wav"))
    assert len(paths) == 60
    for number, path in enumerate(paths):
        samples, _ = soundfile.read(path, dtype="float32")
        start = 66_150 * (number % 9)
        assert_variances_match(samples[start : start + SEGMENT], ZERO)
        if number % 6 == 0:
            assert_variances_match(samples, ZERO)


def test_variances_equal_the_kaggle_table(gtzan: Path) -> None:
    # Made with reflection, by a librosa that left the samples after the last whole hop at zero.
    with (gtzan / "features_30_sec.csv").open(newline="") as table:
        rows = {row["filename"]: row for row in csv.DictReader(table)}
    for path in sorted(gtzan.glob("genres_original/*/*.wav"))[::6]:
        samples, _ = soundfile.read(path, dtype="float32")
        whole = samples.size - samples.size % REFLECT.hop_length
        harmonic, percussive = separate(stft(samples, REFLECT), REFLECT, samples.size)
        for part, name in ((harmonic, "harmony"), (percussive, "perceptr")):
            part[whole:] = 0.0
            row = rows[path.name]
            assert part.var() == pytest.approx(float(row[f"{name}_var"]), rel=1e-5), path.name
            assert part.mean(dtype=np.float64) == pytest.approx(
                float(row[f"{name}_mean"]), abs=1e-7
            )


def test_parts_sum_to_the_mixture() -> None:
    spectra = stft(mixture(22_050), ZERO)
    harmonic, percussive = harmonic_percussive(spectra)
    np.testing.assert_allclose(harmonic + percussive, spectra, rtol=1e-5, atol=1e-5)


def test_silence_is_shared_out_in_halves() -> None:
    # One loud bin among silent ones: every median is zero, as in librosa's `split_zeros`.
    spectra = np.zeros((40, 65), np.complex64)
    spectra[20, 30] = 3.0 + 4.0j
    harmonic, percussive = harmonic_percussive(spectra)
    np.testing.assert_array_equal(harmonic, spectra / 2)
    np.testing.assert_array_equal(percussive, spectra / 2)


@pytest.mark.parametrize("config", [ZERO, FeatureConfig(n_fft=1_024, hop_length=300)])
@pytest.mark.parametrize("n_samples", [1, 300, 2_047, 22_050])
def test_inverse_returns_the_clip(config: FeatureConfig, n_samples: int) -> None:
    samples = mixture(n_samples)
    np.testing.assert_allclose(istft(stft(samples, config), config, n_samples), samples, atol=1e-6)


def test_inverse_without_padding_is_zero_behind_the_last_frame() -> None:
    config = FeatureConfig(padding="none")
    samples = mixture(2_048 + 512 + 100)
    wave = istft(stft(samples, config), config, samples.size)
    np.testing.assert_allclose(wave[64:2_496], samples[64:2_496], atol=5e-6)
    np.testing.assert_array_equal(wave[2_048 + 512 :], np.zeros(100, np.float32))


@pytest.mark.parametrize("config", [ZERO, REFLECT])
@pytest.mark.parametrize("kind", ["silence", "click", "constant", "square"])
def test_hostile_clips_equal_librosas(kind: str, config: FeatureConfig) -> None:
    samples = np.zeros(SEGMENT, np.float32)
    if kind == "click":
        samples[30_000] = 1.0
    elif kind == "constant":
        samples[:] = 1.0
    elif kind == "square":
        samples[:] = np.where(np.arange(SEGMENT) // 50 % 2, 1.0, -1.0)
    ours = separate(stft(samples, config), config, samples.size)
    for mine, theirs in zip(ours, librosa_separate(samples, config), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-6)


@pytest.mark.parametrize("shape", [(0, 1_025), (3, 0), (5,)])
def test_refuses_what_is_no_spectrogram(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match="must be"):
        harmonic_percussive(np.zeros(shape, np.complex64))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_refuses_power_that_is_not_finite(value: float) -> None:
    spectra = np.ones((3, 5), np.complex64)
    spectra[1, 2] = value
    with pytest.raises(AudioError, match="not finite"):
        harmonic_percussive(spectra)


def test_inverse_refuses_a_length_that_does_not_fit() -> None:
    with pytest.raises(AudioError, match=r"1000 samples give \(2, 1025\)"):
        istft(np.zeros((5, 1_025), np.complex64), ZERO, 1_000)
