from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest

from genrekit.arrays import Float32
from genrekit.audio.decoding import load_audio
from genrekit.errors import AudioError, ConfigError
from genrekit.features import kinds as features
from genrekit.features.config import FeatureConfig
from genrekit.features.kinds import KINDS, columns, extract, find, from_power, streams
from genrekit.features.stft import power_spectrogram

RATE = 22_050
CONFIG = FeatureConfig()
LIVE = FeatureConfig(top_db=None)
NOISE = np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32) / 4

HOSTILE: dict[str, Float32] = {
    "silence": np.zeros(RATE, np.float32),
    "click": np.eye(1, RATE, 9_000, dtype=np.float32)[0],
    "full-scale square": np.sign(np.sin(np.arange(RATE) / 9.1)).astype(np.float32),
    "DC": np.ones(RATE, np.float32),
    "denormal": np.full(RATE, 1e-40, np.float32),
    "the loudest": np.resize(np.float32([1e6, -1e6]), RATE),
    "shortest for reflection": np.ones(1_025, np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_shape_is_frames_by_columns(kind: str) -> None:
    values = extract(kind, NOISE, CONFIG)
    names = columns(kind, CONFIG)
    assert values.dtype == np.float32
    assert len(set(names)) == len(names)
    frames = (CONFIG.n_frames(NOISE.size),) if find(kind).per_frame else ()
    assert values.shape == (*frames, len(names))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clip", HOSTILE)
def test_hostile_clips_give_finite_values(kind: str, clip: str) -> None:
    for config in (CONFIG, FeatureConfig(padding="reflect", top_db=None)):
        assert np.isfinite(extract(kind, HOSTILE[clip], config)).all()


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")  # librosa, of the shortest
@pytest.mark.parametrize("clip", HOSTILE)
def test_hostile_clips_sound_like_librosas(clip: str) -> None:
    samples = HOSTILE[clip]
    bands = librosa.feature.melspectrogram(y=samples, sr=RATE)
    np.testing.assert_allclose(
        extract("log_mel", samples, CONFIG), librosa.power_to_db(bands).T, atol=1e-3
    )
    np.testing.assert_allclose(
        extract("mfcc", samples, CONFIG),
        librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=13).T,
        atol=1e-3,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_undefined_clips_are_refused(kind: str) -> None:
    for samples in (np.zeros(0, np.float32), np.full(9_999, np.nan, np.float32)):
        with pytest.raises(AudioError):
            extract(kind, samples, CONFIG)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tabular"])
def test_one_sample_is_a_clip_of_one_frame(kind: str) -> None:
    values = extract(kind, np.ones(1, np.float32), CONFIG)
    assert values.shape[0] == 1
    assert np.isfinite(values).all()


@pytest.mark.parametrize("kind", ["log_mel", "mfcc", "mel_of_db", "log_power", "loudness"])
def test_features_of_power_are_those_of_samples(kind: str) -> None:
    power = power_spectrogram(NOISE, LIVE)
    whole = extract(kind, NOISE, LIVE)
    np.testing.assert_allclose(from_power(kind, power, LIVE), whole, atol=2e-4)
    assert from_power(kind, power[:0], LIVE).shape == (0, whole.shape[1])
    assert streams(kind, LIVE)
    assert not streams(kind, CONFIG)


@pytest.mark.parametrize("kind", ["chroma", "rms", "tabular"])
def test_features_that_need_more_than_power_say_so(kind: str) -> None:
    assert not streams(kind, LIVE)
    with pytest.raises(ConfigError, match="log_mel, mfcc, mel_of_db, log_power, loudness can"):
        from_power(kind, power_spectrogram(NOISE, LIVE), LIVE)


def test_unknown_kind_lists_the_kinds() -> None:
    with pytest.raises(ConfigError, match=r"'colour'.*log_mel, mfcc, .*tabular"):
        extract("colour", NOISE, CONFIG)


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        ("chroma", lambda y: librosa.feature.chroma_stft(y=y, sr=RATE)),
        ("rms", lambda y: librosa.feature.rms(y=y)),
        ("zero_crossing_rate", lambda y: librosa.feature.zero_crossing_rate(y)),
        ("spectral_centroid", lambda y: librosa.feature.spectral_centroid(y=y, sr=RATE)),
        ("spectral_bandwidth", lambda y: librosa.feature.spectral_bandwidth(y=y, sr=RATE)),
        ("spectral_rolloff", lambda y: librosa.feature.spectral_rolloff(y=y, sr=RATE)),
        ("mfcc", lambda y: librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=13)),
        ("log_mel", lambda y: librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=RATE))),
        ("log_power", lambda y: librosa.power_to_db(np.abs(librosa.stft(y)) ** 2)),
    ],
)
def test_a_real_song_is_librosas(gtzan: Path, kind: str, reference: object) -> None:
    samples = load_audio(gtzan / "genres_original" / "pop" / "pop.00001.wav").samples
    expected = reference(samples).T  # type: ignore[operator]
    atol = 1e-3 if kind in ("mfcc", "log_mel") else 0.0
    # A single bin, unlike a band, can come near 0, where float32 transforms differ.
    atol = 2e-1 if kind == "log_power" else atol
    np.testing.assert_allclose(extract(kind, samples, CONFIG), expected, rtol=1e-4, atol=atol)


def test_the_registry_does_not_load_what_only_tabular_needs() -> None:
    separation = "genrekit.features.hpss.separation"
    program = f"import sys, {features.__name__}; print('{separation}' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"
