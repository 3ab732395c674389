"""Make the vectors that Python and the Android core must both compute.

`python tests/golden/regenerate.py` writes them beside itself:

song.wav       0.75 s of 16-bit stereo at 44 100 Hz
vectors.json   for each array: shape, place in vectors.bin, and the tolerance that holds
               everywhere: |a - b| <= atol + rtol * |b|
vectors.bin    the arrays, float32, little-endian, one after another
tiny.onnx      a linear model over log-mel bands, with its card
tiny.tflite    a linear model over the 57-vector, with its card
hostile.json   files that must be refused, and the beginning of the message

`tests/runtime/test_golden.py` and `android_demo/core/src/test` read them. Needs the extras
`onnx`, `export` and `train`.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from genrekit.arrays import Float32
from genrekit.artifact.card import SCHEMA_VERSION, Card, parse_card
from genrekit.artifact.container import Artifact, read_artifact, write_artifact
from genrekit.artifact.sections import (
    Compression,
    InputSpec,
    Normalisation,
    Reference,
    Training,
    Windowing,
)
from genrekit.audio.decoding import load_audio
from genrekit.audio.resampling import resample
from genrekit.classify.reference import (
    SIGNAL,
    measure_reference,
    reference_inputs,
    reference_signal,
)
from genrekit.classify.streams import CardStream
from genrekit.engines.registry import load_engine
from genrekit.errors import GenreKitError
from genrekit.features.config import FeatureConfig
from genrekit.features.kinds import extract
from genrekit.features.stft import power_spectrogram
from genrekit.features.tabular import FEATURE_NAMES
from genrekit.files import write_whole
from genrekit.strict_json import canonical_json

FOLDER = Path(__file__).parent
SONG, INDEX, DATA, HOSTILE = "song.wav", "vectors.json", "vectors.bin", "hostile.json"
ONNX, TFLITE = "tiny.onnx", "tiny.tflite"
LABELS = ("blues", "jazz", "metal", "pop")

# Rates by a small fraction, by one that is interpolated in phase, upwards and downwards.
RATES = ((44_100, 22_050), (48_000, 22_050), (47_999, 22_050), (8_000, 22_050), (16_000, 48_000))

CONFIGS = {
    "zero": FeatureConfig(n_mels=64, n_mfcc=20, top_db=None),
    "reflect": FeatureConfig(padding="reflect", n_mfcc=13, f_min_hz=30.0, f_max_hz=8_000.0),
    # 500 = 2 * 2 * 5 * 5 * 5: no power of two.
    "none": FeatureConfig(n_fft=1_000, hop_length=300, padding="none", n_mels=40, top_db=None),
}
KINDS = ("log_mel", "mfcc", "mel_of_db", "log_power")


@dataclasses.dataclass(frozen=True, slots=True)
class Vector:
    """An array and how closely it must be met; shape (rows, columns) or (n,)."""

    values: Float32
    atol: float
    rtol: float = 0.0


def make_song() -> bytes:
    """Return the bytes of song.wav: the reference signal, and its mirror image more softly."""
    mono = reference_signal(33_075, 44_100)
    stereo = np.stack((mono, 0.5 * mono[::-1]), axis=1)
    samples = np.round(stereo * 32_767.0).astype("<i2").tobytes()
    header = struct.pack("<4sI4s", b"RIFF", 36 + len(samples), b"WAVE")
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 44_100, 176_400, 4, 16)
    return header + layout + struct.pack("<4sI", b"data", len(samples)) + samples


def vectors(folder: Path) -> Iterator[tuple[str, Vector]]:
    """Yield every array by name, computed now from the song and the models in `folder`."""
    yield "signal", Vector(reference_signal(4_096, 22_050), atol=1e-6)
    yield "song", Vector(load_audio(folder / SONG).samples[:4_096], atol=1e-7)
    samples = load_audio(folder / SONG, 22_050).samples
    yield "resampled", Vector(samples, atol=2e-6)
    for rate_in, rate_out in RATES:
        converted = resample(reference_signal(2_000, rate_in), rate_in, rate_out)
        yield f"resample_{rate_in}_{rate_out}", Vector(converted, atol=5e-6)
    for name, config in CONFIGS.items():
        power = power_spectrogram(samples, config)
        yield f"{name}.power", Vector(power[::16], atol=1e-6 * float(power.max()), rtol=1e-4)
        for kind in KINDS:
            values = extract(kind, samples, config)
            # Bins 130 dB below the frame's maximum hang on the rounding of float32 transforms.
            atol = 1.0 if kind == "log_power" else 2e-3
            yield f"{name}.{kind}", Vector(values[::16], atol=atol)
    yield "tabular", Vector(extract("tabular", samples, FeatureConfig()), atol=1e-4, rtol=1e-3)
    yield from _model_vectors(folder / ONNX, samples)
    card = read_artifact(folder / TFLITE).card
    yield "tflite.tensor", Vector(reference_inputs(card)["features"].ravel(), atol=2e-3)


def _model_vectors(path: Path, samples: Float32) -> Iterator[tuple[str, Vector]]:
    artifact = read_artifact(path)
    stream = CardStream(artifact.card)
    windows = stream.push(samples) + stream.flush()
    tensors = np.stack([window["features"] for window in windows])
    logits = load_engine(artifact).run({"features": tensors})
    yield "onnx.tensors", Vector(tensors.reshape(len(windows), -1), atol=1e-3)
    yield "onnx.logits", Vector(logits, atol=1e-3)


def make_card(config: FeatureConfig, spec: InputSpec, windowing: Windowing) -> Card:
    """Return a card that says what these models are; its reference is still to be measured."""
    return Card(
        schema=SCHEMA_VERSION,
        name="tiny",
        task="single-label-classification",
        labels=LABELS,
        features=config,
        inputs=(spec,),
        output="logits",
        windowing=windowing,
        aggregation="mean-probability",
        training=Training(
            architecture="linear, random weights",
            data="none",
            synthetic=True,
            split="none",
            seed=0,
            accuracy=(),
        ),
        compression=Compression(steps=(), source_bytes=0, label_agreement=None, agreement_n=0),
        licence="Apache-2.0",
        intended_use="Comparing implementations; knows nothing about music – keine Ahnung.",
        limits="Its labels are random.",
        reference=Reference(
            signal=SIGNAL, probes=(), logits=(0.0,) * len(LABELS), logit_tolerance=1e-3
        ),
        model_sha256="",
        card_sha256="",
    )


def make_onnx(path: Path) -> None:
    """Write a linear model over 22 frames of 32 mel bands."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(7)
    weights = random.normal(0.0, 0.02, (704, len(LABELS))).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["features"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 1, 32, 22])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(LABELS)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="genrekit"
    )
    onnx.checker.check_model(model)
    spec = InputSpec(
        name="features",
        feature="log_mel",
        layout="channel_band_frame",
        shape=(1, 32, 22),
        dtype="float32",
        normalisation=Normalisation(
            kind="fixed",
            mean=tuple(float(-30.0 + 0.5 * band) for band in range(32)),
            std=tuple(float(12.0 + 0.1 * band) for band in range(32)),
        ),
    )
    card = make_card(
        FeatureConfig(n_mels=32, top_db=None),
        spec,
        Windowing(window_s=0.5, hop_s=0.1, short="wrap"),
    )
    _write_model(path, model.SerializeToString(), card)


