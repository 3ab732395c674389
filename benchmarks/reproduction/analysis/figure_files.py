"""Pictures of a collection: its figures and its distances, into a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from genrekit.audio.decoding import load_audio
from genrekit.features.config import FeatureConfig
from genrekit.train.data.datasets import open_dataset
from genrekit.train.inputs.presets import feature_vector
from genrekit.train.inputs.windows import load_windowed_dataset

from ..collection import Collection
from ..rows import Row
from .dataset_figures import draw_distances, draw_segments, draw_views
from .segment_distances import Distances, pairwise

GENRES = ("blues", "jazz")  # whose tracks the report shows: its plots, its segments
DISTANCES = "segment-distances"


def draw_collection(collection: Collection, out: Path, *, jobs: int | None = None) -> list[Row]:
    """Draw one track in every view, segments of another, and the distances of all.

    Parameters
    ----------
    collection : Collection
        With songs.
    out : Path
        Folder of the PNG files.
    jobs : int, optional
        Processes that compute features.

    Returns
    -------
    list of Row
        The distances in numbers.
    """
    source = collection.sources["songs"]
    dataset = open_dataset(source)
    rate = FeatureConfig().sample_rate
    data = collection.describe("songs")
    for genre, draw, name in (
        (GENRES[0], draw_views, "views.png"),
        (GENRES[1], draw_segments, "segments.png"),
    ):
        track = next((item for item in dataset.tracks if item.genre == genre), dataset.tracks[0])
        draw(load_audio(track.path, rate).samples, f"{data}: {track.id}", out / name)
    view = feature_vector(window_s=3.0)
    windowed = load_windowed_dataset(source, dataset.tracks, view, dataset.labels, jobs=jobs)
    names = list(windowed.features)
    features = [np.asarray(windowed.features[name][0]) for name in names]
    found = pairwise(features, [windowed.targets[name] for name in names], dataset.labels)
    for distances in found:
        draw_distances(distances, data, out / f"distances_{distances.measure}.png")
    return [row for distances in found for row in _rows(distances, data, len(names))]


def _rows(distances: Distances, data: str, n: int) -> list[Row]:
    return [
        Row(
            system=DISTANCES,
            title="57 features of 3 s segments, standardised",
            data=data,
            protocol="all tracks",
            metric=f"mean {distances.measure} distance, {where}",
            value=value,
            n=n,
            ci95=None,
            seeds=(),
            report_value=None,
            parameters=0,
            seconds=0.0,
            evaluations=(),
            note="",
        )
        for where, value in (
            ("within a track", distances.same_track),
            ("within a genre, other tracks", distances.same_genre),
            ("between genres", distances.other_genre),
        )
    ]
