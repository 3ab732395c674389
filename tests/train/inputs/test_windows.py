from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genrekit.artifact.sections import Normalisation
from genrekit.errors import DataError
from genrekit.features.config import FeatureConfig
from genrekit.features.mel import band_weights
from genrekit.train.data.datasets import DataSource, audio_source, open_dataset
from genrekit.train.hyperparameters import Hyperparameters
from genrekit.train.inputs.augmentation import mixup, smooth, spec_augment
from genrekit.train.inputs.presets import log_mel_image, mel_of_db_image
from genrekit.train.inputs.spectrogram_pictures import read_plain_picture, read_stft_picture
from genrekit.train.inputs.windows import WindowedDataset, load_windowed_dataset
from genrekit.train.models.registry import ARCHITECTURES

PLAIN = dataclasses.replace(
    ARCHITECTURES["resnet18"].hyperparameters,
    batch_size=4,
    crops_per_track=3,
    label_smoothing=0.0,
    mixup=0.0,
    spec_augment=False,
)


@pytest.fixture
def windowed(songs: Path) -> WindowedDataset:
    source = audio_source(songs)
    dataset = open_dataset(source)
    tracks = dataset.tracks[:4] + dataset.tracks[-4:]
    plain = log_mel_image().normalised((Normalisation(kind="none"),))
    return load_windowed_dataset(source, tracks, plain, dataset.labels, jobs=1)


def _names(windowed: WindowedDataset) -> list[str]:
    return sorted(windowed.features)


def test_an_epoch_shows_every_track_as_often_as_asked(windowed: WindowedDataset) -> None:
    batches = list(windowed.batches(_names(windowed), PLAIN, (0, 0)))
    assert [len(batch.targets) for batch in batches] == [4] * 6
    seen = Counter(np.concatenate([batch.targets.argmax(axis=1) for batch in batches]).tolist())
    assert seen == {0: 12, 2: 12}
    assert batches[0].inputs[0].shape == (4, 1, 64, 130)


def test_an_epoch_follows_from_its_seed_alone(windowed: WindowedDataset) -> None:
    settings = dataclasses.replace(PLAIN, mixup=0.4, spec_augment=True)
    epochs = [list(windowed.batches(_names(windowed), settings, (7, e))) for e in (1, 1, 2)]
    for first, again, other in zip(*epochs, strict=True):
        np.testing.assert_array_equal(first.inputs[0], again.inputs[0])
        np.testing.assert_array_equal(first.targets, again.targets)
        assert not np.array_equal(first.inputs[0], other.inputs[0])


def test_crops_are_slices_of_their_track(windowed: WindowedDataset) -> None:
    (batch, *_) = windowed.batches(_names(windowed), PLAIN, (0, 0))
    crop = batch.inputs[0][0, 0].T
    label = int(batch.targets[0].argmax())
    places = [
        np.lib.stride_tricks.sliding_window_view(array, 130, axis=0).swapaxes(1, 2)
        for name, (array,) in windowed.features.items()
        if windowed.targets[name] == label
    ]
    assert any((windows == crop).all(axis=(1, 2)).any() for windows in places)


