"""Run: the folder of one training -- what was asked, what came out, and how to use it.

    run.json             what was asked: data, split, model, seed, hyperparameters
    best.pt | best.npz   weights of the epoch that did best on the validation tracks
    checkpoint.*         everything to continue from the last epoch; gone once finished
    history.json         losses and accuracy per epoch
    metrics.json         scores on the validation and test tracks, and each track's logits
    confusion.png, learning_curves.png

The exporter starts from here: `Run.load(folder)` gives the model and ready model inputs.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genrekit.arrays import Float32
from genrekit.errors import DataError
from genrekit.files import read_bounded
from genrekit.strict_json import decode

from ..data.datasets import Dataset, DataSource, Track, open_dataset
from ..data.splits import SIDES
from ..fitting.learner import load_weights
from ..inputs.representation import Representation
from ..inputs.windows import WindowedDataset, load_windowed_dataset
from ..models.registry import SUFFIX, Architecture, architecture
from .documents import ASKED, METRICS, Metrics, RunSettings, read_document, read_settings

MAX_WEIGHTS_BYTES = 1 << 30


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished training in its folder."""

    folder: Path
    settings: RunSettings

    @classmethod
    def load(cls, folder: str | Path) -> Run:
        """Open a run folder.

        Raises
        ------
        DataError
            If the folder holds no run, or one that has not finished.
        """
        path = Path(folder)
        settings = read_settings(path)
        if settings is None:
            raise DataError(f"{path}: no {ASKED} in it; make one with 'genrekit train'")
        run = cls(path, settings)
        if not (path / METRICS).is_file() or not run.weights_path.is_file():
            raise DataError(f"{path}: training has not finished; run the same command again")
        return run

    @property
    def architecture(self) -> Architecture:
        """The model's entry in the registry."""
        return architecture(self.settings.model)

    @property
    def representation(self) -> Representation:
        """What the model sees of a track."""
        return self.settings.representation

    @property
    def labels(self) -> tuple[str, ...]:
        """Genres, in the order of the logits."""
        return self.settings.labels

    @property
    def weights_path(self) -> Path:
        """The file of the best weights."""
        return weights_path(self.folder, self.settings.model)

    @functools.cached_property
    def metrics(self) -> Metrics:
        """Scores on the validation and test tracks."""
        return decode(Metrics, read_document(self.folder / METRICS), str(self.folder / METRICS))

    @functools.cached_property
    def dataset(self) -> Dataset:
        """The tracks that the model was trained and judged on."""
        return open_dataset(self.settings.data)

    def load_model(self) -> Any:
        """Build the model with its best weights, ready for inference.

        Returns
        -------
        torch.nn.Module in evaluation mode, or tf_keras.Model
        """
        weights = read_bounded(self.weights_path, MAX_WEIGHTS_BYTES)
        model = self.architecture.build(self.representation.inputs, len(self.labels))
        load_weights(self.architecture.framework, model, weights)
        return model

    def tracks(self, side: str) -> tuple[Track, ...]:
        """Return the tracks of one side of the split: "train", "valid" or "test".

        Raises
        ------
        DataError
            If a track is no longer where the run found it.
        """
        if side not in SIDES:
            raise DataError(f"side {side!r}: must be one of {', '.join(SIDES)}")
        known = self.dataset.by_id()
        names: tuple[str, ...] = getattr(self.settings.split, side)
        if gone := [name for name in names if name not in known]:
            raise DataError(
                f"{self.settings.data.path}: {len(gone)} tracks of the run are gone, "
                f"{gone[0]} first; put them back, or train again"
            )
        return tuple(known[name] for name in names)

    def windowed(
        self,
        tracks: Sequence[Track],
        *,
        source: DataSource | None = None,
        jobs: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> WindowedDataset:
        """Compute (or read from the cache) the features of tracks, of this dataset or another.

        Parameters
        ----------
        tracks : sequence of Track
            Their genres must be among the run's labels.
        source : DataSource, optional
            Of which kind they are; the run's own by default.
        jobs : int, optional
            Processes; one per core by default.
        on_progress : callable, optional
            Called with tracks done and in all.

        Returns
        -------
        WindowedDataset
            `windowed.windows(track.id)` are model inputs; `windowed.excluded` names the
            tracks that could not be read.
        """
        return load_windowed_dataset(
            source or self.settings.data,
            tracks,
            self.representation,
            self.labels,
            jobs=jobs,
            on_progress=on_progress,
        )

    def windows(self, track: Track, index: int = 0) -> Float32:
        """Return a track's windows as ready model input, in the order of time.

        Parameters
        ----------
        track : Track
            Of the run's dataset, or any other of the same kind.
        index : int
            Which of the model's inputs.

        Returns
        -------
        float32, shape (windows, *spec.shape)
            For an image model (windows, 1, n_mels, frames), normalised.

        Raises
        ------
        DataError
            If the track cannot be read.
        """
        windowed = self.windowed([track], jobs=1)
        if reason := windowed.excluded.get(track.id):
            raise DataError(reason)
        return windowed.windows(track.id)[index]

    def calibration_inputs(self, n: int, index: int = 0) -> Float32:
        """Return `n` windows of training tracks, spread evenly over tracks and time.

        Parameters
        ----------
        n : int
            Windows; more tracks than windows leaves tracks out, fewer repeats them.
        index : int
            Which of the model's inputs.

        Returns
        -------
        float32, shape (n, *spec.shape)
        """
        if n < 1:
            raise DataError(f"n={n}: at least one calibration window is needed")
        rng = np.random.default_rng(self.settings.seed)
        tracks = self.tracks("train")
        order = rng.permutation(len(tracks))
        picked = [tracks[order[i % len(order)]] for i in range(n)]
        windowed = self.windowed(list(dict.fromkeys(picked)))
        windows = []
        for track in picked:
            candidates = windowed.windows(track.id)[index]
            windows.append(candidates[rng.integers(len(candidates))])
        return np.stack(windows)


def weights_path(folder: Path, model: str) -> Path:
    """Return where a run keeps its best weights."""
    return folder / f"best{SUFFIX[architecture(model).framework]}"


def checkpoint_path(folder: Path, model: str) -> Path:
    """Return where a run keeps what it needs to continue."""
    return folder / f"checkpoint{SUFFIX[architecture(model).framework]}"
