from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from genrekit.errors import ConfigError, DataError
from genrekit.train.data.datasets import (
    Dataset,
    DataSource,
    Track,
    audio_source,
    fingerprints,
    open_dataset,
)
from genrekit.train.data.splits import (
    Split,
    filtered_split,
    fold_split,
    forbid_leakage,
    stratified_split,
)


def _dataset(counts: dict[str, int]) -> Dataset:
    tracks = tuple(
        Track(f"{genre}.{i:05d}", genre, Path(f"{genre}/{i}.wav"))
        for genre, count in counts.items()
        for i in range(count)
    )
    return Dataset(DataSource(kind="audio", path="made-up"), tuple(counts), tracks)


def _genres(names: tuple[str, ...]) -> dict[str, int]:
    return dict(Counter(name.split(".")[0] for name in names))


def test_a_stratified_split_has_the_same_shares_in_every_genre() -> None:
    dataset = _dataset({"blues": 100, "jazz": 60})
    split = stratified_split(dataset, {}, seed=0)
    assert _genres(split.train) == {"blues": 80, "jazz": 48}
    assert _genres(split.valid) == {"blues": 10, "jazz": 6}
    assert _genres(split.test) == {"blues": 10, "jazz": 6}
    assert {*split.train, *split.valid, *split.test} == {track.id for track in dataset.tracks}


def test_the_seed_chooses_the_split() -> None:
    dataset = _dataset({"blues": 50, "jazz": 50})
    splits = [stratified_split(dataset, {}, seed=seed) for seed in (0, 0, 1)]
    assert splits[0] == splits[1]
    assert splits[0].test != splits[2].test


def test_copies_of_one_recording_stay_on_one_side() -> None:
    dataset = _dataset({"blues": 40, "jazz": 40})
    # Every blues track is a copy of a neighbour, and the last of a jazz track.
    prints = {track.id: f"{track.genre}{int(track.id[-5:]) // 2}" for track in dataset.tracks}
    prints["blues.00039"] = prints["jazz.00000"]
    for seed in range(20):
        split = stratified_split(dataset, prints, seed=seed)
        forbid_leakage(split, prints)
        assert len(split.train) + len(split.valid) + len(split.test) == 80


def test_too_few_tracks_or_no_shares_are_refused() -> None:
    with pytest.raises(DataError, match="blues: 2 different tracks are too few"):
        stratified_split(_dataset({"blues": 2, "jazz": 9}), {}, seed=0)
    with pytest.raises(ConfigError, match="together below 1"):
        stratified_split(_dataset({"a": 9, "b": 9}), {}, seed=0, valid_share=0.5, test_share=0.5)


def test_a_track_on_two_sides_is_a_leak() -> None:
    split = Split(protocol="own", train=("a", "b"), valid=("c",), test=("b",))
    with pytest.raises(DataError, match="leakage in split 'own': b of test stands in train"):
        forbid_leakage(split, {})


def test_a_recording_under_two_names_on_two_sides_is_a_leak() -> None:
    split = Split(protocol="own", train=("a",), valid=("b",), test=("c",))
    forbid_leakage(split, {"a": "1", "b": "2", "c": "3"})
    with pytest.raises(DataError, match="c of test is the same recording as a in train"):
        forbid_leakage(split, {"a": "1", "b": "2", "c": "1"})


def test_real_copies_are_kept_together(songs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    shutil.copytree(songs, folder)
    for genre in ("clicks", "noise", "tones"):
        for i in range(6):
            shutil.copy(
                folder / genre / f"{genre}.{i:05d}.wav", folder / genre / f"{genre}.9{i:04d}.wav"
            )
    dataset = open_dataset(audio_source(folder))
    prints = fingerprints(dataset)
    split = stratified_split(dataset, prints, seed=3)
    forbid_leakage(split, prints)
    for name in split.test:
        twin = name.replace(".9", ".0") if ".9" in name else name.replace(".0", ".9", 1)
        assert twin in split.test


def test_leaving_tracks_out_leaves_the_other_sides_alone() -> None:
    split = Split(protocol="own", train=("a", "b"), valid=("c",), test=("d",))
    assert split.without(["b"]) == Split(protocol="own", train=("a",), valid=("c",), test=("d",))


def test_the_filtered_split_of_pictures_lacks_the_corrupt_track_and_says_so(gtzan: Path) -> None:
    source = DataSource(kind="images", path=str(gtzan / "spectrograms"), image_recipe="plain")
    dataset = open_dataset(source)
    split = filtered_split(dataset, gtzan / "splits")
    assert (len(split.train), len(split.valid), len(split.test)) == (442, 197, 290)
    assert split.missing == ("jazz.00054",)
    forbid_leakage(split, fingerprints(dataset))


@pytest.mark.parametrize("fold", [1, 2, 3])
def test_artist_folds_share_no_artist_between_their_sides(gtzan: Path, fold: int) -> None:
    folder = gtzan / "splits" / "artist_3fold"
    dataset = open_dataset(DataSource(kind="features", path=str(gtzan / "features_30_sec.csv")))
    split = fold_split(dataset, folder, fold, seed=0)
    lists = {
        part: (folder / f"f{fold}_{part}_groups.txt").read_text().splitlines()
        for part in ("train", "evaluate")
    }
    artist = {
        line.split("\t")[0][2:-4].replace("_", "."): line.split("\t")[1]
        for line in lists["train"] + lists["evaluate"]
    }
    sides = [{artist[name] for name in side} for side in (split.train, split.valid, split.test)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert len(split.test) == len(lists["evaluate"])
    assert len(split.train) + len(split.valid) == len(lists["train"])
    assert min(_genres(split.valid).values()) >= 9  # 15 % of about 60


def test_lists_that_name_no_track_of_the_data_are_refused(gtzan: Path, songs: Path) -> None:
    with pytest.raises(DataError, match="none of its train tracks is in"):
        filtered_split(open_dataset(audio_source(songs)), gtzan / "splits")
    with pytest.raises(ConfigError, match="fold=4"):
        fold_split(open_dataset(audio_source(songs)), gtzan / "splits", 4, seed=0)
