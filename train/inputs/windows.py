"""WindowedDataset: the features of tracks, cut into what a model learns from and is judged on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from genrekit.arrays import Float32
from genrekit.errors import ConfigError, DataError, GenreKitError

from ..data.datasets import DataSource, Track, read_table
from ..hyperparameters import Hyperparameters
from .augmentation import mixup, smooth, spec_augment, warp
from .feature_cache import Recipe, extract_songs, read_features
from .minibatch import Batch
from .representation import (
    MEL_PICTURE,
    PICTURE,
    Representation,
    count_windows,
    cut_windows,
    is_segmented,
    segment,
    window_starts,
)

Progress = Callable[[int, int], None]
Places = tuple[int, ...]  # where a window starts, in each of the inputs


@dataclasses.dataclass(frozen=True, slots=True)
class WindowedDataset:
    """Features of tracks.

    Parameters
    ----------
    representation : Representation
    labels : tuple of str
    targets : mapping of str to int
        Label index by track name.
    features : mapping of str to tuple of float32
        Per track one array for each of the model's inputs.
    excluded : mapping of str to str
        Tracks that could not be read, with the reason.
    """

    representation: Representation
    labels: tuple[str, ...]
    targets: Mapping[str, int]
    features: Mapping[str, tuple[Float32, ...]]
    excluded: Mapping[str, str]

    def windows(self, track_id: str, every: int = 1) -> tuple[Float32, ...]:
        """Cut a track as a classifier does.

        Parameters
        ----------
        track_id : str
        every : int
            Take only every so many-th window.

        Returns
        -------
        tuple of float32, each of shape (windows, *spec.shape)
        """
        return self._cut(track_id, self._starts(track_id)[::every])

    def segmented(self) -> WindowedDataset:
        """Take every window for a track of its own, named `TRACK/0`, `TRACK/1` and so on.

        Segments of one track can then stand on both sides of a split: that is what a leaky
        protocol does, and all that this is for.
        """
        features: dict[str, tuple[Float32, ...]] = {}
        targets: dict[str, int] = {}
        for track_id, arrays in self.features.items():
            for index, places in enumerate(self._starts(track_id)):
                name = f"{track_id}/{index}"
                features[name] = tuple(
                    segment(array, spec, place)
                    for array, spec, place in zip(
                        arrays, self.representation.inputs, places, strict=True
                    )
                )
                targets[name] = self.targets[track_id]
        return dataclasses.replace(self, features=features, targets=targets)

    def steps(self, track_ids: Sequence[str], hyperparameters: Hyperparameters) -> int:
        """Count the batches of one epoch."""
        crops = hyperparameters.crops_per_track
        n = crops * len(track_ids) or sum(len(self._starts(name)) for name in track_ids)
        return max(1, n // hyperparameters.batch_size)

    def batches(
        self, track_ids: Sequence[str], hyperparameters: Hyperparameters, seed: tuple[int, int]
    ) -> Iterator[Batch]:
        """Yield one epoch: windows at random places of all tracks, or all, in random order.

        Parameters
        ----------
        track_ids : sequence of str
            Training tracks.
        hyperparameters : Hyperparameters
        seed : tuple of int
            The run's and the epoch's: an epoch can be repeated exactly after a kill.
        """
        rng = np.random.default_rng(seed)
        chosen: Sequence[tuple[str, Places | None]]
        if hyperparameters.crops_per_track:
            chosen = [(name, None) for name in track_ids] * hyperparameters.crops_per_track
        else:
            chosen = [(name, places) for name in track_ids for places in self._starts(name)]
        order = rng.permutation(len(chosen))
        # Parts of equal size: a last batch of one window would upset batch normalisation.
        for part in np.array_split(order, self.steps(track_ids, hyperparameters)):
            yield self._batch([chosen[i] for i in part], hyperparameters, rng)

    def _batch(
        self,
        chosen: Sequence[tuple[str, Places | None]],
        hyperparameters: Hyperparameters,
        rng: np.random.Generator,
    ) -> Batch:
        crops = [
            tuple(part[0] for part in self._cut(name, [places or self._random_place(name, rng)]))
            for name, places in chosen
        ]
        inputs = tuple(np.stack(windows) for windows in zip(*crops, strict=True))
        targets = np.eye(len(self.labels), dtype=np.float32)[
            [self.targets[name] for name, _ in chosen]
        ]
        targets = smooth(targets, hyperparameters.label_smoothing)
        inputs = tuple(
            array if spec.layout == "vector" else _augment(array, hyperparameters, rng)
            for array, spec in zip(inputs, self.representation.inputs, strict=True)
        )
        if hyperparameters.mixup:
            inputs, targets = mixup(inputs, targets, hyperparameters.mixup, rng)
        return Batch(inputs, targets)

    def _starts(self, track_id: str) -> list[Places]:
        """List where a classifier's windows start, in each of the inputs."""
        hop = self.representation.hop_frames
        arrays, specs = self.features[track_id], self.representation.inputs
        starts = [
            window_starts(array, spec, hop) for array, spec in zip(arrays, specs, strict=True)
        ]
        return list(zip(*starts, strict=False))

    def _random_place(self, track_id: str, rng: np.random.Generator) -> Places:
        """Choose a window: at any frame, or of those that there are if they were cut before."""
        arrays, specs = self.features[track_id], self.representation.inputs
        if any(is_segmented(array, spec) for array, spec in zip(arrays, specs, strict=True)):
            starts = self._starts(track_id)
            return starts[int(rng.integers(len(starts)))]
        counts = [count_windows(array, spec) for array, spec in zip(arrays, specs, strict=True)]
        return (int(rng.integers(min(counts))),) * len(specs)

    def _cut(self, track_id: str, places: Sequence[Places]) -> tuple[Float32, ...]:
        """Cut windows: one array for each input, shape (len(places), *spec.shape)."""
        arrays, specs = self.features[track_id], self.representation.inputs
        return tuple(
            cut_windows(array, spec, own)
            for array, spec, own in zip(arrays, specs, zip(*places, strict=True), strict=True)
        )


