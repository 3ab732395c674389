"""The set must be learnable, and no single cue may give a genre away."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from genrekit.train.synth.generator import track_seed
from genrekit.train.synth.genres.table import GENRES
from genrekit.train.synth.rendering import render_track

TRAINING, HELD_OUT = 20, 10  # tracks per genre
RATE = 22_050
DURATION_S = 15.0
Table = dict[str, np.ndarray]


def describe(samples: np.ndarray) -> dict[str, np.ndarray]:
    """Timbre (mean and deviation of MFCC and their steps), and one number for each cue."""
    magnitude = np.abs(librosa.stft(samples))
    bands = librosa.power_to_db(librosa.feature.melspectrogram(S=magnitude**2, sr=RATE, n_mels=64))
    mfcc = librosa.feature.mfcc(S=bands, n_mfcc=20)
    onsets = librosa.onset.onset_strength(S=bands, sr=RATE)
    centroid = librosa.feature.spectral_centroid(S=magnitude, sr=RATE)
    return {
        "timbre": np.concatenate([mfcc.mean(1), mfcc.std(1), np.diff(mfcc).std(1)]),
        "tempo": librosa.feature.tempo(onset_envelope=onsets, sr=RATE),
        "brightness": centroid.mean(1),
        "loudness": np.log(np.mean(samples**2, keepdims=True)),
        "zero crossings": librosa.feature.zero_crossing_rate(samples).mean(1),
        "busyness": onsets.mean(keepdims=True),
        "noisiness": np.log(librosa.feature.spectral_flatness(S=magnitude).mean(1)),
        "bass": np.log(np.sum(magnitude[:14] ** 2) / np.sum(magnitude**2, keepdims=True)[0]),
    }


@pytest.fixture(scope="module")
def tables() -> tuple[Table, Table]:
    """Features by name, shape (tracks, features): of training tracks and of held-out ones."""
    halves = []
    for numbers in (range(TRAINING), range(TRAINING, TRAINING + HELD_OUT)):
        rows = [
            describe(render_track(genre, track_seed(0, genre, number), DURATION_S))
            for genre in GENRES
            for number in numbers
        ]
        halves.append({name: np.array([row[name] for row in rows]) for name in rows[0]})
    return halves[0], halves[1]


def accuracy(tables: tuple[Table, Table], name: str) -> float:
    training, held_out = tables
    model = make_pipeline(StandardScaler(), SVC(C=10))
    model.fit(training[name], np.repeat(GENRES, TRAINING))
    return float(model.score(held_out[name], np.repeat(GENRES, HELD_OUT)))


@pytest.mark.slow
def test_timbre_tells_most_genres_but_not_all(tables: tuple[Table, Table]) -> None:
    assert 0.5 < accuracy(tables, "timbre") < 0.92


@pytest.mark.slow
@pytest.mark.parametrize(
    "cue", ["tempo", "brightness", "loudness", "zero crossings", "busyness", "noisiness", "bass"]
)
def test_no_single_cue_gives_the_genre_away(tables: tuple[Table, Table], cue: str) -> None:
    assert accuracy(tables, cue) < 0.35
