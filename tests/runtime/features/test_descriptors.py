from __future__ import annotations

import librosa
import numpy as np
import pytest

from genrekit.arrays import Float32
from genrekit.errors import AudioError
from genrekit.features.config import FeatureConfig
from genrekit.features.descriptors import (
    rms,
    spectral_bandwidth,
    spectral_centroid,
    spectral_rolloff,
    zero_crossing_rate,
)
from genrekit.features.stft import stft

RATE = 22_050
CONFIG = FeatureConfig()
_NOISE = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
_TIME = np.arange(RATE) / RATE

CLIPS: dict[str, Float32] = {
    "noise": _NOISE,
    "quiet noise after loud": _NOISE * np.where(_TIME < 0.5, 1.0, 1e-5).astype(np.float32),
    "pure tone": np.sin(2 * np.pi * 5_000 * _TIME).astype(np.float32),
    "full-scale square": np.sign(np.sin(2 * np.pi * 100.5 * _TIME)).astype(np.float32),
    "DC": np.ones(RATE, np.float32),
    "click": np.eye(1, RATE, 9_000, dtype=np.float32)[0],
    "silence": np.zeros(RATE, np.float32),
    "one sample": np.ones(1, np.float32),
}


@pytest.fixture(params=CLIPS)
def clip(request: pytest.FixtureRequest) -> Float32:
    return CLIPS[request.param]


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")  # librosa, of the one sample
def test_spectral_descriptors_are_librosas(clip: Float32) -> None:
    magnitude = np.abs(stft(clip, CONFIG))
    judge = librosa.feature
    np.testing.assert_allclose(
        spectral_centroid(magnitude, CONFIG), judge.spectral_centroid(y=clip)[0], rtol=1e-6
    )
    np.testing.assert_allclose(
        spectral_bandwidth(magnitude, CONFIG), judge.spectral_bandwidth(y=clip)[0], rtol=1e-5
    )
    np.testing.assert_array_equal(
        spectral_rolloff(magnitude, CONFIG),
        judge.spectral_rolloff(y=clip)[0].astype(np.float32),
    )


def test_descriptors_of_samples_are_librosas(clip: Float32) -> None:
    np.testing.assert_allclose(rms(clip, CONFIG), librosa.feature.rms(y=clip)[0], rtol=1e-5)
    np.testing.assert_allclose(
        zero_crossing_rate(clip, CONFIG), librosa.feature.zero_crossing_rate(clip)[0], rtol=1e-6
    )


@pytest.mark.parametrize(("n_fft", "hop"), [(1_000, 300), (512, 512)])
def test_frames_without_padding_are_librosas(n_fft: int, hop: int) -> None:
    config = FeatureConfig(n_fft=n_fft, hop_length=hop, padding="none")
    given = {"frame_length": n_fft, "hop_length": hop, "center": False}
    np.testing.assert_allclose(
        rms(_NOISE, config), librosa.feature.rms(y=_NOISE, **given)[0], rtol=1e-5
    )
    np.testing.assert_allclose(
        zero_crossing_rate(_NOISE, config),
        librosa.feature.zero_crossing_rate(_NOISE, **given)[0],
        rtol=1e-6,
    )


def test_rolloff_follows_its_share() -> None:
    ramp = np.ones((1, 1_025), np.float32)
    for percent in (0.1, 0.5, 0.99):
        config = FeatureConfig(roll_percent=percent)
        expected = librosa.feature.spectral_rolloff(S=ramp.T, roll_percent=percent)[0]
        np.testing.assert_allclose(spectral_rolloff(ramp, config), expected, rtol=1e-6)


@pytest.mark.parametrize("function", [rms, zero_crossing_rate])
def test_no_samples_are_refused(function: object) -> None:
    with pytest.raises(AudioError, match="0 samples"):
        function(np.zeros(0, np.float32), CONFIG)  # type: ignore[operator]
    with pytest.raises(AudioError, match="needs at least n_fft"):
        function(np.zeros(9, np.float32), FeatureConfig(padding="none"))  # type: ignore[operator]
