"""Makes the seed corpus in `corpus/`: for each target a few small valid files.

Run `python tests/fuzz/make_corpus.py` after a format has changed, and commit what it writes.
"""

from __future__ import annotations

import dataclasses
import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper, numpy_helper

from genrekit.artifact import onnx_file, tflite_file
from genrekit.artifact.card import Card
from genrekit.artifact.container import read_artifact
from genrekit.artifact.packaged import choose_model
from genrekit.audio.wav import GUID_TAIL
from genrekit.features.config import FeatureConfig
from genrekit.library.result_rows import CsvRows, JsonRows, RowFormat, flat_columns

CORPUS = Path(__file__).parent / "corpus"
LABELS = ("jazz", "rock", "folk")
RNG = np.random.default_rng(0)


def main() -> None:
    """Write every seed."""
    card = _card()
    seeds: dict[str, Iterator[tuple[str, bytes]]] = {
        "wav": _wavs(),
        "au": _aus(),
        "card": iter([("default.json", card.sealed(b"").to_json().encode())]),
        "config": _configs(),
        "onnx_engine": _onnx_models(),
        "tflite_engine": _tflite_models(),
        "jsonl_rows": iter([("two.jsonl", _rows(JsonRows()))]),
        "csv_rows": iter([("two.csv", _rows(CsvRows(flat_columns(("jazz", "rock")))))]),
    }
    for target, files in seeds.items():
        for name, content in files:
            _write(target, name, content)
    model = (CORPUS / "onnx_engine" / "gemm.onnx").read_bytes()
    _write("onnx_card", "gemm.onnx", onnx_file.join(model, card.sealed(model).to_json().encode()))
    model = (CORPUS / "tflite_engine" / "float.tflite").read_bytes()
    text = card.sealed(model).to_json().encode()
    _write("tflite_card", "float.tflite", tflite_file.join(model, text, card.labels))


def _write(target: str, name: str, content: bytes) -> None:
    path = CORPUS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _card() -> Card:
    """Shorten the default model's card: the fuzzer works best on small files."""
    card = read_artifact(choose_model("tiny")).card
    probes = tuple(
        dataclasses.replace(probe, index=probe.index[:2], value=probe.value[:2])
        for probe in card.reference.probes
    )
    return dataclasses.replace(
        card,
        labels=LABELS,
        intended_use="",
        limits="",
        reference=dataclasses.replace(
            card.reference, probes=probes, logits=card.reference.logits[: len(LABELS)]
        ),
    )


def _configs() -> Iterator[tuple[str, bytes]]:
    yield "default.json", FeatureConfig().to_json().encode()
    yield "live.json", FeatureConfig(top_db=None, padding="reflect", n_mels=64).to_json().encode()


def _wavs() -> Iterator[tuple[str, bytes]]:
    sound = RNG.uniform(-1, 1, (12, 2))
    for container, subtype in (
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_16"),
        ("WAVEX", "PCM_24"),
        ("RF64", "PCM_32"),
        ("WAV", "FLOAT"),
        ("WAV", "DOUBLE"),
        ("WAV", "ULAW"),
    ):
        yield f"{container}_{subtype}.wav", _sound(sound, container, subtype)
    body = struct.pack("<HHIIHHHHIH", 0xFFFE, 1, 22_050, 44_100, 2, 16, 22, 16, 4, 1) + GUID_TAIL
    fmt = struct.pack("<4sI", b"fmt ", len(body)) + body
    chunks = b"JUNK\x03\0\0\0abc\0" + fmt + b"data\xff\xff\xff\xff" + bytes(range(10))
    yield "stream.wav", b"RIFF\xff\xff\xff\xffWAVE" + chunks


def _aus() -> Iterator[tuple[str, bytes]]:
    sound = RNG.uniform(-1, 1, (12, 2))
    for subtype in ("PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"):
        yield f"{subtype}.au", _sound(sound, "AU", subtype)


def _sound(sound: np.ndarray, container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, 22_050, subtype, format=container)
    return file.getvalue()


def _rows(rows: RowFormat) -> bytes:
    done = {"file": 'a "b".wav', "label": "jazz", "probability": 0.5, "model": "model.onnx"}
    return rows.head + rows.encode(done) + rows.encode({"file": "c.wav", "error": "empty"})


