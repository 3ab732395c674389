"""Jobs: one song through one model, whatever happens on the way.

An error that a song raises is caught where it is classified: every song becomes one outcome.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ..classify.classifier import GenreClassifier
from ..classify.prediction import Prediction
from ..errors import GenreKitError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """A model file and how to run it, as it travels to another process."""

    path: Path
    threads: int = 1
    engine: str | None = None
    min_probability: float = 0.0

    def load(self) -> GenreClassifier:
        """Load it; raises as `GenreClassifier.load` does."""
        return GenreClassifier.load(self.path, threads=self.threads, engine=self.engine)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one song: a prediction, or the reason why there is none."""

    file: Path
    result: Prediction | str


def attempt(classifier: GenreClassifier, song: Path, choice: ModelChoice) -> Prediction | str:
    """Classify a song, or return in one line why that fails."""
    try:
        return classifier.classify(song, min_probability=choice.min_probability)
    except (GenreKitError, OSError) as error:
        return " ".join(str(error).split())
    except MemoryError:
        return f"{song}: not enough memory"