def make_tflite(path: Path) -> None:
    """Write a linear model over the 57-vector, normalised roughly."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    random = np.random.default_rng(8)
    weights = tf.constant(random.normal(0.0, 0.1, (57, len(LABELS))).astype(np.float32))
    signature = tf.TensorSpec([1, 57], tf.float32, name="features")
    function = tf.function(
        lambda features: tf.identity(features @ weights, name="logits"), input_signature=[signature]
    )
    concrete = function.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    model = converter.convert()
    window = reference_signal(66_149, 22_050)
    values = extract("tabular", window, FeatureConfig())
    names = _tensor_names(model)
    spec = InputSpec(
        name=names[0],
        feature="tabular",
        layout="vector",
        shape=(len(FEATURE_NAMES),),
        dtype="float32",
        normalisation=Normalisation(
            kind="fixed",
            mean=tuple(float(value) for value in values * np.float32(0.9)),
            std=tuple(float(value) for value in np.abs(values) * np.float32(0.5) + 1e-2),
        ),
    )
    card = make_card(
        FeatureConfig(padding="reflect"),
        spec,
        Windowing(window_s=66_149 / 22_050, hop_s=2.0, short="wrap"),
    )
    _write_model(path, model, dataclasses.replace(card, output=names[1]))


def _tensor_names(model: bytes) -> tuple[str, str]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    return interpreter.get_input_details()[0]["name"], interpreter.get_output_details()[0]["name"]


def _write_model(path: Path, model: bytes, card: Card) -> None:
    """Measure the reference with the model's own engine, then write it whole."""
    unmeasured: Artifact = write_artifact(path, model, card)
    reference = measure_reference(card, load_engine(unmeasured), logit_tolerance=1e-2)
    write_artifact(path, model, dataclasses.replace(card, reference=reference))


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """Bytes that are no card, model or song, for a reason of which the message tells.

    `kind` is "card", "model" or "song".
    """

    name: str
    kind: str
    data: bytes


