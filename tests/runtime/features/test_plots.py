from __future__ import annotations

import numpy as np
import pytest

from genrekit.errors import AudioError, ConfigError
from genrekit.features.config import FeatureConfig
from genrekit.features.kinds import extract, streams
from genrekit.features.mel import mel_spectrogram
from genrekit.features.plots import PLOTS, find_plot

RATE = 22_050
CONFIG = FeatureConfig()
SECONDS = np.arange(2 * RATE) / RATE
NOISE = np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32) / 4
HOSTILE = {
    "silence": np.zeros(RATE, np.float32),
    "click": np.eye(1, RATE, 9_000, dtype=np.float32)[0],
    "DC": np.ones(RATE, np.float32),
    "denormal": np.full(RATE, 1e-40, np.float32),
    "the loudest": np.resize(np.float32([1e6, -1e6]), RATE),
    "a few samples": NOISE[:40],
}


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("clip", HOSTILE)
def test_any_clip_gives_a_picture_of_shades(name: str, clip: str) -> None:
    for config in (CONFIG, FeatureConfig(top_db=None)):
        picture = extract(f"{name}@64", HOSTILE[clip], config)
        assert picture.shape == (64, 64)
        assert picture.dtype == np.float32
        assert picture.min() >= -1e-5
        assert picture.max() <= 1 + 1e-5
        assert not streams(f"{name}@64", config)


@pytest.mark.parametrize("kind", ["pie_plot@64", "wave_plot@", "wave_plot@31", "wave_plot@513"])
def test_what_is_no_plot_is_refused(kind: str) -> None:
    with pytest.raises(ConfigError, match="wave_plot"):
        find_plot(kind)


@pytest.mark.parametrize(
    "kind", ["wave_plot@064", "wave_plot@+64", "wave_plot@64@64", "wave_plot@²"]
)
def test_a_size_has_one_spelling(kind: str) -> None:
    with pytest.raises(ConfigError, match=r"must be 32\.\.512 pixels"):
        extract(kind, NOISE, CONFIG)


def test_undefined_clips_are_refused() -> None:
    for name in PLOTS:
        with pytest.raises(AudioError):
            extract(f"{name}@64", np.zeros(0, np.float32), CONFIG)


def test_a_wave_s_columns_span_what_was_heard_then() -> None:
    # A quiet half and a loud one: 100 pixels, the loud half touches both edges.
    samples = np.concatenate([0.25 * np.sin(SECONDS * 700), np.sin(SECONDS * 700)])
    picture = extract("wave_plot@100", samples.astype(np.float32), CONFIG)
    heights = picture.sum(axis=1)
    np.testing.assert_allclose(heights[:50], 0.25 * 98.5 + 1.5, atol=1.0)
    np.testing.assert_allclose(heights[50:], 100.0, atol=0.5)
    np.testing.assert_allclose(picture, picture[:, ::-1], atol=0.2)  # a sine is symmetric


def test_the_zcr_curve_lies_where_the_rate_is() -> None:
    # Crossings double half-way: half the height, then all of it.
    low, high = np.sin(2 * np.pi * 500 * SECONDS), np.sin(2 * np.pi * 1_000 * SECONDS)
    picture = extract("zcr_plot@100", np.concatenate([low, high]).astype(np.float32), CONFIG)
    centre = (picture * np.arange(0.5, 100.5)).sum(axis=1) / picture.sum(axis=1)
    np.testing.assert_allclose(centre[5:45], 50.0, atol=1.5)
    np.testing.assert_allclose(centre[55:95], 99.2, atol=1.5)


def test_a_mel_plot_of_the_spectrogram_s_own_size_is_the_spectrogram() -> None:
    config = FeatureConfig(n_mels=128, hop_length=512)
    samples = np.resize(NOISE, 127 * 512)  # 128 frames
    bands = mel_spectrogram(samples, config).astype(np.float64)
    expected = 1 + np.maximum(10 * np.log10(bands / bands.max()), -80) / 80
    np.testing.assert_allclose(extract("mel_plot@128", samples, config), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["mel_plot", "mfcc_plot", "log_power_plot"])
def test_a_smaller_picture_is_the_larger_one_averaged(name: str) -> None:
    large, small = (extract(f"{name}@{size}", NOISE, CONFIG) for size in (128, 64))
    averaged = large.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(small, averaged, atol=1e-5)
