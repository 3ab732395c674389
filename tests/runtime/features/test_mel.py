from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.fft

from genrekit.errors import AudioError
from genrekit.features.cepstrum import mfcc
from genrekit.features.config import FeatureConfig
from genrekit.features.mel import (
    band_weights,
    decibels,
    hz_to_mel,
    log_mel,
    mel_filterbank,
    mel_power,
    mel_spectrogram,
    mel_to_hz,
    pooled_decibels,
)
from genrekit.features.stft import power_spectrogram

POWER = np.random.default_rng(0).random((9, 1_025), np.float32) ** 8
NOISE = np.random.default_rng(1).standard_normal(100_000).astype(np.float32) / 4


@pytest.mark.parametrize(("hz", "mel"), [(0.0, 0.0), (1_000.0, 15.0), (6_400.0, 42.0)])
def test_scale_passes_slaneys_anchor_points(hz: float, mel: float) -> None:
    np.testing.assert_allclose(hz_to_mel(np.array([hz])), [mel], rtol=1e-12)
    np.testing.assert_allclose(mel_to_hz(np.array([mel])), [hz], rtol=1e-12)


@pytest.mark.parametrize(
    "config",
    [
        FeatureConfig(),
        FeatureConfig(n_mels=40, f_min_hz=20.0, f_max_hz=8_000.0),
        FeatureConfig(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=80),
        FeatureConfig(n_mels=13),
    ],
)
@pytest.mark.filterwarnings("ignore:Empty filters")  # librosa's remark on the third
def test_filterbank_is_librosas(config: FeatureConfig) -> None:
    expected = librosa.filters.mel(
        sr=config.sample_rate,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.f_min_hz,
        fmax=config.f_max_hz,
    )
    np.testing.assert_allclose(mel_filterbank(config), expected, rtol=1e-5, atol=1e-9)
    power = np.random.default_rng(2).random((5, config.n_bins), np.float32)
    np.testing.assert_allclose(mel_power(power, config), power @ expected.T, rtol=1e-5, atol=1e-9)


def test_bands_between_two_bins_are_silent() -> None:
    config = FeatureConfig(n_fft=64, hop_length=32, n_mels=512)
    power = np.ones((2, config.n_bins), np.float32)
    np.testing.assert_allclose(
        mel_power(power, config), power @ mel_filterbank(config).T, rtol=1e-5, atol=1e-12
    )
    assert np.isfinite(log_mel(power, config)).all()


@pytest.mark.parametrize("top_db", [80.0, 10.0, None])
def test_decibels_are_librosas(top_db: float | None) -> None:
    expected = librosa.power_to_db(POWER, amin=1e-10, top_db=top_db)
    np.testing.assert_allclose(decibels(POWER, amin=1e-10, top_db=top_db), expected, atol=2e-5)


def test_decibels_of_silence_and_of_nothing() -> None:
    silence = decibels(np.zeros((2, 3), np.float32), amin=1e-10, top_db=80.0)
    np.testing.assert_allclose(silence, np.full((2, 3), -100.0), atol=1e-4)
    assert decibels(np.zeros((0, 3), np.float32), amin=1e-10, top_db=80.0).shape == (0, 3)


@pytest.mark.parametrize("n_mfcc", [1, 13, 20, 128])
def test_mfcc_is_the_cosine_transform_of_log_mel(n_mfcc: int) -> None:
    config = FeatureConfig(n_mfcc=n_mfcc)
    level = log_mel(POWER, config).astype(np.float64)
    expected = scipy.fft.dct(level, axis=1, norm="ortho")[:, :n_mfcc]
    np.testing.assert_allclose(mfcc(POWER, config), expected, atol=5e-5)


def test_mel_spectrogram_is_pooled_power() -> None:
    config = FeatureConfig()
    expected = mel_power(power_spectrogram(NOISE, config), config)
    np.testing.assert_allclose(mel_spectrogram(NOISE, config), expected, rtol=1e-5)


@pytest.mark.parametrize(("n_bins", "n_mels"), [(1_025, 128), (57, 64), (256, 512), (2, 8)])
def test_every_band_averages_some_bin(n_bins: int, n_mels: int) -> None:
    config = FeatureConfig(n_mels=n_mels, n_mfcc=1)
    weights = band_weights(n_bins, config)
    assert weights.shape == (n_mels, n_bins)
    assert (weights >= 0.0).all()
    np.testing.assert_allclose(weights.sum(axis=1), np.ones(n_mels), rtol=1e-6)
    centres = librosa.mel_frequencies(n_mels + 2, fmin=0.0, fmax=11_025.0)[1:-1]
    # No band looks further than its own triangle or, if that is narrower, half a bin.
    reach = np.diff(librosa.mel_frequencies(n_mels + 2, fmin=0.0, fmax=11_025.0))[1:]
    hz = np.linspace(0.0, 11_025.0, n_bins)
    distance = np.where(weights > 0, np.abs(hz - centres[:, None]), 0.0).max(axis=1)
    assert (distance <= np.maximum(reach, hz[1] / 2) * (1 + 1e-9)).all()


def test_pooled_decibels_average_decibels_not_power() -> None:
    config = FeatureConfig(n_mels=4, n_mfcc=1, top_db=None)
    alternating = np.where(np.arange(1_025) % 2, 1e-2, 1e-6).astype(np.float32)[None]
    np.testing.assert_allclose(pooled_decibels(alternating, config), [[-40.0] * 4], atol=0.5)
    np.testing.assert_allclose(
        pooled_decibels(np.full((3, 1_025), 1e-3, np.float32), config),
        np.full((3, 4), -30.0),
        atol=1e-4,
    )


def test_wrong_number_of_bins_is_refused() -> None:
    for function in (mel_power, pooled_decibels):
        with pytest.raises(AudioError, match=r"\(9, 1024\): must be \(frames, 1025\)"):
            function(POWER[:, :-1], FeatureConfig())