def hostile(folder: Path) -> Iterator[Refused]:
    """Yield files that must be refused."""
    yield from _hostile_cards(folder)
    yield from _hostile_models(folder)
    yield from _hostile_songs(folder)


def _hostile_cards(folder: Path) -> Iterator[Refused]:
    card = json.loads(read_artifact(folder / ONNX).card.to_json())
    for member in ("index", "value"):  # a short card is as good
        del card["reference"]["probes"][0][member][2:]

    def sealed(name: str, change: Callable[[dict[str, Any]], object]) -> Refused:
        document = copy.deepcopy(card)
        change(document)
        document.pop("card_sha256", None)
        digest = hashlib.sha256(canonical_json(document).encode()).hexdigest()
        document["card_sha256"] = digest
        return Refused(name, "card", canonical_json(document).encode())

    def put(*path: str | int) -> Callable[[Any], Callable[[dict[str, Any]], object]]:
        def change_to(value: Any) -> Callable[[dict[str, Any]], object]:
            def change(document: dict[str, Any]) -> None:
                target: Any = document
                for key in path[:-1]:
                    target = target[key]
                target[path[-1]] = value

            return change

        return change_to

    text = canonical_json(card).encode()
    yield Refused("empty", "card", b"")
    yield Refused("not JSON", "card", b"{")
    yield Refused("not UTF-8", "card", b'{"schema": "\xff"}')
    yield Refused("a list", "card", b"[]")
    yield Refused("no schema", "card", b"{}")
    yield Refused("NaN", "card", b'{"schema":NaN}')
    yield Refused("infinity", "card", b'{"schema":-Infinity}')
    yield Refused("a key twice", "card", b'{"schema":1,"schema":1}')
    yield Refused("bottomless", "card", b"[" * 100_000)
    yield Refused("too large", "card", b" " * ((1 << 20) + 1))
    yield Refused("flipped label", "card", text.replace(b"metal", b"medal"))
    yield Refused("no digest", "card", b'{"schema":1}')
    yield sealed("newer schema", put("schema")(9))
    yield sealed("boolean schema", put("schema")(True))
    yield sealed("unknown key", put("more")(1))
    yield sealed("missing key", lambda document: document.pop("licence"))
    yield sealed("unknown feature key", put("features", "n_bands")(3))
    yield sealed("text for a number", put("features", "n_fft")("2048"))
    yield sealed("fraction for an integer", put("features", "n_fft")(2048.0))
    yield sealed("boolean for a number", put("features", "amin")(True))
    yield sealed("odd n_fft", put("features", "n_fft")(2047))
    yield sealed("tiny amin", put("features", "amin")(0.0))
    yield sealed("band above Nyquist", put("features", "f_max_hz")(11_026.5))
    yield sealed("bands upside down", put("features", "f_min_hz")(12_000.0))
    yield sealed("unknown padding", put("features", "padding")("edge"))
    yield sealed("one label", put("labels")(["jazz"]))
    yield sealed("a label twice", put("labels")(["a", "b", "c", "a"]))
    yield sealed("labels no list", put("labels")("jazz"))
    yield sealed("no input", put("inputs")([]))
    yield sealed("wrong axes", put("inputs", 0, "shape")([32, 22]))
    yield sealed("huge input", put("inputs", 0, "shape")([1, 1 << 20, 1 << 20]))
    yield sealed("three channels", put("inputs", 0, "shape")([3, 32, 22]))
    yield sealed("means of another size", put("inputs", 0, "shape")([1, 31, 22]))
    yield sealed("deviation of zero", put("inputs", 0, "normalisation", "std")([0.0] * 32))
    yield sealed("no deviations", put("inputs", 0, "normalisation", "std")([]))
    yield sealed("unknown dtype", put("inputs", 0, "dtype")("float16"))
    yield sealed("window of a year", put("windowing", "window_s")(31_536_000.0))
    yield sealed("hop beyond the window", put("windowing", "hop_s")(1e16))
    yield sealed("unknown aggregation", put("aggregation")("vote"))
    yield sealed("too few logits", put("reference", "logits")([1.0]))
    yield sealed("no tolerance", put("reference", "logit_tolerance")(0))
    yield sealed("probe without values", put("reference", "probes", 0, "value")([]))
    yield sealed("accuracy for nobody", put("training", "accuracy")([_accuracy(n=0)]))
    yield sealed("accuracy outside", put("training", "accuracy")([_accuracy(accuracy=1e-05)]))


