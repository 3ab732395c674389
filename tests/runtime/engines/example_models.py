"""Models that the tests of graphs and of the NumPy engine share, made as the exporter makes them.

Each is built once per test process.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

# Brings in Triton, which crashes the process if TensorFlow was imported before it.
import torch._dynamo
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from genrekit.arrays import Float32
from genrekit.artifact.card import Card
from genrekit.artifact.container import Artifact, write_artifact
from genrekit.artifact.sections import InputSpec, Normalisation, Reference

IMAGE = (1, 32, 57)
CLASSES = 10


def windows(count: int, shape: tuple[int, ...], seed: int = 0) -> Float32:
    """Make random model inputs, each with a level and slope of its own so that labels differ."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((count, *shape), np.float32)
    level = rng.standard_normal((count, *(1,) * len(shape)), np.float32)
    slope = np.linspace(-2.0, 2.0, shape[-1], dtype=np.float32)
    return noise + level + slope * rng.standard_normal(level.shape, np.float32)


class Residual(torch.nn.Module):
    """ResNet's basic block between two channel counts."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Conv2d(channels, out, 3, 2, 1, bias=False),
            torch.nn.BatchNorm2d(out),
            torch.nn.ReLU(),
            torch.nn.Conv2d(out, out, 3, 1, 1, bias=False),
            torch.nn.BatchNorm2d(out),
        )
        self.shortcut = torch.nn.Conv2d(channels, out, 1, 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


class Inverted(torch.nn.Module):
    """MobileNetV3's block: expansion, depthwise 5x5, squeeze and excitation, projection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 3 * channels
        self.body = torch.nn.Sequential(
            torch.nn.Conv2d(channels, wide, 1, bias=False),
            torch.nn.BatchNorm2d(wide),
            torch.nn.Hardswish(),
            torch.nn.Conv2d(wide, wide, 5, 1, 2, groups=wide, bias=False),
            torch.nn.BatchNorm2d(wide),
            torch.nn.Hardswish(),
        )
        self.gate = torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Conv2d(wide, 8, 1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(8, wide, 1),
            torch.nn.Hardsigmoid(),
        )
        self.project = torch.nn.Conv2d(wide, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = self.body(x)
        return x + self.project(wide * self.gate(wide))


class Network(torch.nn.Module):
    """A small CNN with every operator that the kit's image models use."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(1, 16, 7, 2, 3, bias=False),
            torch.nn.BatchNorm2d(16),
            torch.nn.ReLU6(),
            torch.nn.MaxPool2d(3, 2, 1),
            Residual(16, 24),
            Inverted(24),
            torch.nn.Conv2d(24, 32, 3, padding=2, dilation=2, groups=4),
            torch.nn.SiLU(),
            torch.nn.AvgPool2d((1, 3), (1, 2), (0, 1)),
        )
        self.head = torch.nn.Linear(32, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x).mean((2, 3)))


@functools.cache
def network(kind: type[torch.nn.Module] = Network) -> torch.nn.Module:
    """Build a network whose layer `head` gives each label a logit of mean 0 and deviation 1."""
    torch.manual_seed(0)
    model = kind().train()
    head = model.get_submodule("head")
    outputs: list[torch.Tensor] = []
    with torch.no_grad():
        for seed in range(10):
            model(torch.from_numpy(windows(32, IMAGE, seed)))
        hook = head.register_forward_hook(lambda _layer, _given, given: outputs.append(given))
        model.eval()(torch.from_numpy(windows(64, IMAGE, 10)))
        hook.remove()
        deviation, mean = torch.std_mean(outputs[0], dim=0)
        weight, bias = head.get_parameter("weight"), head.get_parameter("bias")
        weight.div_(deviation[:, None])
        bias.sub_(mean).div_(deviation)
    return model


@functools.cache
def float_onnx(*, dynamo: bool = True, kind: type[torch.nn.Module] = Network) -> bytes:
    """Export the network with either of torch's exporters."""
    example = (torch.from_numpy(windows(2, IMAGE)),)
    names: dict[str, Any] = {"input_names": ["x"], "output_names": ["logits"]}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own deprecations
        path = Path(folder) / "model.onnx"
        if dynamo:
            names["dynamic_shapes"] = ({0: torch.export.Dim("windows")},)
            names |= {"external_data": False, "verbose": False, "opset_version": 18}
        else:
            names["dynamic_axes"] = {"x": {0: "windows"}, "logits": {0: "windows"}}
            names["opset_version"] = 17
        torch.onnx.export(network(kind), example, str(path), dynamo=dynamo, **names)
        return path.read_bytes()


class _Calibration(CalibrationDataReader):  # type: ignore[misc] - onnxruntime has no types
    def __init__(self) -> None:
        self._rows: Iterator[Float32] = iter(windows(32, IMAGE, 1))

    def get_next(self) -> dict[str, Float32] | None:
        row = next(self._rows, None)
        return None if row is None else {"x": row[None]}


@functools.cache
def int8_onnx(
    *, reduce_range: bool = True, dynamo: bool = True, kind: type[torch.nn.Module] = Network
) -> bytes:
    """Quantize the exported network: QDQ, U8 activations, S8 weights per channel."""
    with tempfile.TemporaryDirectory() as folder:
        source, prepared, target = (Path(folder) / f"{name}.onnx" for name in "abc")
        source.write_bytes(float_onnx(dynamo=dynamo, kind=kind))
        quant_pre_process(str(source), str(prepared))
        quantize_static(
            str(prepared),
            str(target),
            _Calibration(),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=reduce_range,
        )
        return target.read_bytes()


@functools.cache
def tflite_mlp(kind: str) -> bytes:
    """Convert an MLP: "float", "sparse", "dynamic", "sparse dynamic", "int8" or "softmax"."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's own
        import tensorflow as tf
        import tf_keras

        tf_keras.utils.set_random_seed(0)
        model = tf_keras.Sequential([tf_keras.Input((57,), name="features")])
        for units in (256, 128, 64):
            model.add(tf_keras.layers.Dense(units, activation="relu"))
            model.add(tf_keras.layers.BatchNormalization())
        model.add(tf_keras.layers.Dense(CLASSES))
        if kind == "softmax":
            model.add(tf_keras.layers.Softmax())
        rng = np.random.default_rng(0)
        for layer in model.layers:
            weights = [w + rng.normal(0.0, 0.1, w.shape).astype("f4") for w in layer.get_weights()]
            if "sparse" in kind and isinstance(layer, tf_keras.layers.Dense):
                weights[0] *= np.abs(weights[0]) > np.quantile(np.abs(weights[0]), 0.8)
            layer.set_weights(weights)
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        names = {"sparse": "EXPERIMENTAL_SPARSITY", "dynamic": "DEFAULT", "int8": "DEFAULT"}
        converter.optimizations = [
            getattr(tf.lite.Optimize, names[w]) for w in kind.split() if w in names
        ]
        if kind == "int8":
            converter.representative_dataset = lambda: ([row[None]] for row in windows(200, (57,)))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return bytes(converter.convert())


def tiny_onnx(*nodes: onnx.NodeProto, **initializers: Any) -> onnx.ModelProto:
    """Make a model of the given nodes from "x" (windows, 4) to "logits" (windows, 3)."""
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in initializers.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def as_artifact(
    card: Card,
    model: bytes,
    folder: Path,
    name: str,
    shape: tuple[int, ...],
    output: str,
    labels: int,
) -> Artifact:
    """Write a model under a card that says what its input and output are."""
    layout = {1: "vector", 2: "frame_band", 3: "channel_band_frame"}[len(shape)]
    spec = InputSpec(
        name=name,
        feature="log_mel",
        layout=layout,  # type: ignore[arg-type] - one of its three
        shape=shape,
        dtype="float32",
        normalisation=Normalisation(kind="none"),
    )
    changed = dataclasses.replace(
        card,
        inputs=(spec,),
        output=output,
        labels=tuple(f"genre{number}" for number in range(labels)),
        reference=Reference(
            signal=card.reference.signal, probes=(), logits=(0.0,) * labels, logit_tolerance=1.0
        ),
    )
    kind = "tflite" if model[4:8] == b"TFL3" else "onnx"
    return write_artifact(folder / f"model.{kind}", model, changed)
