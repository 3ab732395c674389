from __future__ import annotations

import sys

import librosa
import numpy as np
import pytest

from genrekit.errors import AudioError
from genrekit.features.config import FeatureConfig
from genrekit.features.stft import (
    LARGEST_SAMPLE,
    frame_power,
    hann_window,
    magnitude_blocks,
    pad_samples,
    power_of,
    power_spectrogram,
    stft,
)

NOISE = np.random.default_rng(0).standard_normal(22_050).astype(np.float32) / 4


@pytest.mark.parametrize("n", [16, 2_048])
def test_hann_window_is_the_periodic_one(n: int) -> None:
    np.testing.assert_allclose(hann_window(n), librosa.filters.get_window("hann", n), atol=1e-15)


@pytest.mark.parametrize(
    ("padding", "given"),
    [
        ("zero", {"pad_mode": "constant"}),
        ("reflect", {"pad_mode": "reflect"}),
        ("none", {"center": False}),
    ],
)
@pytest.mark.parametrize(("n_fft", "hop"), [(2_048, 512), (512, 160), (400, 399), (4_096, 4_096)])
def test_stft_is_librosas(padding: str, given: dict[str, object], n_fft: int, hop: int) -> None:
    config = FeatureConfig(n_fft=n_fft, hop_length=hop, padding=padding)  # type: ignore[arg-type]
    expected = librosa.stft(NOISE, n_fft=n_fft, hop_length=hop, **given).T
    spectra = stft(NOISE, config)
    assert spectra.dtype == np.complex64
    assert spectra.shape == (config.n_frames(NOISE.size), config.n_bins)
    np.testing.assert_allclose(spectra, expected, atol=1e-5)


@pytest.mark.parametrize("fft", ["scipy", "numpy", "numpy 1"])
def test_power_is_librosas_with_every_fft(fft: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if fft != "scipy":
        monkeypatch.delitem(sys.modules, "scipy.fft")
    if fft == "numpy 1":
        monkeypatch.setattr("genrekit.features.stft._NUMPY_2", False)
    expected = np.abs(librosa.stft(NOISE).T) ** 2
    power = power_spectrogram(NOISE, FeatureConfig())
    assert power.dtype == np.float32
    np.testing.assert_allclose(power, expected, rtol=1e-4, atol=1e-4)


def test_frames_do_not_depend_on_the_block_they_are_in() -> None:
    config = FeatureConfig(padding="none")
    long = np.resize(NOISE, 2_048 + 150 * 512)
    together = frame_power(long, config)
    assert together.shape[0] == 151
    for t in (0, 63, 64, 150):
        alone = frame_power(long[t * 512 : t * 512 + 2_048], config)
        np.testing.assert_array_equal(together[t : t + 1], alone)


def test_magnitudes_are_those_of_the_transform() -> None:
    config = FeatureConfig()
    blocks = [block for _, block in magnitude_blocks(pad_samples(NOISE, config), config)]
    spectra = stft(NOISE, config)
    np.testing.assert_array_equal(np.concatenate(blocks), np.abs(spectra))
    np.testing.assert_allclose(power_of(spectra), np.abs(spectra) ** 2, rtol=1e-6)


def test_too_few_samples_for_a_frame_give_no_frame() -> None:
    assert frame_power(NOISE[:2_047], FeatureConfig()).shape == (0, 1_025)


def test_one_sample_is_a_clip() -> None:
    power = power_spectrogram(np.ones(1, np.float32), FeatureConfig())
    np.testing.assert_allclose(power, np.ones((1, 1_025)), rtol=1e-6)


@pytest.mark.parametrize(
    ("samples", "padding", "message"),
    [
        (np.zeros(0), "zero", "0 samples"),
        (np.zeros((2, 3_000)), "zero", "one-dimensional"),
        (np.zeros(1_024), "reflect", "1024 samples: padding 'reflect' needs at least 1025"),
        (np.zeros(2_047), "none", "needs at least n_fft=2048"),
        (np.array([0.0, np.nan, 0.0]), "zero", "reach nan"),
        (np.array([0.0, -np.inf]), "zero", "reach inf"),
        (np.array([0.0, 2e6]), "zero", "at most 1e"),
    ],
)
def test_undefined_input_is_refused(samples: np.ndarray, padding: str, message: str) -> None:
    config = FeatureConfig(padding=padding)  # type: ignore[arg-type]
    with pytest.raises(AudioError, match=message):
        pad_samples(samples.astype(np.float32), config)


def test_the_largest_samples_stay_finite() -> None:
    loud = np.full(40_000, LARGEST_SAMPLE, np.float32)
    power = power_spectrogram(loud, FeatureConfig(n_fft=32_768))
    assert np.isfinite(power.sum(axis=1)).all()
