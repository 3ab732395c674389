"""Sections of a card: what it says of inputs, windows, training, compression and reference."""

from __future__ import annotations

import dataclasses
from typing import Literal

from ..errors import ConfigError

MAX_INPUT_VALUES = 1 << 24  # 64 MiB of float32 in one window
MAX_OVERLAP = 100  # windows that hold one sample

NormalisationKind = Literal["none", "fixed", "window"]
Layout = Literal["channel_band_frame", "frame_band", "vector"]
ShortRule = Literal["wrap", "zero"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Normalisation:
    """How feature values become model input.

    "fixed" subtracts `mean` and divides by `std`, both from training data: one number for all
    bands, or one per band. "window" standardises each window by its own mean and deviation.
    """

    kind: NormalisationKind
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if (self.kind == "fixed") != bool(self.mean) or len(self.mean) != len(self.std):
            raise ConfigError(
                f"normalisation {self.kind!r} with {len(self.mean)} means and {len(self.std)} "
                "deviations: 'fixed' needs as many of each, at least one; the others none"
            )
        if any(value <= 0.0 for value in self.std):
            raise ConfigError("normalisation: a standard deviation must be above 0")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class InputSpec:
    """One tensor that the model takes.

    Parameters
    ----------
    name : str
        The graph's input.
    feature : str
        Kind of feature, as in `genrekit.features.kinds`.
    layout : {"channel_band_frame", "frame_band", "vector"}
        Order of axes after the batch: (1, bands, frames), (frames, bands) or (values,).
    shape : tuple of int
        Sizes of those axes.
    """

    name: str
    feature: str
    layout: Layout
    shape: tuple[int, ...]
    dtype: Literal["float32"]
    normalisation: Normalisation

    def __post_init__(self) -> None:
        axes = {"channel_band_frame": 3, "frame_band": 2, "vector": 1}[self.layout]
        if len(self.shape) != axes or any(size < 1 for size in self.shape):
            raise ConfigError(f"input {self.name!r:.40}: shape {self.shape} is no {self.layout}")
        values = 1
        for size in self.shape:
            values *= size
        if values > MAX_INPUT_VALUES:
            raise ConfigError(f"input {self.name!r:.40}: {values} values, over {MAX_INPUT_VALUES}")
        if self.layout == "channel_band_frame" and self.shape[0] != 1:
            raise ConfigError(f"input {self.name!r:.40}: {self.shape[0]} channels, must be 1")
        if len(self.normalisation.mean) not in (0, 1, self.bands):
            raise ConfigError(
                f"input {self.name!r:.40}: {len(self.normalisation.mean)} means for "
                f"{self.bands} bands, must be 1 or one per band"
            )

    @property
    def bands(self) -> int:
        """Values of one frame (of the vector, if there are no frames)."""
        return self.shape[1] if self.layout == "channel_band_frame" else self.shape[-1]

    @property
    def frames(self) -> int:
        """Frames of one window; 1 for a vector."""
        return {"channel_band_frame": self.shape[-1], "frame_band": self.shape[0]}.get(
            self.layout, 1
        )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Windowing:
    """How a clip is cut; `short` says what a clip shorter than one window is padded with."""

    window_s: float
    hop_s: float
    short: ShortRule

    def __post_init__(self) -> None:
        if not 0.05 <= self.window_s <= 600.0:
            raise ConfigError(f"window_s={self.window_s}: must be 0.05..600 s")
        shortest = max(0.01, self.window_s / MAX_OVERLAP)
        if not shortest <= self.hop_s <= self.window_s:
            raise ConfigError(
                f"hop_s={self.hop_s}: must be {shortest:g}..window_s={self.window_s} s"
            )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Accuracy:
    """A measured share of tracks classified right.

    Parameters
    ----------
    split : str
        Which tracks, by which protocol, e.g. "test, stratified by track".
    n : int
        Tracks.
    accuracy : float
        Share in 0..1.
    ci95 : tuple of float, length 2
        Wilson interval.
    """

    split: str
    n: int
    accuracy: float
    ci95: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.n < 1 or len(self.ci95) != 2:
            raise ConfigError(f"accuracy: n={self.n} with {len(self.ci95)} bounds: must be >= 1, 2")
        if not 0.0 <= self.ci95[0] <= self.accuracy <= self.ci95[1] <= 1.0:
            raise ConfigError(f"accuracy {self.accuracy} must lie in its interval {self.ci95}")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """What the model learned from, and how well: this file first, then what it was made from."""

    architecture: str
    data: str
    synthetic: bool
    split: str
    seed: int
    accuracy: tuple[Accuracy, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Compression:
    """What was done to the model, in order, and how it compares with what it was made from."""

    steps: tuple[str, ...]
    source_bytes: int
    label_agreement: float | None
    agreement_n: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """Expected model-input values of the reference signal for one input.

    Parameters
    ----------
    input : str
        The input's name.
    index : tuple of int
        Positions in the flattened tensor.
    value : tuple of float
        Values there, after normalisation.
    tolerance : float
        Largest absolute difference.
    """

    input: str
    index: tuple[int, ...]
    value: tuple[float, ...]
    tolerance: float

    def __post_init__(self) -> None:
        if not self.index or len(self.index) != len(self.value):
            raise ConfigError(f"probe: {len(self.index)} positions, {len(self.value)} values")
        if not self.tolerance > 0.0:
            raise ConfigError(f"probe: tolerance={self.tolerance} must be above 0")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """What the artifact must compute from the named reference signal, on any machine."""

    signal: str
    probes: tuple[Probe, ...]
    logits: tuple[float, ...]
    logit_tolerance: float

    def __post_init__(self) -> None:
        if not self.logit_tolerance > 0.0:
            raise ConfigError(f"logit_tolerance={self.logit_tolerance} must be above 0")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """The rule by which a model says that a sound is like nothing that it learned.

    Parameters
    ----------
    output : str
        The graph's output, shape (windows, 1), that grows with strangeness.
    threshold : float
        A clip whose mean over its windows is above it is unknown.
    rule : str
        What the output measures.
    kept : Accuracy
        Share of real songs, not learned from, that stay below the threshold.
    """

    output: str
    threshold: float
    rule: str
    kept: Accuracy


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """How far the probabilities can be believed; the temperature is in the graph already.

    Parameters
    ----------
    temperature : float
        What the logits were divided by.
    error : float
        Expected calibration error, ten bins, in 0..1.
    ci95 : tuple of float, length 2
        Bootstrap interval of `error`.
    n : int
        Held-out tracks.
    """

    temperature: float
    error: float
    ci95: tuple[float, ...]
    n: int

    def __post_init__(self) -> None:
        if not self.temperature > 0.0 or self.n < 1 or len(self.ci95) != 2:
            raise ConfigError(
                f"calibration: temperature={self.temperature}, n={self.n}, {len(self.ci95)} bounds:"
                " must be above 0, at least 1, 2"
            )
