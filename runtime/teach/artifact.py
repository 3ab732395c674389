"""A taught artifact: the packaged model with another head, its card complete, verified."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ..artifact.container import Artifact, read_artifact, write_artifact
from ..artifact.sections import Accuracy, Calibration, Reference, Training
from ..classify.reference import measure_reference
from ..classify.verification import verify
from ..engines.registry import load_engine
from ..errors import DataError
from .examples import Example, write_examples
from .lesson import Lesson, strangeness_threshold
from .splice import splice_head

_TOLERANCE = 0.02  # of logits: engines were measured to differ by less than a tenth of it


def write_taught(
    packaged: Artifact,
    lesson: Lesson,
    examples: Sequence[Example],
    out: Path,
    *,
    engine: str | None,
) -> Artifact:
    """Write the artifact, and beside it the examples; nothing is written unless it verifies.

    Parameters
    ----------
    packaged : Artifact
        The model that heard the examples.
    lesson : Lesson
    examples : sequence of Example
    out : Path
        Must end in .onnx; the examples go into `kept_beside(out)`.
    engine : str or None
        That verifies it.

    Raises
    ------
    ArtifactError
        If the packaged model cannot be taught, or `out` has another suffix.
    DataError
        If it fails its own verification.
    """
    model = splice_head(packaged.model, packaged.card.output, lesson.head)
    blank = Reference(
        signal=packaged.card.reference.signal,
        probes=packaged.card.reference.probes,
        logits=(0.0,) * len(lesson.genres),
        logit_tolerance=_TOLERANCE,
    )
    card = dataclasses.replace(
        packaged.card,
        name=out.stem,
        labels=lesson.genres,
        training=_training(packaged, lesson, examples),
        calibration=_calibration(lesson),
        unknown=packaged.card.unknown
        and dataclasses.replace(
            packaged.card.unknown,
            threshold=strangeness_threshold(examples, packaged.card.unknown.threshold),
        ),
        intended_use="Naming the genre of songs like those that it was taught.",
        limits=(
            "Taught by its owner's own folders; its accuracy is that on them, by cross-validation. "
            f"{packaged.card.limits}"
        ),
        licence="its owner's; the weights below the head: see the notice",
        reference=blank,
    )
    draft = Artifact(path=out, format="onnx", model=model, card=card.sealed(model), size=len(model))
    reference = measure_reference(
        card, load_engine(draft, engine=engine), logit_tolerance=_TOLERANCE
    )
    card = dataclasses.replace(card, reference=reference)
    if not verify(dataclasses.replace(draft, card=card.sealed(model)), engine=engine).passed:
        raise DataError(f"{out}: not written, it fails its own verification; please report it")
    write_examples(kept_beside(out), examples, packaged.card.model_sha256)
    return read_artifact(write_artifact(out, model, card).path)


def kept_beside(out: Path) -> Path:
    """Name the file of what a taught model's songs sounded like."""
    return out.with_suffix(".teach.npz")


def _training(packaged: Artifact, lesson: Lesson, examples: Sequence[Example]) -> Training:
    accuracy: tuple[Accuracy, ...] = ()
    estimate = lesson.estimate
    if estimate:
        over = "artists" if estimate.by_artist else "songs"
        accuracy = (
            Accuracy(
                split=f"audio: cross-validation over {over}",
                n=estimate.n,
                accuracy=estimate.accuracy,
                ci95=estimate.ci95,
            ),
        )
    return Training(
        architecture=f"{packaged.card.training.architecture}: {lesson.kind}",
        data=f"{len(examples)} songs of its owner, on {packaged.card.name}",
        synthetic=False,
        split="none held back: the head learned from all songs",
        seed=0,
        accuracy=accuracy,
    )


def _calibration(lesson: Lesson) -> Calibration | None:
    if lesson.estimate is None:
        return None
    return Calibration(
        temperature=lesson.temperature,
        error=lesson.estimate.calibration_error,
        ci95=lesson.estimate.calibration_ci95,
        n=lesson.estimate.n,
    )
