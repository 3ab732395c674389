"""Protocols: the named ways of dividing tracks, and whether a score under them can be believed.

A leaky protocol puts segments of one track on both sides. It exists to show what that is worth:
every output that carries such a score says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from genrekit.errors import ConfigError

from .datasets import Dataset
from .splits import Split, filtered_split, fold_split, stratified_split

LEAKY = "LEAKY"  # the word in every label

# Dataset, content hashes by track, folder of lists, seed.
Divide = Callable[[Dataset, Mapping[str, str], Path | None, int], Split]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """One way of dividing.

    Parameters
    ----------
    name : str
        As given to `--split`.
    title : str
        For people.
    divide : callable
    listed : bool
        Whether the sides are read from a folder of lists.
    by_segment : bool
        Whether segments are divided instead of tracks: then it leaks.
    """

    name: str
    title: str
    divide: Divide
    listed: bool = False
    by_segment: bool = False

    @property
    def label(self) -> str:
        """The title, with a warning where the protocol leaks."""
        return f"{LEAKY}: {self.title}" if self.by_segment else self.title


def protocol(name: str) -> Protocol:
    """Look up a protocol.

    Raises
    ------
    ConfigError
        Naming those that there are.
    """
    if name not in PROTOCOLS:
        raise ConfigError(f"split {name!r:.40}: must be one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def _shares(
    dataset: Dataset,
    prints: Mapping[str, str],
    folder: Path | None,
    seed: int,
    *,
    name: str,
    valid: float,
    test: float,
) -> Split:
    del folder
    split = stratified_split(dataset, prints, seed=seed, valid_share=valid, test_share=test)
    return dataclasses.replace(split, protocol=name)


def _filtered(dataset: Dataset, prints: Mapping[str, str], folder: Path | None, seed: int) -> Split:
    del prints, seed
    return filtered_split(dataset, _given(folder))


def _fold(
    dataset: Dataset, prints: Mapping[str, str], folder: Path | None, seed: int, *, fold: int
) -> Split:
    del prints
    return fold_split(dataset, _given(folder), fold, seed=seed)


def _given(folder: Path | None) -> Path:
    if folder is None:
        raise ConfigError("this split needs the folder of its lists (--splits-dir)")
    return folder


def _by_shares(
    name: str, title: str, *, valid: float, test: float, by_segment: bool = False
) -> Protocol:
    divide = partial(_shares, name=name, valid=valid, test=test)
    return Protocol(name=name, title=title, divide=divide, by_segment=by_segment)


PROTOCOLS = {
    declared.name: declared
    for declared in (
        _by_shares("stratified", "by track, 80/10/10 at random", valid=0.1, test=0.1),
        _by_shares("track", "by track, 65/10/25 at random", valid=0.1, test=0.25),
        Protocol(
            name="filtered",
            title="fault- and artist-filtered",
            divide=_filtered,
            listed=True,
        ),
        *(
            Protocol(
                name=f"fold{fold}",
                title=f"artist fold {fold} of 3",
                divide=partial(_fold, fold=fold),
                listed=True,
            )
            for fold in (1, 2, 3)
        ),
        _by_shares(
            "segments_80_20",
            "by segment, 80/20 (a tenth of the 80 chooses the epoch)",
            valid=0.08,
            test=0.2,
            by_segment=True,
        ),
        _by_shares(
            "segments_70_20_10", "by segment, 70/20/10", valid=0.2, test=0.1, by_segment=True
        ),
    )
}
