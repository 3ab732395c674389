"""Peer ways: each loads a model once and then turns samples into probabilities.

Nothing is imported before it is used, since this module is also the program whose cold start
is measured: `python -m genrekit.benchmarks.peers.pipelines WAY RUN FP32.onnx INT8.onnx CONVERTED
CLIP.npy`. What a way reads was converted before (`peer_conversions`).
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from genrekit.arrays import Float32, Float64
from genrekit.artifact.card import Card
from genrekit.artifact.container import read_artifact
from genrekit.audio.decoding import Audio
from genrekit.bench.cold_start import resident_bytes
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.inputs import to_tensor
from genrekit.classify.prediction import softmax
from genrekit.engines.interpreters import load_interpreter
from genrekit.errors import ConfigError, DependencyError, EngineError

from .conversions import DYNAMIC, PTE, TFLITE

Predict: TypeAlias = Callable[[Float32], Float64]
Features: TypeAlias = Callable[[Float32], Float32]
Graph: TypeAlias = Callable[[Float32], Float32]

_REPEATS = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """One training: its run folder, its artifacts, and a folder for other packages' files."""

    run: Path
    fp32: Path
    int8: Path
    converted: Path

    def file(self, name: str) -> Path:
        """Return "run", "fp32", "int8", or a converted file by its name."""
        known = {"run": self.run / "best.pt", "fp32": self.fp32, "int8": self.int8}
        return known.get(name, self.converted / name)


@dataclasses.dataclass(frozen=True, slots=True)
class Pipeline:
    """A way to do the work.

    Parameters
    ----------
    packages : tuple of str
        Distributions that a user installs for it.
    file : str
        Which file of the model it reads; see `Model.file`.
    load : callable
        From a model to a function of samples that gives probabilities.
    """

    packages: tuple[str, ...]
    file: str
    load: Callable[[Model], Predict]


def _genrekit(file: str) -> Callable[[Model], Predict]:
    def load(model: Model) -> Predict:
        classifier = GenreClassifier.load(model.file(file))
        rate, labels = classifier.card.features.sample_rate, classifier.card.labels

        def predict(samples: Float32) -> Float64:
            scores = classifier.classify(Audio(samples, rate)).ranking
            found = {score.label: score.probability for score in scores}
            return np.array([found[label] for label in labels])

        return predict

    return load


def _joined(features: Callable[[Card], Features], graph: Callable[[Model], Graph]) -> Any:
    """Return a way's `load` from another package's features and another engine."""

    def load(model: Model) -> Predict:
        card = read_artifact(model.fp32).card
        spec = card.inputs[0]
        if len(card.inputs) != 1 or spec.feature not in ("log_mel", "mfcc"):
            raise ConfigError(f"{model.fp32}: peers know models of one log_mel or mfcc image")
        extract, run = features(card), graph(model)

        def predict(samples: Float32) -> Float64:
            tensor = to_tensor(extract(samples)[: spec.frames], spec)
            return np.asarray(softmax(run(tensor[np.newaxis]))[0])

        return predict

    return load


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DependencyError(f"{name} is not installed, or does not load: {error}") from error


def _librosa(card: Card) -> Features:
    librosa, config = _package("librosa"), card.features
    settings = {
        "sr": config.sample_rate,
        "n_fft": config.n_fft,
        "hop_length": config.hop_length,
        "center": config.padding != "none",
        "pad_mode": "reflect" if config.padding == "reflect" else "constant",
        "n_mels": config.n_mels,
        "fmin": config.f_min_hz,
        "fmax": config.f_max_hz,
    }

    def extract(samples: Float32) -> Float32:
        power = librosa.feature.melspectrogram(y=samples, **settings)
        level = librosa.power_to_db(power, amin=config.amin, top_db=config.top_db)
        if card.inputs[0].feature == "mfcc":
            level = librosa.feature.mfcc(S=level, n_mfcc=config.n_mfcc)
        return np.asarray(level.T, np.float32)

    return extract


def _torchaudio(card: Card) -> Features:
    torch, torchaudio, config = _package("torch"), _package("torchaudio"), card.features
    if card.inputs[0].feature != "log_mel" or config.top_db is not None:
        raise EngineError("torchaudio: only log_mel without top_db is written down here")
    mel = torchaudio.transforms.MelSpectrogram(
        config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        f_min=config.f_min_hz,
        f_max=config.f_max_hz,
        n_mels=config.n_mels,
        center=config.padding != "none",
        pad_mode="reflect" if config.padding == "reflect" else "constant",
        norm="slaney",
        mel_scale="slaney",
    )

    def extract(samples: Float32) -> Float32:
        level = 10.0 * torch.log10(torch.clamp(mel(torch.from_numpy(samples)), min=config.amin))
        return np.asarray(level.numpy().T)

    return extract


