"""Chain: an image network distilled, pruned and quantized, in this order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from genrekit.arrays import Float32
from genrekit.errors import ConfigError
from genrekit.files import read_bounded, write_whole
from genrekit.train.evaluation.track_evaluation import Logits
from genrekit.train.fitting.loop import fit
from genrekit.train.fitting.torch_learner import choose_device, load_torch_weights
from genrekit.train.runs.run import MAX_WEIGHTS_BYTES, Run

from ..distillation.distilling import Distillation, DistillingLearner
from ..distillation.students import STUDENTS, student
from ..formats.onnx import OUTPUT, export_onnx
from ..pruning.channels import count_macs, count_parameters, prune_channels
from ..quantization.calibration import METHODS, Method
from ..quantization.static import quantize
from ..writing.comparison import torch_logits
from ..writing.verified import Exported
from .candidates import CandidateFactory, Made

CALIBRATION_WINDOWS = 256
# Learning rates as shares of the training's peak, and epochs in those of fine-tuning.
PRUNED_RATE, QAT_RATE, STUDENT_RATE = 0.25, 0.02, 2.0
STUDENT_EPOCHS, QAT_EPOCHS = 3.0, 0.5
OWN = "own"  # in place of a student: the run's network


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ImageChain:
    """What is done to a network, in this order.

    Parameters
    ----------
    student : str
        Which network learns from the run's own; `OWN` is that one itself.
    pruned : float
        Share of the channels taken out; 0 is none.
    int8 : {"none", "minmax", "entropy", "percentile", "qat"}
        Left in float, quantized after calibration, or trained under quantization.
    """

    student: str = OWN
    pruned: float = 0.0
    int8: str = "none"

    def __post_init__(self) -> None:
        if self.int8 not in ("none", *METHODS, "qat") or not 0.0 <= self.pruned < 1.0:
            raise ConfigError(f"chain {self}: no such quantization, or a share outside 0..1")
        if self.student not in (OWN, *STUDENTS):
            raise ConfigError(f"student {self.student!r:.40}: one of {OWN}, {', '.join(STUDENTS)}")

    @property
    def network(self) -> str:
        """Names the network, whatever its numbers are stored in."""
        pruned = f"-pruned{round(100 * self.pruned):02d}" if self.pruned else ""
        return f"{self.student}{pruned}"

    @property
    def name(self) -> str:
        """Names the chain; also that of a folder."""
        return f"{self.network}-{'float' if self.int8 == 'none' else self.int8}"

    @property
    def float_name(self) -> str:
        """Names the chain of the same network in float."""
        return dataclasses.replace(self, int8="none").name

    def steps(self, epochs: int) -> tuple[str, ...]:
        """Say it in the words of a card; `epochs` are those of fine-tuning."""
        steps = []
        if self.student != OWN:
            steps.append(f"{self.student} distilled for {_times(STUDENT_EPOCHS, epochs)} epochs")
        if self.pruned:
            share = f"{self.pruned:.0%} of the channels pruned"
            steps.append(f"{share}, distilled for {epochs} epochs")
        if self.int8 == "qat":
            trained = _times(QAT_EPOCHS, epochs)
            steps.append(f"static int8, QDQ, 7-bit weights, trained under it for {trained} epochs")
        elif self.int8 != "none":
            steps.append(f"static int8, QDQ, 7-bit weights, {self.int8} calibration")
        return tuple(steps)


PLAIN = ImageChain()


class ImageCandidateFactory(CandidateFactory[ImageChain]):
    """Makes ONNX files of a torch network of one image.

    Parameters
    ----------
    run : Run
    epochs : int
        Of fine-tuning after pruning.
    """

    format = "onnx"
    plain = PLAIN

    def __init__(self, run: Run, epochs: int) -> None:
        super().__init__(run, epochs)
        self._source_bytes = len(export_onnx(self.network, [self.spec]))

    def recipes(self) -> Sequence[ImageChain]:
        """List every calibration, then each smaller network in float and in int8."""
        own = [ImageChain(int8=way) for way in ("minmax", "percentile", "entropy", "qat")]
        small = [ImageChain(student=name) for name in STUDENTS]
        small[1:1] = [ImageChain(pruned=0.75), ImageChain(student="resnet18_16", pruned=0.25)]
        ways = ("none", "minmax", "qat")
        return [PLAIN, *own, *(dataclasses.replace(c, int8=way) for c in small for way in ways)]

    def make(self, recipe: ImageChain, folder: Path) -> Made:
        """Distil, prune, quantize; networks are shared between the chains that need them."""
        network = self._smaller(recipe)
        windows = self.run.calibration_inputs(CALIBRATION_WINDOWS)
        counts = count_parameters(network), count_macs(network, self.spec)
        if recipe.int8 == "qat":
            from ..quantization.torch_qat import export_quantized, make_quantized

            quantized = make_quantized(network, windows)
            trained = self.learn(quantized, folder / "qat", QAT_RATE, QAT_EPOCHS)
            model = export_quantized(trained, self.spec)
        else:
            model = export_onnx(network, [self.spec])
            if recipe.int8 != "none":
                method: Method = next(name for name in METHODS if name == recipe.int8)
                model = quantize(model, {self.spec.name: windows}, method=method)
        steps = recipe.steps(self.epochs)
        return Made(model=model, steps=steps, parameters=counts[0], macs=counts[1])

    def export(self, made: Made) -> Exported:
        """Describe a graph."""
        return Exported(
            format="onnx",
            model=made.model,
            inputs=(self.spec,),
            output=OUTPUT,
            steps=made.steps,
            source_bytes=self._source_bytes,
            before=self.before,
        )

    def framework_logits(self, network: Any) -> Logits:
        """Wrap a torch module."""
        return torch_logits(network)

    def timer(self, model: bytes, windows: Float32) -> Callable[[], object]:
        """Prepare a call of ONNX Runtime."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4  # it warns of constants that it removes
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, {self.spec.name: windows})

    def _smaller(self, recipe: ImageChain) -> Any:
        """Return the float network of a chain."""
        network = self.network
        if recipe.student != OWN:
            torch.manual_seed(self.run.settings.seed)
            fresh = student(recipe.student, self.spec, len(self.run.labels))
            stem = self.folder / "networks" / recipe.student
            network = self.learn(fresh, stem, STUDENT_RATE, STUDENT_EPOCHS)
        if recipe.pruned:
            stem = self.folder / "networks" / recipe.network
            network = prune_channels(
                network,
                self.spec,
                recipe.pruned,
                fine_tune=lambda pruned, _: self.learn(pruned, stem, PRUNED_RATE, 1.0),
            )
        return network

    def learn(self, network: Any, stem: Path, rate: float, epochs: float) -> Any:
        """Distil the run's network into another, or read what was learned before.

        Parameters
        ----------
        network : torch.nn.Module
        stem : Path
            Of the files that keep it.
        rate : float
            Share of the training's peak learning rate.
        epochs : float
            Share of the epochs of fine-tuning.

        Returns
        -------
        torch.nn.Module
            The same one.
        """
        learned = stem.with_name(f"{stem.name}.weights")
        if not learned.is_file():
            write_whole(learned, self._fit(network, stem, rate, _times(epochs, self.epochs)))
        load_torch_weights(network, read_bounded(learned, MAX_WEIGHTS_BYTES))
        return network

    def _fit(self, network: Any, stem: Path, rate: float, epochs: int) -> bytes:
        asked = self.run.settings.hyperparameters
        settings = dataclasses.replace(
            asked,
            epochs=epochs,
            patience=epochs,
            learning_rate=min(1.0, asked.learning_rate * rate),
        )
        network.requires_grad_(True)  # it may be a copy of a teacher, whose weights rest
        learner = DistillingLearner(
            network, [self.network], Distillation(), settings.weight_decay, choose_device("cpu")
        )
        checkpoint = stem.with_name(f"{stem.name}.checkpoint")
        best = stem.with_name(f"{stem.name}.best")
        fit(
            learner,
            self.both,
            list(self.train.windowed.features),
            list(self.valid.windowed.features),
            settings,
            seed=self.run.settings.seed,
            checkpoint=checkpoint,
            best=best,
        )
        checkpoint.unlink()
        best.unlink()
        return learner.weights()


def _times(share: float, epochs: int) -> int:
    return max(1, round(share * epochs))