def _onnx_models() -> Iterator[tuple[str, bytes]]:
    """One small model for each family of layers that the NumPy engine builds."""
    node = helper.make_node
    head = [node("Gemm", ["v", "w", "b"], ["y"], transB=1)]
    dense = {"w": _real(3, 4), "b": _real(3)}
    yield "gemm.onnx", _onnx([node("Gemm", ["x", "w", "b"], ["y"], transB=1)], (4,), dense)
    yield (
        "image.onnx",
        _onnx(
            [
                node("Conv", ["x", "k"], ["c"], pads=[1, 1, 1, 1], strides=[2, 1]),
                node("BatchNormalization", ["c", "s", "s", "s", "s"], ["n"]),
                node("Relu", ["n"], ["r"]),
                node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
                node("HardSwish", ["p"], ["h"]),
                node("GlobalAveragePool", ["h"], ["g"]),
                node("Flatten", ["g"], ["v"]),
                *head,
            ],
            (1, 6, 5),
            {**dense, "k": _real(4, 1, 3, 3), "s": np.full(4, 0.5, np.float32)},
        ),
    )
    yield (
        "series.onnx",
        _onnx(
            [
                node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
                node("Conv", ["t", "k"], ["c"], group=2, dilations=[2]),
                node("AveragePool", ["c"], ["a"], kernel_shape=[2]),
                node("Sigmoid", ["a"], ["g"]),
                node("Mul", ["a", "g"], ["m"]),
                node("Concat", ["m", "a"], ["j"], axis=1),
                node("ReduceMean", ["j", "axes"], ["v"], keepdims=0),
                *head,
                node("Softmax", ["y"], ["z"], axis=-1),
            ],
            (9, 2),
            {**dense, "k": _real(2, 1, 3), "axes": np.array([2])},
            output="z",
        ),
    )
    yield (
        "int8.onnx",
        _onnx(
            [
                node("QuantizeLinear", ["x", "s", "u"], ["q"]),
                node("DequantizeLinear", ["q", "s", "u"], ["d"]),
                node("DequantizeLinear", ["w8", "ws", "wz"], ["wd"], axis=0),
                node("Gemm", ["d", "wd"], ["y"], transB=1),
            ],
            (4,),
            {
                "s": np.float32(0.02),
                "u": np.uint8(128),
                "w8": RNG.integers(-64, 64, (3, 4), np.int8),
                "ws": np.array([0.01, 0.02, 0.03], np.float32),
                "wz": np.zeros(3, np.int8),
            },
        ),
    )
    yield (
        "shape.onnx",
        _onnx(
            [
                node("Shape", ["x"], ["n"], end=1),
                node("Constant", [], ["minus"], value_ints=[-1]),
                node("Concat", ["n", "minus"], ["sizes"], axis=0),
                node("Reshape", ["x", "sizes"], ["r"]),
                node("Unsqueeze", ["r", "one"], ["e"]),
                node("Clip", ["e", "low"], ["c"]),
                node("Squeeze", ["c", "one"], ["v"]),
                *head,
            ],
            (2, 2),
            {**dense, "one": np.array([1]), "low": np.float32(0.0)},
        ),
    )


def _real(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def _onnx(
    nodes: list[onnx.NodeProto],
    shape: tuple[int, ...],
    tensors: dict[str, np.ndarray],
    output: str = "y",
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "seed",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _tflite_models() -> Iterator[tuple[str, bytes]]:
    """Small perceptrons, as TensorFlow's converter writes each form that the kit exports."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf
    import tf_keras

    forms = {
        "float": [],
        "sparse": ["EXPERIMENTAL_SPARSITY"],
        "dynamic": ["DEFAULT"],
        "int8": ["DEFAULT"],
    }
    for form, optimizations in forms.items():
        tf_keras.utils.set_random_seed(0)
        width = 40 if form == "dynamic" else 8  # smaller layers are left in float32
        model = tf_keras.Sequential(
            [
                tf_keras.Input((4,), name="x"),
                tf_keras.layers.Dense(width, activation="relu"),
                tf_keras.layers.Dense(32 if form == "dynamic" else 3),
            ]
        )
        if form == "sparse":
            kernel, bias = model.layers[0].get_weights()
            kernel[:, ::2] = 0.0
            kernel[0] = 0.0
            model.layers[0].set_weights([kernel, bias])
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [getattr(tf.lite.Optimize, name) for name in optimizations]
        if form == "int8":
            converter.representative_dataset = lambda: ([_real(1, 4)] for _ in range(50))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        yield f"{form}.tflite", bytes(converter.convert())


if __name__ == "__main__":
    main()
