"""Split: which tracks train, which choose, which judge -- by track, never by segment.

Three protocols: stratified at random, the fault- and artist-filtered lists of Kereliuk,
Sturm and Larsen, and artist folds. Copies of one recording always stay on one side.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from genrekit.errors import ConfigError, DataError
from genrekit.files import read_bounded

from .datasets import Dataset

MAX_LIST_BYTES = 1 << 20
SIDES = ("train", "valid", "test")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Track names on three sides.

    Parameters
    ----------
    protocol : str
        "stratified", "filtered", or "fold1" to "fold3".
    train, valid, test : tuple of str
        Track names, sorted.
    missing : tuple of str
        Names in the protocol's lists that the data lacks.
    """

    protocol: str
    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def without(self, track_ids: Iterable[str]) -> Split:
        """Return the split with some tracks left out."""
        gone = frozenset(track_ids)

        def kept(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(name for name in names if name not in gone)

        return dataclasses.replace(
            self, train=kept(self.train), valid=kept(self.valid), test=kept(self.test)
        )


def stratified_split(
    dataset: Dataset,
    prints: Mapping[str, str],
    *,
    seed: int,
    valid_share: float = 0.1,
    test_share: float = 0.1,
) -> Split:
    """Split at random, with the same shares in every genre.

    Parameters
    ----------
    dataset : Dataset
        At least three different tracks per genre.
    prints : mapping of str to str
        Content hash by track name; tracks of equal content go to the same side.
    seed : int
        Chooses the split.
    valid_share, test_share : float
        Shares of the tracks, together below 1; at least one track per genre each.

    Raises
    ------
    ConfigError
        If the shares leave nothing to train on.
    DataError
        If a genre has too few tracks.
    """
    if min(valid_share, test_share) <= 0.0 or valid_share + test_share >= 1.0:
        raise ConfigError(f"shares {valid_share} and {test_share}: above 0, together below 1")
    rng = np.random.default_rng(seed)
    groups: dict[str, list[str]] = defaultdict(list)
    for track in dataset.tracks:
        groups[prints.get(track.id, track.id)].append(track.id)
    genre_of = {track.id: track.genre for track in dataset.tracks}
    sides: dict[str, list[str]] = {side: [] for side in SIDES}
    for label in dataset.labels:
        # A copy under another genre counts for the genre of its first name.
        mine = [group for group in groups.values() if genre_of[group[0]] == label]
        n_test, n_valid = (max(1, round(share * len(mine))) for share in (test_share, valid_share))
        if len(mine) <= n_test + n_valid:
            raise DataError(f"{label}: {len(mine)} different tracks are too few to split in three")
        order = [mine[i] for i in rng.permutation(len(mine))]
        cuts = (0, n_test, n_test + n_valid, len(order))
        for side, (start, stop) in zip(
            ("test", "valid", "train"), itertools.pairwise(cuts), strict=True
        ):
            sides[side].extend(itertools.chain.from_iterable(order[start:stop]))
    return Split(protocol="stratified", **{side: tuple(sorted(sides[side])) for side in SIDES})


def filtered_split(dataset: Dataset, folder: str | Path) -> Split:
    """Read the fault- and artist-filtered split of GTZAN.

    Parameters
    ----------
    dataset : Dataset
        GTZAN, in songs, pictures or as a table.
    folder : path-like
        Has `train_filtered.txt`, `valid_filtered.txt` and `test_filtered.txt`.

    References
    ----------
    Kereliuk, Sturm, Larsen: "Deep learning and music adversaries", IEEE Transactions on
    Multimedia 17(11), 2015.
    """
    lists = {side: _read_names(Path(folder) / f"{side}_filtered.txt") for side in SIDES}
    return _listed_split("filtered", dataset, lists)


def fold_split(
    dataset: Dataset, folder: str | Path, fold: int, *, seed: int, valid_share: float = 0.15
) -> Split:
    """Read one of three artist folds; its validation side is cut from the training artists.

    Parameters
    ----------
    dataset : Dataset
        GTZAN, in songs, pictures or as a table.
    folder : path-like
        Has `f1_train_groups.txt` (a name and its artist's number per line), `f1_test.txt`...
    fold : int
        1, 2 or 3.
    seed : int
        Chooses the validation artists.
    valid_share : float
        Least share of every genre's training tracks that go to validation.
    """
    if fold not in (1, 2, 3):
        raise ConfigError(f"fold={fold}: must be 1, 2 or 3")
    artist_of = _read_artists(Path(folder) / f"f{fold}_train_groups.txt")
    valid = _choose_artists(artist_of, seed, valid_share)
    lists = {
        "train": [name for name in artist_of if name not in valid],
        "valid": sorted(valid),
        "test": _read_names(Path(folder) / f"f{fold}_test.txt"),
    }
    return _listed_split(f"fold{fold}", dataset, lists)


def forbid_leakage(split: Split, prints: Mapping[str, str]) -> None:
    """Refuse a split that shares a track, or a recording under two names, between sides.

    Parameters
    ----------
    split : Split
        What is about to be trained on.
    prints : mapping of str to str
        Content hash by track name.

    Raises
    ------
    DataError
        Naming the first pair.
    """
    seen: dict[str, tuple[str, str]] = {}
    for side in SIDES:
        for name in getattr(split, side):
            for key in {name, prints.get(name, name)}:
                other_side, other = seen.setdefault(key, (side, name))
                if other_side != side:
                    what = "stands" if other == name else f"is the same recording as {other}"
                    raise DataError(
                        f"leakage in split {split.protocol!r}: {name} of {side} {what} in "
                        f"{other_side}; a score on it would not count"
                    )


def _listed_split(protocol: str, dataset: Dataset, lists: Mapping[str, Sequence[str]]) -> Split:
    known = {track.id for track in dataset.tracks}
    named = [name for side in SIDES for name in lists[side]]
    sides = {side: tuple(sorted(known.intersection(lists[side]))) for side in SIDES}
    if empty := [side for side in SIDES if not sides[side]]:
        raise DataError(
            f"split {protocol!r}: none of its {empty[0]} tracks is in {dataset.source.path}"
        )
    return Split(protocol=protocol, **sides, missing=tuple(sorted(set(named) - known)))


def _read_names(path: Path) -> list[str]:
    text = read_bounded(path, MAX_LIST_BYTES).decode("utf-8", errors="replace")
    return [_stem(line.split("\t")[0]) for line in text.splitlines() if line.strip()]


def _read_artists(path: Path) -> dict[str, str]:
    text = read_bounded(path, MAX_LIST_BYTES).decode("utf-8", errors="replace")
    artists = {}
    for line in text.splitlines():
        name, tab, artist = line.partition("\t")
        if not tab:
            raise DataError(f"{path}: {line!r:.60} has no tab between track and artist")
        artists[_stem(name)] = artist.strip()
    return artists


def _stem(name: str) -> str:
    """`blues/blues.00029.wav` and `./blues_00029.wav` are both `blues.00029`."""
    stem = name.strip().rsplit("/", 1)[-1].removesuffix(".wav").removesuffix(".au")
    return stem if "." in stem else stem.replace("_", ".", 1)


def _choose_artists(artist_of: Mapping[str, str], seed: int, share: float) -> set[str]:
    """Take whole artists, in random order, until every genre has its share."""
    rng = np.random.default_rng(seed)
    works: dict[str, list[str]] = defaultdict(list)
    for name, artist in artist_of.items():
        works[artist].append(name)
    wanted: dict[str, float] = defaultdict(float)
    for name in artist_of:
        wanted[name.split(".")[0]] += share
    chosen: set[str] = set()
    artists = sorted(works)
    for index in rng.permutation(len(artists)):
        names = works[artists[index]]
        genres = [name.split(".")[0] for name in names]
        # An artist of half a genre would leave too little of it to learn from.
        if all(0 < genres.count(genre) <= 2 * wanted[genre] for genre in genres):
            chosen.update(names)
            for genre in genres:
                wanted[genre] -= 1
    return chosen
