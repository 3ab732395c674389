"""CandidateFactory: makes the candidates of a run, and judges each on the validation tracks.

Every candidate is a whole artifact, card included, in its folder below `RUN/compress`; one that
was made is not made again. Test tracks play no part here.
"""

from __future__ import annotations

import abc
import dataclasses
import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from genrekit.arrays import Float32
from genrekit.artifact.container import read_artifact
from genrekit.errors import ConfigError, EngineError
from genrekit.strict_json import decode
from genrekit.train.evaluation.metrics import PairedComparison, Share, share
from genrekit.train.evaluation.track_evaluation import Logits
from genrekit.train.runs.documents import read_document, write_document
from genrekit.train.runs.run import Run

from ..writing.comparison import remembered
from ..writing.verified import Exported, Finished, Progress, TrackSet, finish, refuse_leaky, side_of

RESULT = "result.json"
LICENCE = "not stated"


class Recipe(Protocol):
    """What is done to a network.

    `name` is also that of a folder; `float_name` is that of the recipe for the same network in
    float.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 -- told above

    @property
    def float_name(self) -> str: ...  # noqa: D102


R = TypeVar("R", bound=Recipe)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A model in its file format, and the size of the network behind it.

    Parameters
    ----------
    model : bytes
        Without a card.
    steps : tuple of str
        What was done, in the words of the card.
    parameters, macs : int
        Of the network, zeros included; multiplications are for one window.
    """

    model: bytes
    steps: tuple[str, ...]
    parameters: int
    macs: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One candidate, judged on the validation tracks.

    Parameters
    ----------
    name, float_name : str
        Of its recipe.
    steps : tuple of str
    format : {"onnx", "tflite"}
    bytes, gzip_bytes : int
        Of the file, card included; without one if it was rejected, 0 if it could not be made.
    parameters, macs : int
    accuracy : Share
    paired : PairedComparison or None
        With the run's own network, on the same tracks; None if it was rejected.
    rejected : str or None
        Why no engine can use it as installed.
    """

    name: str
    float_name: str
    steps: tuple[str, ...]
    format: str
    bytes: int
    gzip_bytes: int
    parameters: int
    macs: int
    accuracy: Share
    paired: PairedComparison | None
    rejected: str | None


class CandidateFactory(abc.ABC, Generic[R]):
    """Makes candidates of one run.

    Parameters
    ----------
    run : Run
        Of a network with one input.
    epochs : int
        Of fine-tuning; what else is trained counts in multiples of it.
    """

    format: str
    plain: R
    windows_at_once = 1  # that the engine is given when it is timed

    def __init__(self, run: Run, epochs: int) -> None:
        refuse_leaky(run)
        if len(run.representation.inputs) != 1 or not run.representation.deployable:
            raise ConfigError(f"{run.folder}: only models of one input from audio are compressed")
        if epochs < 1:
            raise ConfigError(f"epochs={epochs}: must be at least 1")
        self.run, self.epochs = run, epochs
        self.spec = run.representation.inputs[0]
        self.network: Any = run.load_model()
        self.before = remembered(self.framework_logits(self.network))
        self.train, self.valid = side_of(run, "train"), side_of(run, "valid")
        sides = (self.train.windowed, self.valid.windowed)
        self.both = dataclasses.replace(
            sides[0],
            features={**sides[0].features, **sides[1].features},
            targets={**sides[0].targets, **sides[1].targets},
        )

    @abc.abstractmethod
    def recipes(self) -> Sequence[R]:
        """List what is tried, the plain network first."""

    @abc.abstractmethod
    def make(self, recipe: R, folder: Path) -> Made:
        """Follow a recipe; what was trained on the way is kept in `folder`."""

    @abc.abstractmethod
    def export(self, made: Made) -> Exported:
        """Describe a model's inputs and outputs; an EngineError if it does not load."""

    @abc.abstractmethod
    def framework_logits(self, network: Any) -> Logits:
        """Wrap a network of the run's framework."""

    @abc.abstractmethod
    def timer(self, model: bytes, windows: Float32) -> Callable[[], object]:
        """Prepare a call that runs `windows` through the engine as installed, one thread."""

    @property
    def folder(self) -> Path:
        """Where candidates are kept."""
        return self.run.folder / "compress" / f"epochs{self.epochs}"

    def artifact(self, recipe: R) -> Path:
        """Return where a candidate's artifact is."""
        return self.folder / recipe.name / f"model.{self.format}"

    def result(self, recipe: R) -> Result:
        """Make and judge a candidate, or read what was found before."""
        document = self.folder / recipe.name / RESULT
        if not document.is_file():
            document.parent.mkdir(parents=True, exist_ok=True)
            write_document(document, self._judge(recipe, document.parent))
        return decode(Result, read_document(document), str(document))

    def finish(
        self,
        recipe: R,
        out: Path,
        tracks: TrackSet,
        *,
        licence: str,
        progress: Progress | None = None,
    ) -> Finished:
        """Write a candidate with a card that tells how it does on other tracks."""
        held = read_artifact(self.artifact(recipe))
        kept = self.result(recipe)
        made = Made(model=held.model, steps=kept.steps, parameters=kept.parameters, macs=kept.macs)
        exported = self.export(made)
        return finish(self.run, exported, out, tracks, licence=licence, progress=progress)

    def timed(self, recipe: R) -> Callable[[], object]:
        """Prepare a candidate to be timed on noise."""
        noise = np.random.default_rng(0).standard_normal((self.windows_at_once, *self.spec.shape))
        model = read_artifact(self.artifact(recipe)).model
        return self.timer(model, noise.astype(np.float32))

    def _judge(self, recipe: R, folder: Path) -> Result:
        made = Made(model=b"", steps=(), parameters=0, macs=0)
        paired, accuracy, rejected = None, share(0, 0), None
        size, packed = 0, 0
        try:
            made = self.make(recipe, folder)
            size, packed = len(made.model), len(gzip.compress(made.model, 9, mtime=0))
            out = self.artifact(recipe)
            finished = finish(self.run, self.export(made), out, self.valid, licence=LICENCE)
            size = finished.artifact.size
            packed = len(gzip.compress(out.read_bytes(), 9, mtime=0))
            paired, accuracy = finished.proof.tracks, finished.proof.after
        except EngineError as error:
            rejected = str(error)
        return Result(
            name=recipe.name,
            float_name=recipe.float_name,
            steps=made.steps,
            format=self.format,
            bytes=size,
            gzip_bytes=packed,
            parameters=made.parameters,
            macs=made.macs,
            accuracy=accuracy,
            paired=paired,
            rejected=rejected,
        )
