"""Verify: an artifact's reference signal through features and engine, against its card."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from ..artifact.container import Artifact, read_artifact
from ..engines.registry import load_engine
from ..errors import ArtifactError
from .reference import SIGNAL, reference_inputs


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One comparison: the largest absolute difference against its bound."""

    what: str
    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance."""
        return self.difference <= self.tolerance


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """Outcome of `verify`: one check per input, one for the logits, and the label."""

    engine: str
    checks: tuple[Check, ...]
    label: str
    expected_label: str

    @property
    def passed(self) -> bool:
        """Whether every check passed and the label is the expected one."""
        return all(check.passed for check in self.checks) and self.label == self.expected_label


def verify(
    source: Artifact | str | os.PathLike[str], *, threads: int = 1, engine: str | None = None
) -> Verification:
    """Compute the reference on this machine and compare it with the card.

    Parameters
    ----------
    source : Artifact or path-like
        Its hashes are checked when it is read.
    threads : int
    engine : str, optional
        As for `engines.registry.load_engine`.

    Raises
    ------
    ArtifactError
        If the card names another signal, or probes outside its inputs.
    EngineError, DependencyError
        If no engine runs the model.
    """
    artifact = source if isinstance(source, Artifact) else read_artifact(source)
    card = artifact.card
    if card.reference.signal != SIGNAL:
        raise ArtifactError(
            f"{artifact.path}: reference signal {card.reference.signal!r:.60} is unknown; "
            f"this genrekit makes {SIGNAL!r}"
        )
    inputs = reference_inputs(card)
    checks = []
    for probe in card.reference.probes:
        if probe.input not in inputs or not all(
            0 <= i < inputs[probe.input].size for i in probe.index
        ):
            raise ArtifactError(f"{artifact.path}: a probe lies outside input {probe.input!r:.40}")
        values = inputs[probe.input].ravel()[list(probe.index)]
        difference = float(np.abs(values - np.array(probe.value)).max())
        checks.append(
            Check(what=f"input {probe.input}", difference=difference, tolerance=probe.tolerance)
        )
    runner = load_engine(artifact, threads=threads, engine=engine)
    logits = runner.run(inputs)[0]
    expected = np.array(card.reference.logits)
    checks.append(
        Check(
            what="logits",
            difference=float(np.abs(logits - expected).max()),
            tolerance=card.reference.logit_tolerance,
        )
    )
    return Verification(
        engine=runner.name,
        checks=tuple(checks),
        label=card.labels[int(logits.argmax())],
        expected_label=card.labels[int(expected.argmax())],
    )