def load_windowed_dataset(
    source: DataSource,
    tracks: Sequence[Track],
    representation: Representation,
    labels: tuple[str, ...],
    *,
    jobs: int | None = None,
    on_progress: Progress | None = None,
) -> WindowedDataset:
    """Read or compute the features of tracks; one that cannot be read is named, not fatal.

    Parameters
    ----------
    source : DataSource
        Of which kind the tracks are.
    tracks : sequence of Track
    representation : Representation
    labels : tuple of str
        Genres, in the order of the logits.
    jobs : int, optional
        Processes; one per core by default.
    on_progress : callable, optional
        Called with tracks done and in all.

    Raises
    ------
    DataError
        If a track's genre is not among the labels.
    """
    if odd := sorted({track.genre for track in tracks} - set(labels)):
        raise DataError(f"genre {odd[0]!r}: not among the labels {', '.join(labels)}")
    if source.kind == "audio":
        outcomes = _songs(tracks, representation, jobs, on_progress)
    elif source.kind == "images":
        outcomes = _pictures(source, tracks, representation, on_progress)
    else:
        table = read_table(Path(source.path))
        outcomes = [(table[track.id],) for track in tracks]
    features: dict[str, tuple[Float32, ...]] = {}
    excluded: dict[str, str] = {}
    for track, outcome in zip(tracks, outcomes, strict=True):
        if isinstance(outcome, str):
            excluded[track.id] = outcome
        else:
            features[track.id] = outcome
    targets = {track.id: labels.index(track.genre) for track in tracks}
    return WindowedDataset(representation, labels, targets, features, excluded)


def _augment(
    windows: Float32, hyperparameters: Hyperparameters, rng: np.random.Generator
) -> Float32:
    if hyperparameters.warp:
        windows = warp(windows, rng)
    return spec_augment(windows, rng) if hyperparameters.spec_augment else windows


def _songs(
    tracks: Sequence[Track],
    representation: Representation,
    jobs: int | None,
    on_progress: Progress | None,
) -> list[tuple[Float32, ...] | str]:
    paths = [track.path for track in tracks]
    per_input = [
        extract_songs(
            paths,
            Recipe(
                feature=spec.feature,
                config=representation.features,
                windowing=representation.windowing,
            ),
            jobs=jobs,
            on_progress=on_progress,
        )
        for spec in representation.inputs
    ]
    outcomes: list[tuple[Float32, ...] | str] = []
    for files in zip(*per_input, strict=True):
        faults = [file for file in files if isinstance(file, str)]
        arrays = tuple(read_features(Path(file)) for file in files) if not faults else ()
        outcomes.append(faults[0] if faults else arrays)
    return outcomes


def _pictures(
    source: DataSource,
    tracks: Sequence[Track],
    representation: Representation,
    on_progress: Progress | None,
) -> list[tuple[Float32, ...] | str]:
    # Pillow is imported only where there are pictures.
    from .spectrogram_pictures import read_plain_picture, read_stft_picture

    feature = representation.inputs[0].feature
    if feature not in (PICTURE, MEL_PICTURE) and source.image_recipe != "stft_5s":
        raise ConfigError(f"{source.path}: pictures of unknown making do not give {feature}")

    outcomes: list[tuple[Float32, ...] | str] = []
    for done, track in enumerate(tracks, start=1):
        try:
            if feature == PICTURE:
                outcomes.append((read_plain_picture(track.path),))
            else:
                outcomes.append((read_stft_picture(track.path, representation.features),))
        except (GenreKitError, OSError) as error:
            outcomes.append(str(error))
        if on_progress:
            on_progress(done, len(tracks))
    return outcomes
