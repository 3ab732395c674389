"""Collection: what a GTZAN-shaped folder offers to train on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from genrekit.errors import DataError
from genrekit.train.data.datasets import DataSource, audio_source, open_dataset

Material = Literal["songs", "stft_5s", "spectrograms", "table"]
# Folders of songs by the names that GTZAN's and Kaggle's archives give them.
SONGS = ("genres_original", "genres")
_TABLE = "features_30_sec.csv"
_SPLITS = "splits"


@dataclasses.dataclass(frozen=True, slots=True)
class Collection:
    """A folder and its materials.

    Parameters
    ----------
    root : Path
    sources : dict of str to DataSource
        By material; those that are there.
    """

    root: Path
    sources: dict[Material, DataSource]

    def splits(self, protocol: str) -> Path:
        """Return the folder with the lists of a protocol."""
        folder = self.root / _SPLITS
        return folder / "artist_3fold" if protocol.startswith("fold") else folder

    def describe(self, material: Material) -> str:
        """Name a material and its size, for people; synthetic music is called so."""
        if material not in self.sources:
            return f"{self.root.name}: {material}"
        source = self.sources[material]
        kind = "synthetic music" if source.synthetic else self.root.name
        return f"{kind}: {material}, {len(open_dataset(source).tracks)} tracks"


def open_collection(root: Path) -> Collection:
    """Look what a folder offers.

    Parameters
    ----------
    root : Path
        GTZAN as it is distributed (`genres_original/` or `genres/`, pictures in `stft_5s/` or
        `spectrograms/`, `features_30_sec.csv`, `splits/`), or one folder per genre.

    Raises
    ------
    DataError
        If there is nothing to train on.
    """
    sources: dict[Material, DataSource] = {}
    songs = next((root / name for name in SONGS if (root / name).is_dir()), root)
    if (root / "stft_5s").is_dir():
        sources["stft_5s"] = DataSource(
            kind="images", path=str(root / "stft_5s"), image_recipe="stft_5s"
        )
    if (root / "spectrograms").is_dir():
        sources["spectrograms"] = DataSource(
            kind="images", path=str(root / "spectrograms"), image_recipe="plain"
        )
    if (root / _TABLE).is_file():
        sources["table"] = DataSource(kind="features", path=str(root / _TABLE))
    if songs != root or not sources:
        if not songs.is_dir():
            raise DataError(f"{root}: no such folder")
        sources = {"songs": audio_source(songs), **sources}
    return Collection(root, sources)
