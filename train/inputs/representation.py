"""Representation: what a model sees of a track -- features, inputs and windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from genrekit.arrays import Float32
from genrekit.artifact.sections import InputSpec, Normalisation, Windowing
from genrekit.classify.inputs import to_tensor
from genrekit.errors import ConfigError
from genrekit.features.config import FeatureConfig

# Features that only pictures have: no runtime can compute them from audio.
PICTURE = "picture"  # whatever it shows, at one size
MEL_PICTURE = "mel_picture"  # a spectrogram over linear frequency, pooled into mel bands
PICTURE_SIZE = 128  # pixels per side


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Representation:
    """What a model sees of a track, in the words of the card.

    Parameters
    ----------
    features : FeatureConfig
        Parameters of the feature front end.
    inputs : tuple of InputSpec
        The model's inputs, in the order of its arguments.
    windowing : Windowing
        How a track is cut when it is classified.
    """

    features: FeatureConfig
    inputs: tuple[InputSpec, ...]
    windowing: Windowing

    @property
    def window_samples(self) -> int:
        """Samples of one window."""
        return round(self.windowing.window_s * self.features.sample_rate)

    @property
    def hop_frames(self) -> int:
        """Frames between the starts of neighbouring windows."""
        hop_samples = self.windowing.hop_s * self.features.sample_rate
        return max(1, round(hop_samples / self.features.hop_length))

    @property
    def deployable(self) -> bool:
        """Whether a runtime can compute every input from audio."""
        return all(spec.feature not in (PICTURE, MEL_PICTURE) for spec in self.inputs)

    def normalised(self, normalisations: tuple[Normalisation, ...]) -> Representation:
        """Return the representation with what was measured on the training tracks."""
        inputs = tuple(
            dataclasses.replace(spec, normalisation=normalisation)
            for spec, normalisation in zip(self.inputs, normalisations, strict=True)
        )
        return dataclasses.replace(self, inputs=inputs)


def count_windows(features: Float32, spec: InputSpec) -> int:
    """Count the places where a window of `spec` fits into a track's features."""
    if is_segmented(features, spec):
        return len(features)
    return len(features) - spec.frames + 1


def cut_windows(features: Float32, spec: InputSpec, starts: Sequence[int]) -> Float32:
    """Cut windows out of a track's features, as model input.

    Parameters
    ----------
    features : float32, shape (frames, bands), or (segments, ...) for features of whole windows
        One track's.
    spec : InputSpec
        The input that they are for.
    starts : sequence of int
        First frame of each window (the segment's index, for features of whole windows).

    Returns
    -------
    float32, shape (windows, *spec.shape)
        Normalised by the runtime's own code.
    """
    windows = [segment(features, spec, start)[0] for start in starts]
    return np.stack([to_tensor(window, spec) for window in windows])


def window_starts(features: Float32, spec: InputSpec, hop_frames: int) -> range:
    """List where a classifier's windows start."""
    step = 1 if is_segmented(features, spec) else hop_frames
    return range(0, count_windows(features, spec), step)


def measure_normalisation(features: list[Float32]) -> Normalisation:
    """Measure "fixed" normalisation: one mean and deviation per band.

    Parameters
    ----------
    features : list of float32, shape (frames, bands) or (segments, frames, bands)
        Of the training tracks, and of no other.
    """
    if not features:
        raise ConfigError("normalisation 'fixed': no training track to measure")
    features = [track.reshape(-1, track.shape[-1]) for track in features]
    count = sum(len(track) for track in features)
    mean = np.sum([track.sum(axis=0, dtype=np.float64) for track in features], axis=0) / count
    spread = [((track - mean) ** 2).sum(axis=0) for track in features]
    std = np.sqrt(np.sum(spread, axis=0) / count)
    return Normalisation(
        kind="fixed",
        mean=tuple(float(value) for value in mean),
        # A band that never changes (a DC band of silence) must not divide by zero.
        std=tuple(float(value) if value > 1e-12 else 1.0 for value in std),
    )


def segment(features: Float32, spec: InputSpec, start: int) -> Float32:
    """Return one window's features, not normalised: shape (1, frames, bands) or (1, values)."""
    if is_segmented(features, spec):
        return np.asarray(features[start : start + 1])
    return np.asarray(features[start : start + spec.frames])[np.newaxis]


def is_segmented(features: Float32, spec: InputSpec) -> bool:
    """Whether a track's features were computed window by window."""
    axes_of_a_window = 1 if spec.layout == "vector" else 2
    return features.ndim == 1 + axes_of_a_window
