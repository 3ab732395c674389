"""A real, if small, model as an artifact: averages of log-mel bands through a linear layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from genrekit.artifact.card import SCHEMA_VERSION, Card
from genrekit.artifact.container import Artifact, write_artifact
from genrekit.artifact.sections import (
    Accuracy,
    Compression,
    InputSpec,
    Normalisation,
    Reference,
    Training,
    Windowing,
)
from genrekit.classify.reference import SIGNAL, measure_reference
from genrekit.engines.registry import load_engine
from genrekit.features.config import FeatureConfig

LABELS = ("blues", "classical", "disco")
N_MELS = 16

ArtifactMaker = Callable[..., Artifact]


def linear_onnx(bands: int, frames: int, labels: int) -> bytes:
    """ReduceMean over frames, then Gemm, with fixed random weights."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((bands, labels)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=0),
            helper.make_node("Gemm", ["mean", "w"], ["logits"]),
        ],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, bands, frames])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", labels])],
        [
            numpy_helper.from_array(weight, "w"),
            numpy_helper.from_array(np.array([1, 3], np.int64), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture(scope="session")
def card() -> Card:
    features = FeatureConfig(n_mels=N_MELS, top_db=None)
    frames = features.n_frames(3 * features.sample_rate)
    return Card(
        schema=SCHEMA_VERSION,
        name="linear",
        task="single-label-classification",
        labels=LABELS,
        features=features,
        inputs=(
            InputSpec(
                name="x",
                feature="log_mel",
                layout="channel_band_frame",
                shape=(1, N_MELS, frames),
                dtype="float32",
                normalisation=Normalisation(kind="window"),
            ),
        ),
        output="logits",
        windowing=Windowing(window_s=3.0, hop_s=1.5, short="wrap"),
        aggregation="mean-probability",
        training=Training(
            architecture="linear",
            data="none: random weights",
            synthetic=True,
            split="none",
            seed=0,
            accuracy=(Accuracy(split="none", n=3, accuracy=0.5, ci95=(0.1, 0.9)),),
        ),
        compression=Compression(steps=(), source_bytes=0, label_agreement=None, agreement_n=0),
        licence="Apache-2.0",
        intended_use="tests",
        limits="knows nothing",
        reference=Reference(signal=SIGNAL, probes=(), logits=(0.0, 0.0, 0.0), logit_tolerance=1.0),
        model_sha256="",
        card_sha256="",
    )


@pytest.fixture(scope="session")
def artifact(card: Card, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The small model, with its reference measured by ONNX Runtime."""
    import dataclasses

    path = tmp_path_factory.mktemp("artifact") / "linear.onnx"
    model = linear_onnx(N_MELS, card.inputs[0].frames, len(LABELS))
    bare = write_artifact(path, model, card)
    reference = measure_reference(card, load_engine(bare), logit_tolerance=1e-4)
    return write_artifact(path, model, dataclasses.replace(card, reference=reference))


@pytest.fixture(scope="session")
def model_path(artifact: Artifact) -> Path:
    return artifact.path


@pytest.fixture(scope="session")
def tflite_artifact(card: Card, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A linear layer on the 57 features, made by TensorFlow's own converter."""
    import dataclasses
    import os
    import warnings

    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's own
        import tensorflow as tf
        import tf_keras

        tf_keras.utils.set_random_seed(0)
        layers = [tf_keras.layers.Dense(len(LABELS), input_shape=(57,), name="logits")]
        converter = tf.lite.TFLiteConverter.from_keras_model(tf_keras.Sequential(layers))
        model = bytes(converter.convert())
        interpreter = tf.lite.Interpreter(model_content=model)
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    # One deviation per feature: their magnitudes differ by 10 powers of ten.
    spec = InputSpec(
        name=given["name"],
        feature="tabular",
        layout="vector",
        shape=(57,),
        dtype="float32",
        normalisation=Normalisation(kind="fixed", mean=(0.0,) * 57, std=(1e6,) * 57),
    )
    tabular = dataclasses.replace(
        card,
        name="linear57",
        inputs=(spec,),
        output=result["name"],
        features=FeatureConfig(padding="reflect"),
    )
    path = tmp_path_factory.mktemp("tflite") / "linear.tflite"
    bare = write_artifact(path, model, tabular)
    reference = measure_reference(tabular, load_engine(bare), logit_tolerance=1e-3)
    return write_artifact(path, model, dataclasses.replace(tabular, reference=reference))
