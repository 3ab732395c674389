"""FeatureConfig."""

from __future__ import annotations

import json
from typing import Any

import librosa
import numpy as np
import pytest

from genrekit.errors import ConfigError
from genrekit.features.config import FeatureConfig, Padding


def test_a_document_comes_back_as_it_went() -> None:
    config = FeatureConfig(n_mels=64, top_db=None, padding="reflect", f_max_hz=8_000.0)
    assert FeatureConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "change",
    [
        {"n_fft": 1_023},
        {"n_fft": 1 << 40},
        {"hop_length": 0},
        {"hop_length": 4_096},
        {"n_mels": 0},
        {"n_mfcc": 129},
        {"sample_rate": 1},
        {"f_min_hz": 20_000.0},
        {"f_max_hz": 12_000.0},
        {"amin": 0.0},
        {"top_db": -1.0},
        {"roll_percent": 1.0},
        {"padding": "edge"},
    ],
)
def test_a_setting_out_of_bounds_is_named(change: dict[str, Any]) -> None:
    (name,) = change
    with pytest.raises(ConfigError, match=name):
        FeatureConfig(**change)
    document = {**json.loads(FeatureConfig().to_json()), **change}
    with pytest.raises(ConfigError, match=name):
        FeatureConfig.from_json(json.dumps(document))


@pytest.mark.parametrize(("padding", "center"), [("zero", True), ("none", False)])
@pytest.mark.parametrize("n_samples", [2_048, 2_559, 2_560, 66_149, 66_150, 661_500])
def test_n_frames_is_librosas(padding: Padding, center: bool, n_samples: int) -> None:
    spectra = librosa.stft(np.zeros(n_samples, np.float32), center=center)
    assert FeatureConfig(padding=padding).n_frames(n_samples) == spectra.shape[1]
