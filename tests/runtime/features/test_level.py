from __future__ import annotations

import dataclasses

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrekit.errors import ConfigError
from genrekit.features.config import FeatureConfig
from genrekit.features.kinds import extract, streams
from genrekit.features.level import level_window

MUSICNN = FeatureConfig(
    sample_rate=16_000,
    n_fft=512,
    hop_length=256,
    n_mels=96,
    top_db=None,
    compression="log10",
    compression_gain=10_000.0,
    remove_offset=True,
    level_rms=0.15,
    silence_rms=3e-4,
)
NOISE = (0.05 * np.random.default_rng(0).standard_normal(47_616)).astype(np.float32)


def test_log10_mel_is_librosas() -> None:
    plain = dataclasses.replace(MUSICNN, remove_offset=False, level_rms=None, silence_rms=0.0)
    mel = librosa.feature.melspectrogram(
        y=NOISE, sr=16_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="constant"
    )
    expected = np.log10(1.0 + 10_000.0 * mel).T
    np.testing.assert_allclose(extract("log_mel", NOISE, plain), expected, atol=1e-4)


@given(st.floats(0.1, 15.0), st.floats(-0.1, 0.1))
def test_gain_and_offset_change_nothing(gain: float, offset: float) -> None:
    changed = (np.float32(gain) * NOISE + np.float32(offset)).astype(np.float32)
    expected = extract("log_mel", NOISE, MUSICNN)
    np.testing.assert_allclose(extract("log_mel", changed, MUSICNN), expected, atol=5e-3)


def test_a_window_has_the_level_that_was_asked_for() -> None:
    levelled = level_window(NOISE + np.float32(0.2), MUSICNN)
    assert np.sqrt(np.mean(np.square(levelled))) == pytest.approx(0.15, rel=1e-5)
    assert abs(levelled.mean()) < 1e-6


def test_a_quiet_room_with_an_offset_is_silence() -> None:
    # 0.5 % of constant offset and noise at -80 dB: what a cheap microphone gives in a quiet room.
    quiet = (5e-3 + 1e-4 * np.random.default_rng(1).standard_normal(47_616)).astype(np.float32)
    assert not extract("log_mel", quiet, MUSICNN).any()
    assert not level_window(np.zeros(100, np.float32), MUSICNN).any()


def test_a_configuration_without_the_rule_changes_nothing() -> None:
    assert level_window(NOISE, FeatureConfig()) is NOISE


def test_levelled_windows_do_not_share_frames() -> None:
    assert not streams("log_mel", MUSICNN)
    assert streams("log_mel", dataclasses.replace(MUSICNN, remove_offset=False, level_rms=None))


@pytest.mark.parametrize(
    "change",
    [{"compression_gain": 0.0}, {"level_rms": 2.0}, {"silence_rms": -1.0}, {"compression": "x"}],
)
def test_numbers_out_of_bounds_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        dataclasses.replace(MUSICNN, **change)


def test_what_says_the_default_is_left_out_and_refused() -> None:
    text = FeatureConfig().to_json()
    assert "compression" not in text
    assert FeatureConfig.from_json(MUSICNN.to_json()) == MUSICNN
    with pytest.raises(ConfigError, match="leave it out"):
        FeatureConfig.from_json(text[:-1] + ',"remove_offset":false}')
