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
from .examples import Example
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
    """Write the artifact, and read it back verified.

    Parameters
    ----------
    packaged : Artifact
        The model that heard the examples.
    lesson : Lesson
    examples : sequence of Example
    out : Path
        Must end in .onnx.
    engine : str or None
        That verifies it.

    Raises
    ------
    ArtifactError
        If the packaged model cannot be taught, or `out` has another suffix.
    DataError
        If the file fails its own verification; it is removed.
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
    unfinished = Artifact(
        path=out, format="onnx", model=model, card=card.sealed(model), size=len(model)
    )
    runner = load_engine(unfinished, engine=engine)
    reference = measure_reference(card, runner, logit_tolerance=_TOLERANCE)
    written = write_artifact(out, model, dataclasses.replace(card, reference=reference))
    artifact = read_artifact(written.path)
    if not verify(artifact, engine=engine).passed:
        out.unlink()
        raise DataError(f"{out}: fails its own verification; please report it")
    return artifact


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
