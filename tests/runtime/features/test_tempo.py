"""Tempo and onset strength against librosa's beat tracker."""

from __future__ import annotations

import csv
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from genrekit.arrays import Float32
from genrekit.errors import AudioError, ConfigError
from genrekit.features.config import FeatureConfig
from genrekit.features.mel import mel_power
from genrekit.features.stft import power_spectrogram
from genrekit.features.tempo import onset_strength, tempo_bpm

ZERO = FeatureConfig()
REFLECT = FeatureConfig(padding="reflect")


def bands_of(samples: Float32, config: FeatureConfig) -> Float32:
    return mel_power(power_spectrogram(samples, config), config)


def librosa_tempo(samples: Float32) -> float:
    return float(np.squeeze(librosa.beat.beat_track(y=samples, sr=22_050)[0]))


def click_track(bpm: float, seconds: float) -> Float32:
    samples = np.zeros(int(22_050 * seconds), np.float32)
    samples[(np.arange(0.5, seconds, 60.0 / bpm) * 22_050).astype(int)] = 0.9
    return samples


@pytest.mark.parametrize("bpm", [70.0, 100.0, 128.0, 170.0])
def test_tempo_of_clicks_is_theirs_within_one_lag(bpm: float) -> None:
    tempo = tempo_bpm(bands_of(click_track(bpm, 20.0), ZERO), ZERO)
    lag = 60.0 * 22_050 / 512 / bpm
    assert abs(60.0 * 22_050 / 512 / tempo - lag) <= 1.0
    assert tempo == pytest.approx(librosa_tempo(click_track(bpm, 20.0)))


def test_tempo_equals_librosas_on_at_least_59_of_60_real_tracks(gtzan: Path) -> None:
    paths = sorted(gtzan.glob("genres_original/*/*.wav"))
    assert len(paths) == 60
    equal = 0
    for path in paths:
        samples, _ = soundfile.read(path, dtype="float32")
        tempo = tempo_bpm(bands_of(samples, ZERO), ZERO)
        equal += tempo == pytest.approx(librosa_tempo(samples), rel=1e-9)
    assert equal >= 59


def test_tempo_equals_librosas_on_real_segments(gtzan: Path) -> None:
    equal = []
    for path in sorted(gtzan.glob("genres_original/*/*.wav"))[::6]:
        for segment in range(0, 9, 2):
            samples, _ = soundfile.read(
                path, dtype="float32", start=segment * 66_150, frames=66_149
            )
            tempo = tempo_bpm(bands_of(samples, ZERO), ZERO)
            equal.append(tempo == pytest.approx(librosa_tempo(samples), rel=1e-9))
    assert sum(equal) >= len(equal) - 1


def test_tempo_equals_the_kaggle_table(gtzan: Path) -> None:
    with (gtzan / "features_30_sec.csv").open(newline="") as table:
        tempo_of = {row["filename"]: float(row["tempo"]) for row in csv.DictReader(table)}
    equal = 0
    for path in sorted(gtzan.glob("genres_original/*/*.wav")):
        samples, _ = soundfile.read(path, dtype="float32")
        tempo = tempo_bpm(bands_of(samples, REFLECT), REFLECT)
        equal += tempo == pytest.approx(tempo_of[path.name], rel=1e-6)
    assert equal >= 59


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large:UserWarning")  # librosa's
@pytest.mark.parametrize("n_samples", [1, 600, 5_000, 66_149])
def test_onset_strength_equals_librosas(n_samples: int) -> None:
    samples = np.random.default_rng(1).standard_normal(n_samples).astype(np.float32) * 0.1
    ours = onset_strength(bands_of(samples, ZERO), ZERO)
    theirs = librosa.onset.onset_strength(y=samples, sr=22_050, aggregate=np.median)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large:UserWarning")  # librosa's
@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize("n_samples", [1, 22_050])
def test_no_onset_is_tempo_zero_as_in_librosa(level: float, n_samples: int) -> None:
    samples = np.full(n_samples, level, np.float32)
    expected = librosa_tempo(samples)
    assert tempo_bpm(bands_of(samples, ZERO), ZERO) == pytest.approx(expected)
    if level == 0.0:
        assert expected == 0.0


@pytest.mark.parametrize("kind", ["click", "square"])
def test_hostile_clips_equal_librosas(kind: str) -> None:
    samples = np.zeros(66_149, np.float32)
    if kind == "click":
        samples[30_000] = 1.0
    else:
        samples[:] = np.where(np.arange(samples.size) // 50 % 2, 1.0, -1.0)
    assert tempo_bpm(bands_of(samples, ZERO), ZERO) == pytest.approx(librosa_tempo(samples))


@pytest.mark.parametrize("shape", [(0, 128), (4, 0), (4,)])
def test_refuses_what_is_no_mel_spectrogram(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match="must be"):
        tempo_bpm(np.zeros(shape, np.float32), ZERO)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_refuses_power_that_is_not_finite(value: float) -> None:
    bands = np.ones((10, 128), np.float32)
    bands[3, 4] = value
    with pytest.raises(AudioError, match="not finite"):
        tempo_bpm(bands, ZERO)


def test_refuses_hops_longer_than_a_beat_window() -> None:
    config = FeatureConfig(sample_rate=8_000, n_fft=32_768, hop_length=32_768)
    bands = np.repeat(np.float32([[1.0], [1_000.0]]), 128, axis=1)[np.arange(12) // 3 % 2]
    with pytest.raises(ConfigError, match="32768"):
        tempo_bpm(bands, config)
