from __future__ import annotations

import librosa
import numpy as np
import pytest

from genrekit.arrays import Float32
from genrekit.features.chroma import (
    PITCH_CLASSES,
    chroma_filterbank,
    chroma_stft,
    estimate_tuning,
    spectral_peaks,
)
from genrekit.features.config import FeatureConfig
from genrekit.features.stft import stft

RATE = 22_050


def tones(*hz: float) -> Float32:
    time_s = np.arange(2 * RATE) / RATE
    return np.sum([np.sin(2 * np.pi * f * time_s) for f in hz], axis=0).astype(np.float32) / 4


def power(samples: Float32, config: FeatureConfig) -> Float32:
    return np.square(np.abs(stft(samples, config)))


@pytest.mark.parametrize("tuning", [-0.5, -0.13, 0.0, 0.49])
@pytest.mark.parametrize(("rate", "n_fft"), [(22_050, 2_048), (16_000, 512), (8_000, 16)])
def test_filterbank_is_librosas(tuning: float, rate: int, n_fft: int) -> None:
    config = FeatureConfig(sample_rate=rate, n_fft=n_fft, hop_length=n_fft // 4)
    expected = librosa.filters.chroma(sr=rate, n_fft=n_fft, tuning=tuning)
    np.testing.assert_allclose(chroma_filterbank(config, tuning), expected, atol=1e-6)


@pytest.mark.parametrize("cents", [-40, -7, 0, 23, 45])
def test_tuning_is_found(cents: int) -> None:
    config = FeatureConfig()
    chord = tones(*(440.0 * 2 ** ((step + cents / 100) / 12) for step in (0, 4, 7, 12)))
    spectra = power(chord, config)
    tuning = estimate_tuning(spectra, config)
    assert tuning == librosa.estimate_tuning(S=spectra.T, sr=RATE)
    assert tuning == pytest.approx(cents / 100, abs=0.05)


@pytest.mark.parametrize("n_fft", [512, 2_048, 4_096])
def test_peaks_and_chroma_are_librosas(n_fft: int) -> None:
    config = FeatureConfig(n_fft=n_fft)
    rng = np.random.default_rng(0)
    chord = tones(261.6, 331.0, 395.0) + 0.1 * rng.standard_normal(2 * RATE).astype(np.float32)
    spectra = power(chord, config)
    pitches, heights = librosa.piptrack(S=spectra.T, sr=RATE, n_fft=n_fft)
    frame, bin_index = np.nonzero(pitches.T)
    hz, height = spectral_peaks(spectra, config)
    np.testing.assert_allclose(hz, pitches.T[frame, bin_index], rtol=1e-6)
    np.testing.assert_allclose(height, heights.T[frame, bin_index], rtol=1e-5)
    expected = librosa.feature.chroma_stft(y=chord, sr=RATE, n_fft=n_fft).T
    np.testing.assert_allclose(chroma_stft(spectra, config), expected, rtol=1e-4)


def test_a_tone_is_its_pitch_class() -> None:
    config = FeatureConfig()
    chroma = chroma_stft(power(tones(440.0), config), config)
    assert {PITCH_CLASSES[i] for i in chroma[5:-5].argmax(axis=1)} == {"A"}


def test_silence_has_no_pitch_class() -> None:
    config = FeatureConfig()
    spectra = np.zeros((3, config.n_bins), np.float32)
    assert estimate_tuning(spectra, config) == 0.0
    np.testing.assert_array_equal(chroma_stft(spectra, config), np.zeros((3, 12)))


def test_spectra_too_coarse_for_a_peak_have_none() -> None:
    # The bins are 12 kHz apart: none lies between 150 and 4000 Hz.
    config = FeatureConfig(sample_rate=192_000, n_fft=16, hop_length=4)
    assert estimate_tuning(np.ones((2, 9), np.float32), config) == 0.0
