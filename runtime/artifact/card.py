"""Card: the JSON document inside every artifact that says how to feed it and what it is.

The card is strict (an unknown or missing key is an error) and carries two hashes:
`model_sha256` of the model's bytes without the card, and `card_sha256` of the card's own
canonical JSON without that field. They detect corruption; they do not authenticate.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any, Literal

from ..errors import ArtifactError, ConfigError
from ..features.config import FeatureConfig
from ..strict_json import canonical_json, decode, encode, parse_json

SCHEMA_VERSION = 1
MAX_CARD_BYTES = 1 << 20
MAX_LABELS = 1_000
MAX_INPUT_VALUES = 1 << 24  # 64 MiB of float32 in one window
MAX_WINDOW_SAMPLES = 1 << 24  # 12 minutes at 22 050 Hz
MAX_WINDOW_SPECTRUM = 1 << 26  # samples of all frames of one window together
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
class Card:
    """Everything that a runtime must know to use a model, and a person to judge it."""

    schema: int
    name: str
    task: Literal["single-label-classification"]
    labels: tuple[str, ...]
    features: FeatureConfig
    inputs: tuple[InputSpec, ...]
    output: str
    windowing: Windowing
    aggregation: Literal["mean-probability"]
    training: Training
    compression: Compression
    licence: str
    intended_use: str
    limits: str
    reference: Reference
    model_sha256: str
    card_sha256: str

    def __post_init__(self) -> None:
        if not 2 <= len(self.labels) <= MAX_LABELS or len(set(self.labels)) != len(self.labels):
            raise ConfigError(f"labels: {len(self.labels)}, must be 2..{MAX_LABELS}, all different")
        if odd := [label for label in self.labels if not label.isprintable() or not label]:
            raise ConfigError(f"label {odd[0]!r:.80}: is empty or cannot be printed")
        if not 1 <= len(self.inputs) <= 8:
            raise ConfigError(f"inputs: {len(self.inputs)}, must be 1..8")
        if len({item.name for item in self.inputs}) != len(self.inputs):
            raise ConfigError("inputs: two have the same name")
        if len(self.reference.logits) != len(self.labels):
            raise ConfigError(
                f"reference: {len(self.reference.logits)} logits for {len(self.labels)} labels"
            )
        spectrum = self.features.n_frames(self.window_samples) * self.features.n_fft
        if self.window_samples > MAX_WINDOW_SAMPLES or spectrum > MAX_WINDOW_SPECTRUM:
            raise ConfigError(
                f"a window of {self.window_samples} samples, {spectrum} in its frames: must be at "
                f"most {MAX_WINDOW_SAMPLES} and {MAX_WINDOW_SPECTRUM}"
            )

    @property
    def window_samples(self) -> int:
        """Samples of one window at the card's sample rate."""
        return round(self.windowing.window_s * self.features.sample_rate)

    def to_json(self) -> str:
        """Return the canonical JSON document."""
        return canonical_json(self)

    def sealed(self, model: bytes) -> Card:
        """Return the card with both hashes computed, for `model` without its card."""
        card = dataclasses.replace(self, model_sha256=hashlib.sha256(model).hexdigest())
        return dataclasses.replace(card, card_sha256=card.digest())

    def digest(self) -> str:
        """SHA-256 of the canonical JSON without `card_sha256`."""
        return _digest(encode(self))


def parse_card(text: bytes) -> Card:
    """Parse a card from a file that may be hostile.

    Raises
    ------
    ArtifactError
        If it is no card, of another schema version, altered, or breaks the schema.
    """
    if len(text) > MAX_CARD_BYTES:
        raise ArtifactError(f"card: {len(text)} bytes, over {MAX_CARD_BYTES}")
    try:
        document = parse_json(text, "card")
        if not isinstance(document, dict) or "schema" not in document:
            raise ArtifactError("card: no 'schema'; this is not a genrekit card")
        if document["schema"] != SCHEMA_VERSION or type(document["schema"]) is not int:
            raise ArtifactError(
                f"card: schema {document['schema']!r:.20} is unknown; this genrekit reads schema "
                f"{SCHEMA_VERSION}: update it with 'pip install -U genrekit'"
            )
        if document.get("card_sha256") != _digest(document):
            raise ArtifactError(
                "card: its SHA-256 does not match: altered or corrupt; export again"
            )
        return decode(Card, document, "card")
    except (ConfigError, UnicodeError, RecursionError) as error:
        raise ArtifactError(str(error)) from error


def _digest(document: Any) -> str:
    unsigned = {key: value for key, value in document.items() if key != "card_sha256"}
    return hashlib.sha256(canonical_json(unsigned).encode("utf-8")).hexdigest()
