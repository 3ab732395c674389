"""Peer conversions: a training in the files of other packages, made once, as their users would.

`python -m genrekit.benchmarks.peers.conversions NAME RUN FP32.onnx TARGET` makes one; each in a
process of its own, since converters bring packages that do not bear one another.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genrekit.artifact.container import read_artifact

DYNAMIC, TFLITE, PTE = "dynamic_int8.onnx", "fp32.tflite", "xnnpack_fp32.pte"


def _dynamic(run: Path, fp32: Path, target: Path) -> None:
    """Quantize weights now and activations as they come, with ONNX Runtime's own tool."""
    del run
    quantization = importlib.import_module("onnxruntime.quantization")
    source = target.with_suffix(".source.onnx")
    source.write_bytes(read_artifact(fp32).model)
    quantization.quantize_dynamic(source, target)
    source.unlink()


def _tflite(run: Path, fp32: Path, target: Path) -> None:
    converter = importlib.import_module("litert_torch")
    network, example = _network(run, fp32)
    converter.convert(network, (example,)).export(str(target))


def _pte(run: Path, fp32: Path, target: Path) -> None:
    torch = importlib.import_module("torch")
    lowering = importlib.import_module("executorch.exir")
    xnnpack = importlib.import_module("executorch.backends.xnnpack.partition.xnnpack_partitioner")
    network, example = _network(run, fp32)
    program = torch.export.export(network, (example,))
    lowered = lowering.to_edge_transform_and_lower(
        program, partitioner=[xnnpack.XnnpackPartitioner()]
    )
    target.write_bytes(lowered.to_executorch().buffer)


def _network(run: Path, fp32: Path) -> tuple[Any, Any]:
    """Return the trained network and an input of its shape."""
    import torch

    from genrekit.train.runs.run import Run

    shape = read_artifact(fp32).card.inputs[0].shape
    return Run.load(run).load_model().eval(), torch.zeros(1, *shape)


CONVERSIONS: dict[str, Callable[[Path, Path, Path], None]] = {
    DYNAMIC: _dynamic,
    TFLITE: _tflite,
    PTE: _pte,
}


if __name__ == "__main__":
    CONVERSIONS[sys.argv[1]](*map(Path, sys.argv[2:]))
