"""Perceptron chain: an MLP narrowed, pruned, clustered and encoded, in this order."""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genrekit.arrays import Float32
from genrekit.classify.prediction import softmax
from genrekit.errors import ConfigError, DataError
from genrekit.files import read_bounded, write_whole
from genrekit.train.evaluation.track_evaluation import Logits
from genrekit.train.inputs.minibatch import Batch
from genrekit.train.runs.run import MAX_WEIGHTS_BYTES, Run

from ..formats.tflite import Encoding, TfliteModel, export_tflite
from ..pruning.fine_tuning import Tuning, fine_tune
from ..pruning.magnitude import PATTERNS, SPARSITY_2_OF_4, Pattern, PruningPlan, Schedule, prune
from ..pruning.neurons import layers_of, perceptron, remove_dead_neurons, remove_weak_neurons
from ..pruning.weight_clustering import cluster
from ..quantization.keras_qat import export_quantized, train_quantized
from ..writing.comparison import keras_logits, track_scores
from ..writing.verified import Exported
from .candidates import CandidateFactory, Made

CALIBRATION_WINDOWS = 512
TEACHER_SHARE = 0.5  # of the targets, the rest being the labels
PRUNING_RATE, NARROW_RATE, QAT_RATE = 1e-3, 1e-3, 1e-4
EPOCHS_PER_EPOCH = 3  # perceptrons are quick: epochs of fine-tuning for each that is asked for
QAT = "qat"
# Batches of fine-tuning must not repeat those of training, which count epochs from 0.
_FIRST_EPOCH = 1 << 20
_ENCODED = {
    "float": "float weights",
    "sparse": "sparse float weights",
    "int8_weights": "int8 weights",
    "int8": "static int8",
    "sparse_int8": "sparse int8 weights",
    QAT: "int8, trained under it, zeros kept",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class MlpChain:
    """What is done to a perceptron, in this order.

    Parameters
    ----------
    neurons : float
        Share of each hidden layer's neurons taken out; 0 is none.
    sparsity : float
        Share of the weights pruned after that; 0 is none.
    pattern : {"single", "1x4", "2:4"}
    schedule : {"polynomial", "constant"}
    values : int
        Different weights that a matrix may keep; 0 is any number.
    encoding : str
        One of `tflite_export.Encoding`, or "qat": int8, trained under quantization.
    """

    neurons: float = 0.0
    sparsity: float = 0.0
    pattern: Pattern = "single"
    schedule: Schedule = "polynomial"
    values: int = 0
    encoding: str = "float"

    def __post_init__(self) -> None:
        if self.encoding not in _ENCODED or self.pattern not in PATTERNS:
            raise ConfigError(f"chain {self}: no such encoding or pattern")

    @property
    def network(self) -> str:
        """Names the network, whatever its numbers are stored in."""
        parts = []
        if self.neurons:
            parts.append(f"neurons{round(100 * self.neurons):02d}")
        if self.sparsity:
            how = self.schedule if self.pattern == "single" else self.pattern.replace(":", "of")
            parts.append(f"{how}{round(100 * self.sparsity):02d}")
        if self.values:
            parts.append(f"values{self.values}")
        return "-".join(parts) or "dense"

    @property
    def name(self) -> str:
        """Names the chain; also that of a folder."""
        return f"{self.network}-{self.encoding}"

    @property
    def float_name(self) -> str:
        """Names the chain of the same network in float."""
        return dataclasses.replace(self, encoding="float").name

    def steps(self) -> tuple[str, ...]:
        """Say it in the words of a card."""
        steps = []
        if self.neurons:
            steps.append(f"{self.neurons:.0%} of the neurons removed")
        if self.sparsity:
            how = "" if self.pattern == "single" else f" in a {self.pattern} pattern"
            steps.append(
                f"{self.sparsity:.0%} of the weights pruned{how}, {self.schedule} schedule, "
                "dead neurons removed"
            )
        if self.values:
            steps.append(f"{self.values} different weights per matrix")
        return (*steps, _ENCODED[self.encoding])


PLAIN = MlpChain()


class MlpCandidateFactory(CandidateFactory[MlpChain]):
    """Makes TFLite files of a tf_keras perceptron.

    Parameters
    ----------
    run : Run
    epochs : int
        A third of the epochs of each fine-tuning.
    """

    format = "tflite"
    plain = PLAIN
    windows_at_once = 64

    def __init__(self, run: Run, epochs: int) -> None:
        super().__init__(run, epochs)
        self._source_bytes = len(export_tflite(self.network))

    def recipes(self) -> Sequence[MlpChain]:
        """List encodings alone, every pruning, and narrower networks with and without it."""
        chain = MlpChain
        return [
            PLAIN,
            *(chain(encoding=way) for way in ("int8_weights", "int8", QAT)),
            *(chain(sparsity=share, encoding="sparse") for share in (0.8, 0.9, 0.95)),
            chain(sparsity=0.9, schedule="constant", encoding="sparse"),
            chain(sparsity=0.9, pattern="1x4", encoding="sparse"),
            chain(sparsity=SPARSITY_2_OF_4, pattern="2:4", encoding="sparse"),
            *(chain(sparsity=0.9, encoding=way) for way in ("int8_weights", "sparse_int8", QAT)),
            *(chain(values=32, encoding=way) for way in ("float", "int8_weights")),
            chain(sparsity=0.9, values=32, encoding="sparse"),
            *(
                chain(neurons=share, encoding=way)
                for share in (0.5, 0.75)
                for way in ("float", "int8_weights", "int8", QAT)
            ),
            chain(neurons=0.5, sparsity=0.8, encoding="sparse"),
        ]

    def make(self, recipe: MlpChain, folder: Path) -> Made:  # noqa: ARG002 -- as the base
        """Narrow, prune, cluster, encode; networks are shared between the chains that need them."""
        network = self.network_of(recipe)
        matrices = [matrix for matrix, _ in layers_of(network)]
        if recipe.encoding == QAT:
            tuning = self._tuning(QAT_RATE)
            model = export_quantized(
                train_quantized(network, self._batches, self._judge_network, tuning)
            )
        else:
            calibration = None
            if recipe.encoding == "int8":
                calibration = self.run.calibration_inputs(CALIBRATION_WINDOWS)
            encoding: Encoding = _encoding(recipe.encoding)
            model = export_tflite(network, encoding, calibration)
        return Made(
            model=model,
            steps=recipe.steps(),
            parameters=int(network.count_params()),
            macs=int(sum(matrix.size for matrix in matrices)),
        )

    def export(self, made: Made) -> Exported:
        """Describe a flatbuffer; the converter names its tensors in its own way."""
        loaded = TfliteModel(made.model)
        return Exported(
            format="tflite",
            model=made.model,
            inputs=(dataclasses.replace(self.spec, name=loaded.input_name),),
            output=loaded.output_name,
            steps=made.steps,
            source_bytes=self._source_bytes,
            before=self.before,
        )

    def framework_logits(self, network: Any) -> Logits:
        """Wrap a tf_keras network."""
        return keras_logits(network)

    def timer(self, model: bytes, windows: Float32) -> Callable[[], object]:
        """Prepare a call of LiteRT, one window after another."""
        return functools.partial(TfliteModel(model).repeat, windows[0], len(windows))

    def network_of(self, recipe: MlpChain) -> Any:
        """Return the float network of a chain."""
        network: Any = perceptron(layers_of(self.network))
        if recipe.neurons:
            only = dataclasses.replace(recipe, sparsity=0.0, values=0)
            narrow = functools.partial(remove_weak_neurons, network, recipe.neurons)
            network = self._kept(only, lambda: self._fine_tuned(narrow(), NARROW_RATE))
        if recipe.sparsity:
            dense, only = network, dataclasses.replace(recipe, values=0)
            network = self._kept(only, lambda: self._pruned(dense, recipe))
        if recipe.values:
            whole = network
            network = self._kept(recipe, lambda: self._clustered(whole, recipe.values))
        return network

    def _fine_tuned(self, network: Any, rate: float) -> Any:
        return fine_tune(network, self._batches, self._judge_network, self._tuning(rate))

    def _pruned(self, network: Any, recipe: MlpChain) -> Any:
        plan = PruningPlan(
            sparsity=recipe.sparsity,
            tuning=self._tuning(PRUNING_RATE),
            pattern=recipe.pattern,
            schedule=recipe.schedule,
        )
        return remove_dead_neurons(prune(network, self._batches, self._judge_network, plan))

    def _clustered(self, network: Any, values: int) -> Any:
        tuning = self._tuning(PRUNING_RATE)
        return cluster(network, values, self._batches, self._judge_network, tuning)

    def _kept(self, recipe: MlpChain, make: Callable[[], Any]) -> Any:
        """Make a network, or read it where it was made before."""
        path = self.folder / "networks" / f"{recipe.network}.npz"
        if not path.is_file():
            write_whole(path, pack(make()))
        return unpack(read_bounded(path, MAX_WEIGHTS_BYTES))

    def _tuning(self, rate: float) -> Tuning:
        epochs = max(2, EPOCHS_PER_EPOCH * self.epochs)
        return Tuning(epochs=epochs, learning_rate=rate, seed=self.run.settings.seed)

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """Blend what the run's network says into the targets."""
        settings = self.run.settings
        seed = (settings.seed, _FIRST_EPOCH + epoch)
        names = list(self.train.windowed.features)
        teacher = keras_logits(self.network)
        for batch in self.train.windowed.batches(names, settings.hyperparameters, seed):
            said = softmax(teacher(batch.inputs))
            blend = TEACHER_SHARE * said + (1.0 - TEACHER_SHARE) * batch.targets
            yield Batch(batch.inputs, blend.astype(np.float32))

    def _judge_network(self, network: Any) -> tuple[float, float]:
        windowed = self.valid.windowed
        return track_scores(keras_logits(network), windowed, list(windowed.features))


def pack(network: Any) -> bytes:
    """Serialise a perceptron's weights and biases."""
    buffer = io.BytesIO()
    np.savez(buffer, *(array for layer in layers_of(network) for array in layer))
    return buffer.getvalue()


def unpack(data: bytes) -> Any:
    """Rebuild a perceptron, of any widths, from `pack`.

    Raises
    ------
    DataError
        If it is no such file.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = [archive[f"arr_{i}"] for i in range(len(archive.files))]
        return perceptron(list(zip(arrays[::2], arrays[1::2], strict=True)))
    except (ValueError, KeyError, IndexError, OSError, EOFError) as error:
        raise DataError(f"not a file of a perceptron: {error}") from error


def _encoding(name: str) -> Encoding:
    known: tuple[Encoding, ...] = ("float", "sparse", "int8_weights", "int8", "sparse_int8")
    return next(encoding for encoding in known if encoding == name)
