"""Cards: what a run knows, written down for whoever holds the file alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from genrekit.arrays import Float32
from genrekit.artifact.card import SCHEMA_VERSION, Card
from genrekit.artifact.container import Artifact, Format
from genrekit.artifact.sections import Accuracy, Compression, InputSpec, Reference, Training
from genrekit.classify.reference import (
    FEATURE_TOLERANCE,
    SIGNAL,
    measure_reference,
    reference_inputs,
)
from genrekit.engines.base import Engine
from genrekit.train.evaluation.metrics import Share
from genrekit.train.runs.run import Run

from .comparison import ModelComparison

_INTENDED_USE = "Naming the genre of a whole song, out of the card's labels, from its sound."
_LIMITS = "It answers with one of its labels for any sound, speech and silence included."
_SYNTHETIC = "It learned from music composed by rules and is no judge of recorded music."
_RECORDED = "Its accuracy is that on its own test tracks; other collections will differ."
_TRIALS = 16
_SAFETY = 2.0
_SMALLEST_TOLERANCE = 1e-3


def draft_card(
    run: Run, *, inputs: tuple[InputSpec, ...], output: str, compression: Compression, licence: str
) -> Card:
    """Write everything but measurements: no accuracy, no reference, no hashes yet.

    Parameters
    ----------
    run : Run
    inputs : tuple of InputSpec
        The run's own, under the names that the graph gives them.
    output : str
        Name of the graph's output.
    compression : Compression
    licence : str
        Of the model file.
    """
    settings = run.settings
    sides = "/".join(str(len(run.tracks(side))) for side in ("train", "valid", "test"))
    blank = Reference(
        signal=SIGNAL, probes=(), logits=(0.0,) * len(run.labels), logit_tolerance=1.0
    )
    return Card(
        schema=SCHEMA_VERSION,
        name=f"{settings.model}-{Path(settings.data.path).stem}",
        task="single-label-classification",
        labels=run.labels,
        features=run.representation.features,
        inputs=inputs,
        output=output,
        windowing=run.representation.windowing,
        aggregation="mean-probability",
        training=Training(
            architecture=settings.model,
            data=f"{settings.data.kind}: {Path(settings.data.path).name}",
            synthetic=settings.data.synthetic,
            split=f"{settings.split.protocol}, by track, {sides} train/valid/test",
            seed=settings.seed,
            accuracy=(),
        ),
        compression=compression,
        licence=licence,
        intended_use=_INTENDED_USE,
        limits=f"{_LIMITS} {_SYNTHETIC if settings.data.synthetic else _RECORDED}",
        reference=blank,
        model_sha256="",
        card_sha256="",
    )


def with_comparison(card: Card, proof: ModelComparison, tracks: str) -> Card:
    """Add the accuracy of the file, then that of the model that it was made from."""
    accuracy = (
        _accuracy(f"{tracks}: this file", proof.after),
        _accuracy(f"{tracks}: the model before export", proof.before),
    )
    compression = dataclasses.replace(
        card.compression,
        label_agreement=proof.tracks.agreement.value,
        agreement_n=proof.tracks.agreement.n,
    )
    training = dataclasses.replace(card.training, accuracy=accuracy)
    return dataclasses.replace(card, training=training, compression=compression)


def with_reference(card: Card, engine: Engine) -> Card:
    """Add what the file computes from the reference signal, with a measured tolerance."""
    tolerance = logit_tolerance(engine, reference_inputs(card))
    return dataclasses.replace(
        card, reference=measure_reference(card, engine, logit_tolerance=tolerance)
    )


def logit_tolerance(engine: Engine, inputs: dict[str, Float32]) -> float:
    """Measure how far logits may move when inputs move by the features' own tolerance.

    An int8 model jumps where a value crosses a rounding border, so no fixed bound fits: the
    reference input is disturbed by noise as large as the features' tolerance, again and again,
    and twice the largest change that the logits show is allowed.

    Parameters
    ----------
    engine : Engine
        The exported model, loaded.
    inputs : dict of str to float32, shape (1, ...)
        The reference signal's.
    """
    rng = np.random.default_rng(0)
    expected = engine.run(inputs)
    largest = 0.0
    for _ in range(_TRIALS):
        disturbed = {
            name: values
            + rng.uniform(-1.0, 1.0, values.shape).astype(np.float32)
            * np.float32(FEATURE_TOLERANCE)
            for name, values in inputs.items()
        }
        largest = max(largest, float(np.abs(engine.run(disturbed) - expected).max()))
    return max(_SMALLEST_TOLERANCE, _SAFETY * largest)


def provisional(path: Path, kind: Format, model: bytes, card: Card) -> Artifact:
    """Join a model and an unfinished card in memory, so that an engine can load it."""
    return Artifact(path=path, format=kind, model=model, card=card.sealed(model), size=len(model))


def _accuracy(split: str, share: Share) -> Accuracy:
    if share.value is None or share.ci95 is None:
        raise ValueError("an accuracy of no tracks")
    return Accuracy(split=split, n=share.n, accuracy=share.value, ci95=share.ci95)
