"""Figures: the report's pictures, of one track of the data and of all distances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from genrekit.arrays import Float32
from genrekit.features.config import FeatureConfig
from genrekit.features.kinds import extract
from genrekit.train.runs.figures import save_figure

from .segment_distances import Distances

PIXELS = 224
PANELS = {
    "wave_plot": "wave plot",
    "zcr_plot": "zero-crossing rate",
    "mel_plot": "mel spectrogram",
    "mfcc_plot": "MFCC",
    "log_power_plot": "log-power STFT",
}
SEGMENT_S = (3, 6, 9)


def draw_views(samples: Float32, name: str, path: Path) -> None:
    """Draw what image models see of a track: every plot, as the runtime makes it.

    Parameters
    ----------
    samples : float32, shape (samples,)
        At the default sample rate.
    name : str
        Of the track, for people.
    path : Path
        Of the PNG file.
    """
    figure = Figure(figsize=(3.1 * len(PANELS), 3.5), layout="constrained")
    config = FeatureConfig(top_db=None)
    for axes, (kind, title) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        picture = extract(f"{kind}@{PIXELS}", samples, config)
        axes.imshow(picture.T, origin="lower", cmap="magma", vmin=0, vmax=1)
        axes.set_title(title, fontsize="medium")
        axes.set_xticks([])
        axes.set_yticks([])
    figure.suptitle(f"{name}: what an image model sees, {PIXELS} x {PIXELS} pixels")
    save_figure(figure, path)


def draw_segments(samples: Float32, name: str, path: Path) -> None:
    """Draw the MFCCs of segments of 3, 6 and 9 s, to one scale of time."""
    figure = Figure(figsize=(9.5, 5.5), layout="constrained")
    config = FeatureConfig(top_db=None)
    for axes, seconds in zip(figure.subplots(len(SEGMENT_S), 1), SEGMENT_S, strict=True):
        values = extract("mfcc", samples[: seconds * config.sample_rate], config)
        extent = (0.0, float(seconds), 0.5, values.shape[1] + 0.5)
        # The first coefficient is the level, ten times the others.
        shown = np.clip(values.T, *np.percentile(values[:, 1:], (1, 99)))
        axes.imshow(shown, origin="lower", aspect="auto", extent=extent, cmap="viridis")
        axes.set_xlim(0.0, SEGMENT_S[-1])
        axes.set_ylabel("coefficient")
        axes.set_title(f"{seconds} s: {values.shape[1]} x {values.shape[0]}", fontsize="medium")
    axes.set_xlabel("seconds")
    figure.suptitle(f"{name}: MFCC by segment length")
    save_figure(figure, path)


def draw_distances(distances: Distances, data: str, path: Path) -> None:
    """Draw the mean distances between genres of some data as a heat map."""
    values, labels = np.array(distances.between), distances.labels
    side = 3.6 + 0.5 * len(labels)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(values, cmap="viridis")
    middle = (values.min() + values.max()) / 2
    for row, column in np.ndindex(values.shape):
        axes.text(
            column,
            row,
            f"{values[row, column]:#.3g}",
            ha="center",
            va="center",
            fontsize="small",
            color="white" if values[row, column] < middle else "black",
        )
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    figure.colorbar(image, shrink=0.8)
    axes.set_title(
        f"{data}\nmean {distances.measure} distance of 3 s segments\nwithin a track "
        f"{distances.same_track:.2f}, within a genre {distances.same_genre:.2f}, between genres "
        f"{distances.other_genre:.2f}",
        fontsize="medium",
    )
    save_figure(figure, path)