def test_every_other_window_can_be_left_out(windowed: WindowedDataset) -> None:
    name = _names(windowed)[0]
    (whole,) = windowed.windows(name)
    (half,) = windowed.windows(name, every=2)
    assert len(whole) == (1 + 4 * 22_050 // 512 - 130) // 65 + 1
    np.testing.assert_array_equal(half, whole[::2])


def test_a_track_of_an_unknown_genre_is_refused(songs: Path) -> None:
    source = audio_source(songs)
    with pytest.raises(DataError, match="genre 'tones': not among the labels"):
        load_windowed_dataset(
            source, open_dataset(source).tracks, log_mel_image(), ("clicks", "noise")
        )


def test_smoothed_targets_stay_probabilities() -> None:
    targets = smooth(np.eye(4, dtype=np.float32)[[1]], 0.2)
    np.testing.assert_allclose(targets, [[0.05, 0.85, 0.05, 0.05]], rtol=1e-6)


def test_mixup_blends_windows_and_targets_alike() -> None:
    rng = np.random.default_rng(0)
    targets = np.eye(8, dtype=np.float32)
    # Window i is filled with target i, so that blends can be read off either.
    windows = np.repeat(targets[:, None, :], 5, axis=1)
    (mixed,), mixed_targets = mixup((windows,), targets, 1.0, rng)
    np.testing.assert_allclose(mixed[:, 0], mixed_targets)
    np.testing.assert_allclose(mixed_targets.sum(axis=1), 1.0, rtol=1e-6)
    assert (np.count_nonzero(mixed_targets, axis=1) == 2).any()


def test_spec_augment_blanks_stripes_with_the_mean_and_leaves_the_rest() -> None:
    rng = np.random.default_rng(0)
    windows = rng.standard_normal((50, 1, 64, 130)).astype(np.float32)
    blanked = spec_augment(windows, rng)
    changed = blanked != windows
    rows, columns = changed[:, 0].all(axis=2).sum(axis=1), changed[:, 0].all(axis=1).sum(axis=1)
    assert rows.max() <= 0.15 * 64
    assert columns.max() <= 0.2 * 130
    assert rows.mean() > 1
    assert columns.mean() > 1
    for window, before, where in zip(blanked, windows, changed, strict=True):
        np.testing.assert_allclose(window[where], before.mean(), atol=1e-5)


def _paint(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def test_a_picture_s_lowest_row_is_the_lowest_frequency(tmp_path: Path) -> None:
    pixels = np.zeros((543, 57))
    pixels[-30:] = 255  # at the bottom of the picture: below 600 Hz
    _paint(tmp_path / "low.png", pixels)
    config = mel_of_db_image().features
    features = read_stft_picture(tmp_path / "low.png", config)
    assert features.shape == (57, 96)
    assert (features[:, 0] == 1.0).all()
    assert (features[:, -1] == 0.0).all()


def test_a_picture_is_pooled_like_the_spectrum_that_it_shows(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(543, 57))
    _paint(tmp_path / "noise.png", pixels)
    config = FeatureConfig(n_mels=40)
    expected = (pixels[::-1].T / 255.0) @ band_weights(543, config).T
    features = read_stft_picture(tmp_path / "noise.png", config)
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_plain_pictures_are_brought_to_one_size(tmp_path: Path) -> None:
    pixels = np.zeros((256, 256))
    pixels[:, 128:] = 255  # the second half of the time
    _paint(tmp_path / "late.png", pixels)
    features = read_plain_picture(tmp_path / "late.png")
    assert features.shape == (128, 128)
    assert (features[:64] == 0.0).all()
    assert (features[64:] == 1.0).all()


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"])
def test_what_is_no_png_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.png: not a readable PNG picture"):
        read_plain_picture(path)


def test_a_broken_picture_is_left_out_and_named(tmp_path: Path) -> None:
    for genre in ("a", "b"):
        for i in range(3):
            _paint(tmp_path / genre / f"{genre}.{i:05d}.png", np.full((543, 57), 10 * i))
    (tmp_path / "b" / "b.00001.png").write_bytes(b"broken")
    source = DataSource(kind="images", path=str(tmp_path), image_recipe="stft_5s")
    dataset = open_dataset(source)
    windowed = load_windowed_dataset(source, dataset.tracks, mel_of_db_image(), dataset.labels)
    assert list(windowed.excluded) == ["b.00001"]
    assert windowed.windows("a.00002")[0].shape == (1, 1, 96, 57)


@pytest.mark.parametrize(
    ("name", "value"), [("epochs", 0), ("learning_rate", 0.0), ("label_smoothing", 1.0)]
)
def test_hyperparameters_outside_their_bounds_are_refused(name: str, value: float) -> None:
    settings: Hyperparameters = PLAIN
    with pytest.raises(ValueError, match=name):
        dataclasses.replace(settings, **{name: value})
