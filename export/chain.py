"""Chain: one candidate of the search -- prune, distil, quantize -- kept once it is made."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genrekit.runtime.arrays import Float32
from genrekit.runtime.errors import ConfigError
from genrekit.runtime.files import read_bounded, write_whole
from genrekit.runtime.schema import decode
from genrekit.train.documents import read_document, write_document
from genrekit.train.fit import fit
from genrekit.train.material import Material
from genrekit.train.metrics import PairedComparison, Share, compare, share
from genrekit.train.run import Run

from .calibration import METHODS, Method
from .channel_pruning import count_macs, count_parameters, prune_channels
from .distil import Distillation, DistillingLearner
from .onnx_export import export_onnx
from .proof import Logits, torch_logits, track_label
from .quantize import quantize

CALIBRATION_WINDOWS = 256
FINE_TUNING_RATE = 0.25  # of the training's peak learning rate
QAT_RATE = 0.02
MAX_MODEL_BYTES = 1 << 28


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """What is done to a network, in this order.

    Parameters
    ----------
    pruned : float
        Share of the channels taken out; 0 is none.
    int8 : {"none", "minmax", "entropy", "percentile", "qat"}
        Left in float, quantized after calibration, or trained under quantization.
    """

    pruned: float = 0.0
    int8: str = "minmax"

    def __post_init__(self) -> None:
        if self.int8 not in ("none", *METHODS, "qat") or not 0.0 <= self.pruned < 1.0:
            raise ConfigError(f"chain {self}: no such quantization, or a share outside 0..1")

    @property
    def name(self) -> str:
        """A name for a folder."""
        return f"pruned{round(100 * self.pruned):02d}-{self.int8}"

    def steps(self, epochs: int) -> tuple[str, ...]:
        """Say it in the words of a card."""
        pruned = f"{self.pruned:.0%} of the channels pruned, distilled for {epochs} epochs"
        int8 = {
            "none": "float",
            "qat": f"static int8, QDQ, 7-bit weights, trained under it for {epochs} epochs",
        }.get(self.int8, f"static int8, QDQ, 7-bit weights, {self.int8} calibration")
        return (pruned, int8) if self.pruned else (int8,)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One candidate, judged on the validation tracks.

    Parameters
    ----------
    chain : Chain
    bytes, gzip_bytes : int
        Of the model without its card.
    parameters, macs : int
        Of the float network behind it, for one window.
    accuracy : Share
    paired : PairedComparison
        With the run's own network, on the same tracks.
    """

    chain: Chain
    bytes: int
    gzip_bytes: int
    parameters: int
    macs: int
    accuracy: Share
    paired: PairedComparison


class Workshop:
    """Makes candidates of one run, each in its folder below `RUN/compress`.

    Parameters
    ----------
    run : Run
        Of a torch network with one image input.
    epochs : int
        Of fine-tuning after pruning, and again of quantization-aware training.
    """

    def __init__(self, run: Run, epochs: int) -> None:
        if run.architecture.framework != "torch" or len(run.representation.inputs) != 1:
            raise ConfigError(
                f"{run.folder}: {run.settings.model} is no torch network of one image; "
                "'genrekit export' prunes a perceptron"
            )
        if epochs < 1:
            raise ConfigError(f"epochs={epochs}: must be at least 1")
        self.run, self.epochs = run, epochs
        self.spec = run.representation.inputs[0]
        self.teacher: Any = run.load_model()
        self._material = run.material((*run.tracks("train"), *run.tracks("valid")))
        self.valid = [track.id for track in run.tracks("valid")]
        self._said = labels_of(torch_logits(self.teacher), self._material, self.valid)

    def result(self, chain: Chain) -> Result:
        """Make a candidate, or read it where it was made before."""
        folder = self.run.folder / "compress" / f"{chain.name}-{self.epochs}"
        document = folder / "result.json"
        if not document.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            network = self._network(chain, folder)
            model = self._graph(chain, network, folder)
            write_whole(folder / "model.onnx", model)
            write_document(document, self._judge(chain, model, network))
        return decode(Result, read_document(document), str(document))

    def model(self, chain: Chain) -> bytes:
        """Read a candidate's graph, without a card."""
        folder = self.run.folder / "compress" / f"{chain.name}-{self.epochs}"
        return read_bounded(folder / "model.onnx", MAX_MODEL_BYTES)

    def _network(self, chain: Chain, folder: Path) -> Any:
        if not chain.pruned:
            return self.teacher

        def fine_tune(network: Any, index: int) -> Any:
            return self._learn(network, folder / f"pruning{index}", FINE_TUNING_RATE)

        return prune_channels(self.teacher, self.spec, chain.pruned, fine_tune=fine_tune)

    def _graph(self, chain: Chain, network: Any, folder: Path) -> bytes:
        windows = self.run.calibration_inputs(CALIBRATION_WINDOWS)
        if chain.int8 == "qat":
            from .qat import export_quantized, make_quantized

            trained = self._learn(make_quantized(network, windows), folder / "qat", QAT_RATE)
            return export_quantized(trained, self.spec)
        graph = export_onnx(network, [self.spec])
        if chain.int8 == "none":
            return graph
        method: Method = next(name for name in METHODS if name == chain.int8)
        return quantize(graph, {self.spec.name: windows}, method=method)

    def _learn(self, network: Any, stem: Path, rate: float) -> Any:
        from genrekit.train.torch_learner import choose_device

        asked = self.run.settings.hyperparameters
        settings = dataclasses.replace(
            asked,
            epochs=self.epochs,
            patience=self.epochs,
            learning_rate=asked.learning_rate * rate,
        )
        learner = DistillingLearner(
            network, [self.teacher], Distillation(), settings.weight_decay, choose_device("cpu")
        )
        fit(
            learner,
            self._material,
            [track.id for track in self.run.tracks("train")],
            self.valid,
            settings,
            seed=self.run.settings.seed,
            checkpoint=stem.with_suffix(".checkpoint"),
            best=stem.with_suffix(".best"),
        )
        stem.with_suffix(".checkpoint").unlink()
        return learner.model

    def _judge(self, chain: Chain, model: bytes, network: Any) -> Result:
        truth = [self._material.targets[name] for name in self.valid]
        said = labels_of(onnx_logits(model, self.spec.name), self._material, self.valid)
        hits = sum(a == b for a, b in zip(truth, said, strict=True))
        return Result(
            chain=chain,
            bytes=len(model),
            gzip_bytes=len(gzip.compress(model, 9, mtime=0)),
            parameters=count_parameters(network),
            macs=count_macs(network, self.spec),
            accuracy=share(hits, len(truth)),
            paired=compare(truth, self._said, said),
        )


def labels_of(model: Logits, material: Material, track_ids: Sequence[str]) -> list[int]:
    """Label tracks as a device does."""
    return [track_label(model(material.windows(track_id))) for track_id in track_ids]


def onnx_logits(model: bytes, name: str) -> Logits:
    """Wrap a graph in ONNX Runtime, one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(inputs: tuple[Float32, ...]) -> Float32:
        return np.asarray(session.run(None, {name: inputs[0]})[0], np.float32)

    return run
