from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from genrekit.errors import ConfigError, DataError
from genrekit.train.data.datasets import (
    DataSource,
    audio_source,
    fingerprints,
    open_dataset,
    read_table,
)


def test_a_folder_of_songs_is_listed_by_genre_and_name(songs: Path) -> None:
    dataset = open_dataset(audio_source(songs))
    assert dataset.labels == ("clicks", "noise", "tones")
    assert len(dataset.tracks) == 18
    first = dataset.tracks[0]
    assert (first.id, first.genre) == ("clicks.00000", "clicks")
    assert first.path == songs / "clicks" / "clicks.00000.wav"
    assert not dataset.source.synthetic


def test_the_mark_of_the_composer_makes_a_set_synthetic(tmp_path: Path) -> None:
    (tmp_path / "synthetic.json").write_text("{}")
    assert audio_source(tmp_path).synthetic


def test_songs_of_any_name_carry_their_folder_and_hidden_files_are_no_songs(
    tmp_path: Path,
) -> None:
    for name in ("jazz/So What.mp3", "rock/So What.flac", "rock/._So What.wav", "rock/cover.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    dataset = open_dataset(audio_source(tmp_path))
    assert [track.id for track in dataset.tracks] == ["jazz/So What", "rock/So What"]


def test_two_files_for_one_track_are_refused(songs: Path, tmp_path: Path) -> None:
    shutil.copytree(songs, tmp_path / "songs")
    (tmp_path / "songs" / "tones" / "tones.00000.au").write_bytes(b".snd")
    with pytest.raises(DataError, match="two files for one track"):
        open_dataset(audio_source(tmp_path / "songs"))


def test_a_folder_without_genres_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one folder per genre"):
        open_dataset(audio_source(tmp_path))
    with pytest.raises(DataError, match="no such folder"):
        open_dataset(audio_source(tmp_path / "missing"))


def test_fingerprints_are_equal_for_equal_bytes_only(songs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    shutil.copytree(songs, folder)
    shutil.copy(folder / "tones" / "tones.00001.wav", folder / "noise" / "noise.00009.wav")
    prints = fingerprints(open_dataset(audio_source(folder)))
    assert prints["tones.00001"] == prints["noise.00009"]
    assert len(set(prints.values())) == len(prints) - 1


def test_the_recipe_goes_with_pictures_only() -> None:
    with pytest.raises(ConfigError, match="goes with pictures"):
        DataSource(kind="audio", path="x", image_recipe="plain")
    with pytest.raises(ConfigError, match="goes with pictures"):
        DataSource(kind="images", path="x")


def _table(rows: list[str]) -> str:
    names = ",".join(f"f{i}" for i in range(57))
    return "\n".join([f"filename,length,{names},label", *rows]) + "\n"


def _row(name: str, value: float, label: str) -> str:
    return f"{name},661794,{','.join([str(value)] * 57)},{label}"


def test_segments_of_a_track_are_rows_of_one_track(tmp_path: Path) -> None:
    path = tmp_path / "features_3_sec.csv"
    rows = [_row(f"blues.00000.{i}.wav", i, "blues") for i in range(10)]
    path.write_text(_table([*rows, _row("rock.00001.wav", 7.5, "rock")]))
    table = read_table(path)
    np.testing.assert_array_equal(table["blues.00000"][:, 0], np.arange(10))
    np.testing.assert_array_equal(table["rock.00001"], np.full((1, 57), 7.5, np.float32))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (_row("blues.00000.wav", 1, "blues") + ",extra", "line 2: 61 fields, expected 60"),
        (_row("song", 1, "blues"), "line 2: 'song' is not a name"),
        (_row("blues.00000.wav", float("nan"), "blues"), "not a finite number"),
        (_row("blues.00000.wav", 1, "blues").replace(",1,", ",one,", 1), "line 2.*one"),
        (
            _row("blues.00000.0.wav", 1, "blues") + "\n" + _row("blues.00000.1.wav", 1, "rock"),
            "line 3: blues.00000 is both blues and rock",
        ),
    ],
)
def test_a_broken_table_is_refused_with_its_line(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(_table([row]))
    with pytest.raises(DataError, match=message):
        read_table(path)


def test_another_csv_is_not_taken_for_the_table(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="not Kaggle's table"):
        read_table(path)


def test_the_real_table_has_every_track_once(gtzan: Path) -> None:
    dataset = open_dataset(DataSource(kind="features", path=str(gtzan / "features_30_sec.csv")))
    assert len(dataset.tracks) == 1_000
    assert len(dataset.labels) == 10
    # The first value of the file's first row, as the file has it.
    table = read_table(gtzan / "features_30_sec.csv")
    assert table["blues.00000"][0, 0] == np.float32(0.35008811950683594)
