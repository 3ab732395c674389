"""Distances: how far segments lie apart within a track, within a genre, and between genres.

Euclidean distance and correlation distance (one minus the correlation) between the features of
3 s segments, every feature standardised over all segments. Where segments of one track lie far
closer together than tracks of one genre, a split by segment measures recognition of tracks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from genrekit.arrays import Float32, Float64
from genrekit.errors import DataError

SEGMENTS_PER_TRACK = 4


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Distances:
    """Mean distances by one measure.

    Parameters
    ----------
    measure : {"euclidean", "correlation"}
    labels : tuple of str
    between : tuple of tuple of float
        Mean distance of segments of two genres, of different tracks.
    same_track, same_genre, other_genre : float
        Mean distance of segments of one track, of two tracks of a genre, of two genres.
    """

    measure: str
    labels: tuple[str, ...]
    between: tuple[tuple[float, ...], ...]
    same_track: float
    same_genre: float
    other_genre: float


def euclidean(rows: Float32) -> Float64:
    """Return the Euclidean distances of all pairs: float64, shape (n, n)."""
    rows64 = rows.astype(np.float64)
    squares = (rows64**2).sum(axis=1)
    inner = squares[:, None] + squares - 2.0 * rows64 @ rows64.T
    distance: Float64 = np.sqrt(np.maximum(inner, 0.0))
    np.fill_diagonal(distance, 0.0)
    return distance


def correlation(rows: Float32) -> Float64:
    """Return one minus the correlation of all pairs: float64, shape (n, n)."""
    centred = rows.astype(np.float64)
    centred = centred - centred.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.where(norm > 0.0, norm, 1.0)
    distance: Float64 = 1.0 - unit @ unit.T
    np.fill_diagonal(distance, 0.0)
    return distance


MEASURES: dict[str, Callable[[Float32], Float64]] = {
    "euclidean": euclidean,
    "correlation": correlation,
}


def pairwise(
    tracks: Sequence[Float32], targets: Sequence[int], labels: tuple[str, ...]
) -> list[Distances]:
    """Compare segments by every measure.

    Parameters
    ----------
    tracks : sequence of float32, shape (segments, values)
        Features, per track; `SEGMENTS_PER_TRACK` of each, evenly spread, are taken.
    targets : sequence of int
        Label index per track.
    labels : tuple of str

    Raises
    ------
    DataError
        If there are fewer than two tracks of some genre.
    """
    counts = np.bincount(targets, minlength=len(labels))
    if counts.min() < 2:
        raise DataError(f"{labels[int(counts.argmin())]}: distances need two tracks of a genre")
    chosen = [
        own[np.unique(np.linspace(0, len(own) - 1, SEGMENTS_PER_TRACK).round().astype(int))]
        for own in tracks
    ]
    rows = np.concatenate(chosen)
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    track = np.repeat(np.arange(len(chosen)), [len(own) for own in chosen])
    genre = np.asarray(targets)[track]
    return [
        _summarise(name, measure(rows.astype(np.float32)), track, genre, labels)
        for name, measure in MEASURES.items()
    ]


def _summarise(
    name: str,
    distance: Float64,
    track: np.ndarray[tuple[int], np.dtype[np.int64]],
    genre: np.ndarray[tuple[int], np.dtype[np.int64]],
    labels: tuple[str, ...],
) -> Distances:
    same_track = track[:, None] == track
    same_genre = genre[:, None] == genre
    itself = np.eye(len(track), dtype=bool)
    between = [
        [
            float(distance[((genre[:, None] == a) & (genre == b)) & ~same_track].mean())
            for b in range(len(labels))
        ]
        for a in range(len(labels))
    ]
    return Distances(
        measure=name,
        labels=labels,
        between=tuple(tuple(row) for row in between),
        same_track=float(distance[same_track & ~itself].mean()),
        same_genre=float(distance[same_genre & ~same_track].mean()),
        other_genre=float(distance[~same_genre].mean()),
    )
