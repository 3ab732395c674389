from __future__ import annotations

import csv
from pathlib import Path

import librosa
import numpy as np
import pytest

from genrekit.arrays import Float32
from genrekit.audio.decoding import load_audio
from genrekit.errors import AudioError, ConfigError
from genrekit.features.config import FeatureConfig
from genrekit.features.tabular import FEATURE_NAMES, tabular

RATE = 22_050
CONFIG = FeatureConfig()


def by_librosa(samples: Float32) -> dict[str, float]:
    """Compute the 57 features as the table's makers did, with today's librosa."""
    feature = librosa.feature
    pad = {"pad_mode": "reflect"}
    # The inverse transform of librosa 0.7 ended at the last frame's centre.
    parts = librosa.decompose.hpss(librosa.stft(samples, **pad))
    harmonic, percussive = (
        librosa.util.fix_length(librosa.istft(part), size=samples.size) for part in parts
    )
    series = {
        "chroma_stft": feature.chroma_stft(y=samples, sr=RATE, **pad),
        "rms": feature.rms(y=samples, **pad),
        "spectral_centroid": feature.spectral_centroid(y=samples, sr=RATE, **pad),
        "spectral_bandwidth": feature.spectral_bandwidth(y=samples, sr=RATE, **pad),
        "rolloff": feature.spectral_rolloff(y=samples, sr=RATE, **pad),
        "zero_crossing_rate": feature.zero_crossing_rate(samples),
        "harmony": harmonic,
        "perceptr": percussive,
    }
    coefficients = feature.mfcc(y=samples, sr=RATE, n_mfcc=20, **pad)
    series |= {f"mfcc{i}": row for i, row in enumerate(coefficients, start=1)}
    bands = feature.melspectrogram(y=samples, sr=RATE, **pad)
    onsets = librosa.onset.onset_strength(S=librosa.power_to_db(bands), sr=RATE)
    tempo, _ = librosa.beat.beat_track(onset_envelope=onsets, sr=RATE)
    values = {"tempo": float(np.asarray(tempo).item())}
    for name, row in series.items():
        values[f"{name}_mean"] = float(np.mean(row, dtype=np.float64))
        values[f"{name}_var"] = float(np.var(row, dtype=np.float64))
    return values


def test_names_are_the_tables_columns(gtzan: Path) -> None:
    with (gtzan / "features_30_sec.csv").open(newline="") as file:
        header = next(csv.reader(file))
    assert header == ["filename", "length", *FEATURE_NAMES, "label"]


@pytest.mark.parametrize("track", ["blues.00000", "classical.00003", "hiphop.00002"])
def test_values_are_the_tables_own(gtzan: Path, track: str) -> None:
    with (gtzan / "features_30_sec.csv").open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["filename"] == f"{track}.wav")
    genre = track.split(".")[0]
    samples = load_audio(gtzan / "genres_original" / genre / f"{track}.wav").samples
    expected = [float(row[name]) for name in FEATURE_NAMES]
    # The waveforms' means, near 0, are the only ones that need the absolute bound.
    np.testing.assert_allclose(tabular(samples, CONFIG), expected, rtol=5e-5, atol=1e-8)


@pytest.mark.parametrize("segment", [0, 4, 9])
def test_segments_are_librosas(gtzan: Path, segment: int) -> None:
    path = gtzan / "genres_original" / "reggae" / "reggae.00001.wav"
    start = segment * 66_150
    samples = load_audio(path).samples[start : start + 66_149]
    expected = by_librosa(samples)
    np.testing.assert_allclose(
        tabular(samples, CONFIG), [expected[name] for name in FEATURE_NAMES], rtol=5e-5, atol=1e-8
    )


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_silence_and_dc_are_finite(level: float) -> None:
    values = dict(
        zip(FEATURE_NAMES, tabular(np.full(66_149, level, np.float32), CONFIG), strict=True)
    )
    assert np.isfinite(list(values.values())).all()
    assert values["rms_mean"] == level
    assert values["tempo"] == 0.0


def test_padding_and_n_mfcc_of_the_configuration_do_not_count() -> None:
    samples = np.random.default_rng(0).standard_normal(30_000).astype(np.float32)
    other = FeatureConfig(padding="none", n_mfcc=3)
    np.testing.assert_array_equal(tabular(samples, CONFIG), tabular(samples, other))


def test_clips_too_short_or_too_long_are_refused() -> None:
    with pytest.raises(AudioError, match="1024 samples: padding 'reflect' needs at least 1025"):
        tabular(np.zeros(1_024, np.float32), CONFIG)
    with pytest.raises(AudioError, match="1800 s: the tabular features take at most 900 s"):
        tabular(np.broadcast_to(np.float32(0), 1_800 * RATE), CONFIG)
    with pytest.raises(ConfigError, match=r"n_mfcc=20: must be 1\.\.n_mels=13"):
        tabular(np.zeros(9_999, np.float32), FeatureConfig(n_mels=13))
