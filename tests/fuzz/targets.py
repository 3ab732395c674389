"""Fuzz targets: for each parser of hostile bytes in the runtime, one function that it survives.

A target may raise `GenreKitError` and nothing else. Where a parser succeeds, the target goes on
to what a user would do with the result, and checks what it promises.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import math
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from genrekit.artifact import onnx_file, tflite_file
from genrekit.artifact.card import Card, parse_card
from genrekit.artifact.container import Artifact, Format
from genrekit.artifact.sections import InputSpec, Layout, Normalisation, Reference
from genrekit.audio.au import is_au, read_au_layout
from genrekit.audio.pcm import PcmLayout, PcmReader
from genrekit.audio.wav import is_wav, read_wav_layout
from genrekit.classify.reference import SIGNAL
from genrekit.engines.graphs.onnx.graph import read_onnx_graph
from genrekit.engines.graphs.onnx.shapes import infer_shapes
from genrekit.engines.graphs.tflite.graph import read_tflite_graph
from genrekit.engines.numpy_engine.engine import NumpyEngine
from genrekit.errors import ArtifactError
from genrekit.features.config import FeatureConfig
from genrekit.library.result_files import ResultsFile
from genrekit.library.result_rows import CsvRows, JsonRows, RowFormat, flat_columns
from genrekit.strict_json import canonical_json, parse_json

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
REGRESSIONS = HERE / "regressions"

# A graph that is small enough is also run; what a large accepted one costs is the user's choice.
_RUN_ELEMENTS = 1 << 14
_BLOCK_FRAMES = 1 << 16

# In memory where that is possible: a target must not wait for a disk.
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
_SCRATCH = tempfile.TemporaryDirectory(dir=_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None)

Target: TypeAlias = Callable[[bytes], None]


def wav(data: bytes) -> None:
    """Read every sample of a WAV."""
    if is_wav(data[:12]):
        _read_samples(data, read_wav_layout(io.BytesIO(data)))


def au(data: bytes) -> None:
    """Read every sample of a .au."""
    if is_au(data[:12]):
        _read_samples(data, read_au_layout(io.BytesIO(data)))


def _read_samples(data: bytes, layout: PcmLayout | None) -> None:
    if layout is None:
        return
    if layout.data_offset + layout.frames * layout.frame_bytes > len(data):
        raise AssertionError(f"{layout} promises more than {len(data)} bytes hold")
    frames = 0
    with PcmReader(io.BytesIO(data), layout, "fuzz") as reader:
        while len(block := reader.read(_BLOCK_FRAMES)):
            frames += len(block)
            if not np.isfinite(block).all():
                raise AssertionError("a sample that is not finite")
    if frames != layout.frames:
        raise AssertionError(f"{frames} frames of {layout}")


def onnx_card(data: bytes) -> None:
    """Find the card in an .onnx file; the model that is left must have none."""
    model, text = onnx_file.split(data)
    if text is not None:
        if onnx_file.split(model)[1] is not None:
            raise AssertionError("a second card behind the first")
        card(text)


def tflite_card(data: bytes) -> None:
    """Find the card in a .tflite file."""
    model, text = tflite_file.split(data)
    if text is not None:
        if not data.startswith(model):
            raise AssertionError("the model is not the file's front")
        card(text)


def card(data: bytes) -> None:
    """Read a card under a correct hash, which a stranger can compute too; write it back."""
    document = parse_json(data, "card")
    if isinstance(document, dict):
        document["card_sha256"] = ""
        with contextlib.suppress(UnicodeError):  # lone surrogates: parse_card must refuse them
            document["card_sha256"] = _card_digest(document)
    found = parse_card(json.dumps(document).encode())
    if parse_card(found.to_json().encode()) != found:
        raise AssertionError("the card does not come back as it went")


def _card_digest(document: dict[str, Any]) -> str:
    unsigned = {key: value for key, value in document.items() if key != "card_sha256"}
    return hashlib.sha256(canonical_json(unsigned).encode("utf-8")).hexdigest()


def config(data: bytes) -> None:
    """Read a feature configuration and write it back."""
    found = FeatureConfig.from_json(data.decode("utf-8", "surrogateescape"))
    if FeatureConfig.from_json(found.to_json()) != found:
        raise AssertionError("the configuration does not come back as it went")


def jsonl_rows(data: bytes) -> None:
    """Continue a results file of JSON lines."""
    _continue_results(data, JsonRows())


def csv_rows(data: bytes) -> None:
    """Continue a results file of comma-separated values."""
    _continue_results(data, CsvRows(flat_columns(("jazz", "rock"))))


def _continue_results(data: bytes, rows: RowFormat) -> None:
    path = Path(_SCRATCH.name) / "results"
    path.write_bytes(data)
    with ResultsFile(path, rows, "model.onnx") as results:
        done = set(results.done)
        results.write({"file": "next.wav", "error": "none"})
    with ResultsFile(path, rows, "model.onnx") as results:
        if results.done != done | {"next.wav"}:
            raise AssertionError(f"{done} became {results.done}")


def onnx_engine(data: bytes) -> None:
    """Read, check and build an ONNX graph under a card that fits it; run it if it is small."""
    graph = read_onnx_graph(data)
    shapes = {
        name: tuple(size or 1 for size in (kind.shape or ())[1:])
        for name, kind in graph.inputs.items()
    }
    output, kind = next(iter(graph.outputs.items()), ("", None))
    sizes = (kind.shape if kind else None) or (None,)
    _run(data, "onnx", shapes, output, sizes[-1] or 2)


def tflite_engine(data: bytes) -> None:
    """Read, check and build a TFLite graph under a card that fits it; run it if it is small."""
    graph = read_tflite_graph(data)
    tensors = graph.tensors
    shapes = {tensors[index].name: tensors[index].shape[1:] for index in graph.inputs}
    if not graph.outputs or not tensors[graph.outputs[0]].shape:
        raise ArtifactError("no output with a shape")
    output = tensors[graph.outputs[0]]
    _run(data, "tflite", shapes, output.name, output.shape[-1])


def _run(
    model: bytes, kind: Format, shapes: dict[str, tuple[int, ...]], output: str, labels: int
) -> None:
    if labels > 1_000:
        raise ArtifactError(f"{labels} labels")
    artifact = Artifact(
        path=Path(f"fuzz.{kind}"),
        format=kind,
        model=model,
        card=_card(shapes, output, labels),
        size=len(model),
    )
    engine = NumpyEngine(artifact, 1)
    if _elements(artifact) > _RUN_ELEMENTS:
        return
    inputs = {name: np.ones((2, *shape), np.float32) for name, shape in shapes.items()}
    logits = engine.run(inputs)
    if logits.shape != (2, labels):
        raise AssertionError(f"logits {logits.shape}")


def _elements(artifact: Artifact) -> int:
    if artifact.format == "tflite":
        graph = read_tflite_graph(artifact.model)
        return _total(tensor.shape for tensor in graph.tensors)
    inputs = {item.name: (2, *item.shape) for item in artifact.card.inputs}
    return _total(infer_shapes(read_onnx_graph(artifact.model), inputs).values())


def _total(shapes: Iterable[tuple[int, ...]]) -> int:
    return sum(math.prod(shape) for shape in shapes)


def _card(shapes: dict[str, tuple[int, ...]], output: str, labels: int) -> Card:
    """Return a card for a model of these inputs and this output."""
    layouts: dict[int, Layout] = {1: "vector", 2: "frame_band", 3: "channel_band_frame"}
    if any(len(shape) not in layouts for shape in shapes.values()):
        raise ArtifactError("an input of a rank that no card has")
    specs = tuple(
        InputSpec(
            name=name,
            feature="log_mel",
            layout=layouts[len(shape)],
            shape=shape,
            dtype="float32",
            normalisation=Normalisation(kind="none"),
        )
        for name, shape in shapes.items()
    )
    return dataclasses.replace(
        _BASE,
        inputs=specs,
        output=output,
        labels=tuple(f"genre{number}" for number in range(labels)),
        reference=Reference(signal=SIGNAL, probes=(), logits=(0.0,) * labels, logit_tolerance=1.0),
    )


_BASE = parse_card((CORPUS / "card" / "default.json").read_bytes())

TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        wav,
        au,
        card,
        config,
        onnx_card,
        tflite_card,
        onnx_engine,
        tflite_engine,
        jsonl_rows,
        csv_rows,
    )
}
