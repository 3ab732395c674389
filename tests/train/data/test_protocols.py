"""Ways of dividing: sides never share a track unless the protocol says that it leaks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from genrekit.commands.main import main
from genrekit.errors import ConfigError
from genrekit.export.exporter import ExportOptions, export_run
from genrekit.train.data.datasets import audio_source, open_dataset
from genrekit.train.data.protocols import LEAKY, PROTOCOLS, protocol
from genrekit.train.hyperparameters import Hyperparameters
from genrekit.train.inputs.presets import feature_vector, mfcc_segments, plot_and_series
from genrekit.train.inputs.windows import load_windowed_dataset
from genrekit.train.models.registry import architecture
from genrekit.train.runs.trainer import Plan, train

from ..conftest import compose, write_song

EVERY: Hyperparameters = architecture("svm").hyperparameters


@pytest.fixture(scope="module")
def long_songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two genres with eight songs of 10 s: three segments each."""
    folder = tmp_path_factory.mktemp("long")
    for genre in ("noise", "tones"):
        for index in range(8):
            samples = compose(genre, index, seconds=10.0)
            write_song(folder / genre / f"{genre}.{index:05d}.wav", samples)
    return folder


def test_only_what_divides_segments_is_called_leaky() -> None:
    labelled = {name for name, entry in PROTOCOLS.items() if LEAKY in entry.label}
    assert labelled == {"segments_80_20", "segments_70_20_10"}
    with pytest.raises(ConfigError, match="must be one of stratified, track, filtered"):
        protocol("lucky")


@pytest.mark.parametrize("name", ["stratified", "track", "segments_80_20", "segments_70_20_10"])
def test_shares_are_those_of_the_title(long_songs: Path, name: str) -> None:
    dataset = open_dataset(audio_source(long_songs))
    tracks = tuple(
        dataclasses.replace(track, id=f"{track.id}/{i}")
        for track in dataset.tracks
        for i in range(25)
    )
    split = protocol(name).divide(dataclasses.replace(dataset, tracks=tracks), {}, None, 0)
    shares = [len(side) / 400 for side in (split.train, split.valid, split.test)]
    expected = {
        "stratified": (0.8, 0.1, 0.1),
        "track": (0.65, 0.1, 0.25),
        "segments_80_20": (0.72, 0.08, 0.2),
        "segments_70_20_10": (0.7, 0.2, 0.1),
    }[name]
    assert shares == pytest.approx(expected, abs=0.005)
    assert split.protocol == name


def test_segments_of_a_leaky_split_are_those_of_the_tracks(long_songs: Path) -> None:
    source = audio_source(long_songs)
    dataset = open_dataset(source)
    for view in (feature_vector(window_s=3.0), mfcc_segments()):
        whole = load_windowed_dataset(source, dataset.tracks, view, dataset.labels, jobs=1)
        parts = whole.segmented()
        assert len(parts.features) == 3 * len(whole.features)
        for track in dataset.tracks:
            together = np.concatenate([parts.windows(f"{track.id}/{i}")[0] for i in range(3)])
            np.testing.assert_array_equal(together, whole.windows(track.id)[0])
            assert parts.targets[f"{track.id}/2"] == whole.targets[track.id]


def test_no_crops_is_every_window_once(long_songs: Path) -> None:
    source = audio_source(long_songs)
    dataset = open_dataset(source)
    view = feature_vector(window_s=3.0)
    windowed = load_windowed_dataset(source, dataset.tracks, view, dataset.labels, jobs=1)
    names = [track.id for track in dataset.tracks]
    settings = dataclasses.replace(EVERY, batch_size=10)
    batches = list(windowed.batches(names, settings, (0, 0)))
    assert len(batches) == windowed.steps(names, settings) == 4
    seen = np.concatenate([batch.inputs[0] for batch in batches])
    every = np.concatenate([windowed.windows(name)[0] for name in names])
    np.testing.assert_array_equal(np.sort(seen, axis=0), np.sort(every, axis=0))


def test_windows_of_a_plot_and_a_series_begin_together(tmp_path: Path) -> None:
    # 60 s: two whole windows. The series could begin at any frame, the plots were cut before.
    for genre in ("noise", "tones"):
        write_song(tmp_path / genre / f"{genre}.00000.wav", compose(genre, 0, seconds=60.0))
    source = audio_source(tmp_path)
    dataset = open_dataset(source)
    view = plot_and_series("zcr_plot", 32)
    windowed = load_windowed_dataset(source, dataset.tracks, view, dataset.labels, jobs=1)
    name = dataset.tracks[0].id
    plots, series = windowed.windows(name)
    assert (len(plots), len(series)) == (2, 2)
    settings = dataclasses.replace(EVERY, crops_per_track=12, batch_size=24)
    (batch,) = windowed.batches([name], settings, (0, 0))
    for picture, frames in zip(*batch.inputs, strict=True):
        (index,) = np.flatnonzero((plots == picture).all(axis=(1, 2, 3)))
        np.testing.assert_array_equal(frames, series[index])
    assert len({picture.tobytes() for picture in batch.inputs[0]}) == 2


def test_a_leaky_run_says_so_and_gives_no_file(
    long_songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", str(long_songs), "--model", "svm", "--split", "segments_80_20"]
    assert main([*words, "--out", str(tmp_path / "run"), "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert "LEAKY: by segment" in said
    assert "of n=10 segments" in said
    plan = Plan(source=audio_source(long_songs), model="svm", protocol="segments_80_20")
    run = train(plan, tmp_path / "run", jobs=1)
    with pytest.raises(ConfigError, match="leaky split"):
        export_run(run, tmp_path / "svm.onnx", ExportOptions(compress=False))