def _accuracy(**changed: Any) -> dict[str, Any]:
    return {"split": "test", "n": 10, "accuracy": 0.5, "ci95": [0.25, 0.75]} | changed


def _hostile_models(folder: Path) -> Iterator[Refused]:
    onnx, tflite = (folder / ONNX).read_bytes(), (folder / TFLITE).read_bytes()
    yield Refused("empty model", "model", b"")
    yield Refused("text", "model", b"not a model at all")
    yield Refused("cut off onnx", "model", onnx[: len(onnx) // 2])
    yield Refused("onnx without a card", "model", read_artifact(folder / ONNX).model)
    yield Refused("two cards", "model", onnx + onnx[len(read_artifact(folder / ONNX).model) :])
    weight = len(onnx) // 4
    yield Refused(
        "flipped weight", "model", onnx[:weight] + bytes([onnx[weight] ^ 1]) + onnx[weight + 1 :]
    )
    yield Refused("endless number", "model", b"\x08" + b"\xff" * 11)
    yield Refused("number cut off", "model", b"\x08\xff")
    yield Refused("field 0", "model", b"\x00\x00")
    yield Refused("unknown wire type", "model", b"\x0b")
    yield Refused("promises too much", "model", b"\x3a\xff\xff\xff\xff\x0f")
    yield Refused("fixed cut off", "model", b"\x0d\x00")
    yield Refused("metadata is a number", "model", b"\x70\x01")
    yield Refused("tflite without a card", "model", read_artifact(folder / TFLITE).model)
    yield Refused("cut off tflite", "model", tflite[:-1])
    flipped = tflite.index(b"genrekit.json") + 40
    yield Refused(
        "corrupt archive",
        "model",
        tflite[:flipped] + bytes([tflite[flipped] ^ 255]) + tflite[flipped + 1 :],
    )


def _hostile_songs(folder: Path) -> Iterator[Refused]:
    song = (folder / SONG).read_bytes()[:2_000]

    def patched(name: str, at: int, code: str, *values: int) -> Refused:
        data = bytearray(song)
        struct.pack_into(code, data, at, *values)
        return Refused(name, "song", bytes(data))

    yield Refused("empty song", "song", b"")
    yield Refused("header only", "song", song[:12])
    yield Refused("cut off in fmt", "song", song[:30])
    yield Refused("no data chunk", "song", song[:36])
    yield Refused("data before fmt", "song", song[:12] + song[36:])
    yield Refused("short fmt", "song", song[:16] + b"\x0e\0\0\0" + song[20:34] + song[36:])
    yield Refused("many chunks", "song", song[:12] + b"junk\0\0\0\0" * 1_001)
    yield patched("no channels", 22, "<HIIH", 0, 44_100, 0, 0)
    yield patched("257 channels", 22, "<HIIH", 257, 44_100, 0, 514)
    yield patched("slow", 24, "<I", 7_999)
    yield patched("fast", 24, "<I", 192_001)
    yield patched("33 bits", 34, "<H", 33)
    yield patched("16-bit float", 20, "<H", 3)
    yield patched("block align", 32, "<H", 3)
    floats = bytearray(song)
    struct.pack_into("<HHIIHH", floats, 20, 3, 1, 44_100, 176_400, 4, 32)
    for name, value in (("NaN", np.nan), ("infinity", -np.inf), ("absurd", 1e30)):
        struct.pack_into("<3f", floats, 44, 0.5, value, 0.5)
        yield Refused(f"{name} sample", "song", bytes(floats))


def refusal(case: Refused) -> tuple[str, str]:
    """Return the class and the message of the error that the runtime raises for `case`."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "file"
        path.write_bytes(case.data)
        try:
            if case.kind == "card":
                parse_card(case.data)
            elif case.kind == "model":
                read_artifact(path)
            else:
                load_audio(path)
        except GenreKitError as error:
            return type(error).__name__, str(error).removeprefix(f"{path}: ")
    raise AssertionError(f"{case.name} was not refused")


# Behind these the two implementations say it in their own words.
_OWN_WORDS = ("not JSON:", "is unknown;", "archive is corrupt:")


def _common_part(message: str) -> str:
    for words in _OWN_WORDS:
        head, found, _ = message.partition(words)
        if found:
            return head + words
    return message


def main() -> None:
    """Write everything."""
    write_whole(FOLDER / SONG, make_song())
    make_onnx(FOLDER / ONNX)
    make_tflite(FOLDER / TFLITE)
    index: dict[str, Any] = {}
    data = bytearray()
    for name, vector in vectors(FOLDER):
        index[name] = {
            "shape": list(vector.values.shape),
            "offset": len(data),
            "atol": vector.atol,
            "rtol": vector.rtol,
        }
        data += np.asarray(vector.values, "<f4").tobytes()
    write_whole(FOLDER / DATA, bytes(data))
    write_whole(FOLDER / INDEX, json.dumps(index, indent=1) + "\n")
    refused = []
    for case in hostile(FOLDER):
        error, message = refusal(case)
        refused.append(
            {
                "name": case.name,
                "kind": case.kind,
                # Large files of one repeated byte are told, not stored.
                **_stored(case.data),
                "error": error,
                "message": _common_part(message),
            }
        )
    write_whole(FOLDER / HOSTILE, json.dumps(refused, indent=1) + "\n")


def _stored(data: bytes) -> dict[str, Any]:
    if len(data) > 50_000 and len(set(data)) == 1:
        return {"byte": data[0], "count": len(data)}
    return {"base64": base64.b64encode(data).decode()}


if __name__ == "__main__":
    main()
