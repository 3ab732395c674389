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
from ..strict_json import canonical_json, decode, encode, later, later_fields, parse_json
from .sections import (
    Calibration,
    Compression,
    InputSpec,
    Reference,
    Training,
    Unknown,
    Windowing,
)

SCHEMA_VERSION = 1  # what a card needs that uses none of the later fields
LATER_VERSION = 2
MAX_CARD_BYTES = 1 << 20
MAX_LABELS = 1_000
MAX_WINDOW_SAMPLES = 1 << 24  # 12 minutes at 22 050 Hz
MAX_WINDOW_SPECTRUM = 1 << 26  # samples of all frames of one window together


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """Everything that a runtime must know to use a model, and a person to judge it.

    Parameters
    ----------
    output : str
        The graph's logits, shape (windows, labels).
    embedding : str or None
        Another output, shape (windows, values): what the model knows of the sound.
    unknown : Unknown or None
        How the model says that it does not know.
    calibration : Calibration or None
    thresholds : tuple of float
        For tags, the probability from which each is said, in the order of the labels.
    notice : str
        Of the licence of weights that the model was made from.
    """

    schema: int
    name: str
    task: Literal["single-label-classification", "tags"]
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
    embedding: str | None = later(None)
    unknown: Unknown | None = later(None)
    calibration: Calibration | None = later(None)
    thresholds: tuple[float, ...] = later(())
    notice: str = later("")

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
        if len(self.thresholds) != (len(self.labels) if self.task == "tags" else 0):
            raise ConfigError(
                f"thresholds: {len(self.thresholds)} for task {self.task!r} with "
                f"{len(self.labels)} labels: tags need one each, other tasks none"
            )
        used = later_fields(self) + later_fields(self.features)
        if self.schema < LATER_VERSION and (used or self.task == "tags"):
            raise ConfigError(f"schema {self.schema}: has no {', '.join(used) or 'tags'}")
        spectrum = self.features.n_frames(self.window_samples) * self.features.n_fft
        if self.window_samples > MAX_WINDOW_SAMPLES or spectrum > MAX_WINDOW_SPECTRUM:
            raise ConfigError(
                f"a window of {self.window_samples} samples, {spectrum} in its frames: must be at "
                f"most {MAX_WINDOW_SAMPLES} and {MAX_WINDOW_SPECTRUM}"
            )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The graph's outputs: logits first, then whatever else the card names."""
        extra = (self.embedding, self.unknown and self.unknown.output)
        return (self.output, *(name for name in extra if name))

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
        version = document["schema"]
        if type(version) is not int or not SCHEMA_VERSION <= version <= LATER_VERSION:
            raise ArtifactError(
                f"card: schema {document['schema']!r:.20} is unknown; this genrekit reads schemas "
                f"up to {LATER_VERSION}: update it with 'pip install -U genrekit'"
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
