from __future__ import annotations

import numpy as np
import pytest

from genrekit.artifact.sections import InputSpec, Normalisation
from genrekit.train.data.datasets import DataSource
from genrekit.train.inputs.presets import (
    feature_vector,
    log_mel_image,
    mel_of_db_image,
    picture,
    vector_of,
)
from genrekit.train.inputs.representation import (
    count_windows,
    cut_windows,
    measure_normalisation,
    window_starts,
)


def test_log_mel_windows_have_130_frames_and_start_every_65() -> None:
    representation = log_mel_image(64)
    (spec,) = representation.inputs
    assert spec.shape == (1, 64, 130)
    assert representation.hop_frames == 65
    whole_song = np.zeros((1_293, 64), np.float32)  # 661 794 samples
    assert list(window_starts(whole_song, spec, 65)) == [65 * i for i in range(18)]


def test_stft_pictures_have_the_57_columns_of_five_seconds() -> None:
    (spec,) = mel_of_db_image(96).inputs
    assert spec.shape == (1, 96, 57)
    assert mel_of_db_image().deployable
    assert not picture().deployable


def _spec(normalisation: Normalisation, shape: tuple[int, int, int] = (1, 2, 3)) -> InputSpec:
    return InputSpec(
        name="x",
        feature="log_mel",
        layout="channel_band_frame",
        shape=shape,
        dtype="float32",
        normalisation=normalisation,
    )


def test_windows_are_slices_with_bands_before_frames() -> None:
    features = np.arange(10, dtype=np.float32).reshape(5, 2)
    windows = cut_windows(features, _spec(Normalisation(kind="none")), [0, 2])
    np.testing.assert_array_equal(windows, [[[[0, 2, 4], [1, 3, 5]]], [[[4, 6, 8], [5, 7, 9]]]])
    assert count_windows(features, _spec(Normalisation(kind="none"))) == 3


def test_features_of_whole_windows_are_taken_one_by_one() -> None:
    (spec,) = feature_vector(3.0).inputs
    segments = np.arange(10 * 57, dtype=np.float32).reshape(10, 57)
    assert list(window_starts(segments, spec, 5)) == list(range(10))
    np.testing.assert_array_equal(cut_windows(segments, spec, [3]), segments[3:4])


def test_measured_normalisation_makes_training_bands_standard() -> None:
    rng = np.random.default_rng(0)
    tracks = [
        (rng.standard_normal((n, 2)) * [3.0, 0.1] + [-50.0, 7.0]).astype(np.float32)
        for n in (400, 700)
    ]
    normalisation = measure_normalisation(tracks)
    windows = [
        cut_windows(track, _spec(normalisation, (1, 2, len(track))), [0]) for track in tracks
    ]
    joined = np.concatenate([window[0, 0] for window in windows], axis=1)
    np.testing.assert_allclose(joined.mean(axis=1), 0.0, atol=1e-4)
    np.testing.assert_allclose(joined.std(axis=1), 1.0, atol=1e-4)


def test_a_constant_band_is_only_shifted() -> None:
    normalisation = measure_normalisation([np.full((9, 1), -100.0, np.float32)])
    assert normalisation.mean == (-100.0,)
    assert normalisation.std == (1.0,)


def test_window_normalisation_needs_no_training_tracks() -> None:
    features = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32) * 10
    window = cut_windows(features, _spec(Normalisation(kind="window")), [0])
    assert window.mean() == pytest.approx(0.0, abs=1e-6)
    assert window.std() == pytest.approx(1.0, rel=1e-5)


def test_a_model_of_the_table_is_fed_whole_tracks_and_one_of_songs_3_s() -> None:
    table = vector_of(DataSource(kind="features", path="features_30_sec.csv"))
    songs = vector_of(DataSource(kind="audio", path="songs"))
    assert (table.windowing.window_s, songs.windowing.window_s) == (30.0, 3.0)
