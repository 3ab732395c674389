"""Models, inputs and logits against which the JVM tests hold the core's own engine.

`python engine_cases.py --out FOLDER` writes the networks that the Python tests of the NumPy engine
use, and a discriminant of textures, each under a card; and `cases.json`: what ONNX Runtime or
LiteRT computes from random windows.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from genrekit.arrays import Float32
from genrekit.artifact.container import read_artifact
from genrekit.artifact.sections import Normalisation
from genrekit.engines.graphs.tflite.graph import read_tflite_graph
from genrekit.engines.registry import load_engine
from genrekit.export.formats.onnx import export_onnx
from genrekit.export.quantization.static import quantize
from genrekit.files import write_whole
from genrekit.train.models.classical.linear_discriminant import texture_discriminant

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

from tests.runtime.engines.example_models import (  # noqa: E402 - found through the line above
    CLASSES,
    IMAGE,
    as_artifact,
    float_onnx,
    int8_onnx,
    tflite_mlp,
    windows,
)

CARD = read_artifact(CHECKOUT / "tests" / "golden" / "tiny.onnx").card
# Largest difference, as a share of the logits' range. Where activations are quantised, a sum may
# fall on the other side of a level, which is one step of it.
TOLERANCES = {
    "float": 1e-5,
    "int8": 0.02,
    "texture": 1e-4,
    "texture int8": 0.02,
    "mlp float": 1e-6,
    "mlp softmax": 1e-5,
    "mlp sparse": 1e-6,
    "mlp dynamic": 1e-2,
    "mlp int8": 1e-2,
}
COUNT = 20  # windows
TEXTURE_IMAGE = (1, 96, 57)


def texture(*, quantized: bool) -> bytes:
    """Return a discriminant of textures, fitted to noise."""
    spec = dataclasses.replace(
        CARD.inputs[0], name="x", shape=TEXTURE_IMAGE, normalisation=Normalisation(kind="none")
    )
    noise = windows(20 * CLASSES, TEXTURE_IMAGE, 5)
    model = texture_discriminant((spec,), CLASSES)
    model.solve(noise, np.arange(len(noise)) % CLASSES)
    exported = export_onnx(model, (spec,))
    return quantize(exported, {"x": noise[:32]}) if quantized else exported


def case(name: str, folder: Path) -> dict[str, Any]:
    """Write one model and return what its engine gives."""
    inputs: Float32
    folder = folder.resolve() / name.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    if name.startswith("mlp "):
        model = tflite_mlp(name.removeprefix("mlp "))
        graph = read_tflite_graph(model)
        given, output = (graph.tensors[edges[0]].name for edges in (graph.inputs, graph.outputs))
        artifact = as_artifact(CARD, model, folder, given, (57,), output, CLASSES)
        inputs = windows(COUNT, (57,), 3)
    elif name.startswith("texture"):
        inputs = windows(COUNT, TEXTURE_IMAGE, 4)
        model = texture(quantized=name.endswith("int8"))
        artifact = as_artifact(CARD, model, folder, "x", TEXTURE_IMAGE, "logits", CLASSES)
    else:
        model = float_onnx() if name == "float" else int8_onnx()
        artifact = as_artifact(CARD, model, folder, "x", IMAGE, "logits", CLASSES)
        inputs = windows(COUNT, IMAGE, 2)
    (spec,) = artifact.card.inputs
    logits = load_engine(artifact).run({spec.name: inputs})
    return {
        "model": str(artifact.path),
        "inputs": inputs.reshape(COUNT, -1).tolist(),
        "logits": logits.tolist(),
        "tolerance": TOLERANCES[name] * float(np.ptp(logits)),
    }


def main() -> None:
    """Write every case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    cases = {name: case(name, args.out) for name in TOLERANCES}
    write_whole(args.out / "cases.json", json.dumps(cases))


if __name__ == "__main__":
    main()