def _torch(*, compiled: bool) -> Callable[[Model], Graph]:
    def load(model: Model) -> Graph:
        torch = _package("torch")
        from genrekit.train.runs.run import Run

        torch.set_num_threads(1)
        network = Run.load(model.run).load_model().eval()
        if compiled:
            network = torch.compile(network)

        def run(tensor: Float32) -> Float32:
            with torch.inference_mode():
                return np.asarray(network(torch.from_numpy(tensor)).numpy())

        if compiled:
            _try_compiled(run, model)
        return run

    return load


def _try_compiled(run: Graph, model: Model) -> None:
    """Compile now; without a C++ compiler this is where it fails."""
    spec = read_artifact(model.fp32).card.inputs[0]
    try:
        run(np.zeros((1, *spec.shape), np.float32))
    except Exception as error:  # torch's backends raise whatever their compilers raise
        raise EngineError(f"torch.compile: {str(error).splitlines()[0]:.200}") from error


def _session(model: bytes, provider: str = "CPUExecutionProvider") -> Graph:
    onnxruntime = _package("onnxruntime")
    if provider not in onnxruntime.get_available_providers():
        raise EngineError(f"this build of ONNX Runtime has no {provider}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=[provider])
    name = session.get_inputs()[0].name
    return lambda tensor: np.asarray(session.run(None, {name: tensor})[0])


def _onnxruntime(model: Model) -> Graph:
    return _session(read_artifact(model.fp32).model)


def _xnnpack(model: Model) -> Graph:
    return _session(read_artifact(model.fp32).model, "XnnpackExecutionProvider")


def _dynamic(model: Model) -> Graph:
    return _session(_converted(model, DYNAMIC).read_bytes())


def _litert(model: Model) -> Graph:
    interpreter = load_interpreter("litert")(
        model_content=_converted(model, TFLITE).read_bytes(), num_threads=1
    )
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]

    def run(tensor: Float32) -> Float32:
        interpreter.set_tensor(source, tensor)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(target))

    return run


def _executorch(model: Model) -> Graph:
    torch, runtime = _package("torch"), _package("executorch.runtime")
    bindings = _package("executorch.extension.pybindings.portable_lib")
    bindings._unsafe_reset_threadpool(1)
    # From the file: of bytes it keeps a pointer only.
    program = runtime.Runtime.get().load_program(_converted(model, PTE))
    method = program.load_method("forward")

    def run(tensor: Float32) -> Float32:
        with torch.inference_mode():
            return np.asarray(method.execute([torch.from_numpy(tensor)])[0].numpy())

    return run


def _converted(model: Model, name: str) -> Path:
    path = model.file(name)
    if not path.is_file():
        raise EngineError(f"{name}: was not converted")
    return path


PIPELINES = {
    "genrekit, int8": Pipeline(("genrekit", "numpy", "onnxruntime"), "int8", _genrekit("int8")),
    "genrekit, fp32": Pipeline(("genrekit", "numpy", "onnxruntime"), "fp32", _genrekit("fp32")),
    "librosa, ONNX Runtime fp32": Pipeline(
        ("librosa", "onnxruntime"), "fp32", _joined(_librosa, _onnxruntime)
    ),
    "librosa, ONNX Runtime dynamic int8": Pipeline(
        ("librosa", "onnxruntime"), DYNAMIC, _joined(_librosa, _dynamic)
    ),
    "librosa, ONNX Runtime XNNPACK": Pipeline(
        ("librosa", "onnxruntime"), "fp32", _joined(_librosa, _xnnpack)
    ),
    "librosa, LiteRT fp32": Pipeline(
        ("librosa", "ai-edge-litert"), TFLITE, _joined(_librosa, _litert)
    ),
    "librosa, ExecuTorch XNNPACK fp32": Pipeline(
        ("librosa", "torch", "executorch"), PTE, _joined(_librosa, _executorch)
    ),
    "librosa, PyTorch": Pipeline(
        ("librosa", "torch", "torchvision"), "run", _joined(_librosa, _torch(compiled=False))
    ),
    "librosa, torch.compile": Pipeline(
        ("librosa", "torch", "torchvision"), "run", _joined(_librosa, _torch(compiled=True))
    ),
    "torchaudio, PyTorch": Pipeline(
        ("torchaudio", "torch", "torchvision"), "run", _joined(_torchaudio, _torch(compiled=False))
    ),
}


def main(name: str, run: str, fp32: str, int8: str, converted: str, clip: str) -> None:
    """Load one way, predict, and tell when and with how much memory."""
    samples = np.load(clip, allow_pickle=False)
    predict = PIPELINES[name].load(Model(Path(run), Path(fp32), Path(int8), Path(converted)))
    predict(samples)
    predicted_s = time.monotonic()
    for _ in range(_REPEATS - 1):
        predict(samples)
    _, peak = resident_bytes()
    sys.stdout.write(json.dumps({"predicted_s": predicted_s, "peak": peak}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
