"""SQNR: figures per layer, and the layer that is worst in fact is the one that is named."""

from __future__ import annotations

import numpy as np
import torch

from genrekit.export.formats.onnx import export_onnx
from genrekit.export.quantization.sqnr import layer_errors
from genrekit.export.quantization.static import quantize

from ..networks import IMAGE, NarrowResNet, random_windows


def test_every_layer_is_listed_and_a_spoilt_one_stands_out() -> None:
    torch.manual_seed(0)
    model = NarrowResNet()
    windows = {IMAGE.name: random_windows(8, IMAGE.shape)}
    graph = export_onnx(model, [IMAGE])
    healthy = layer_errors(graph, quantize(graph, windows), windows)
    assert len(healthy) == NarrowResNet.convolutions + 1
    assert all(15 < layer.sqnr_db < 60 for layer in healthy)
    with torch.no_grad():  # one huge weight in every channel leaves few steps for the others
        model.block2.conv1.weight[:, 0, 0, 0] = 30.0
    graph = export_onnx(model, [IMAGE])
    spoilt = layer_errors(graph, quantize(graph, windows), windows)
    drop = np.array([old.sqnr_db - new.sqnr_db for old, new in zip(healthy, spoilt, strict=True)])
    before = [layer.name for layer in spoilt].index(spoilt[int(drop.argmax())].name)
    assert drop[:3].max() < 1.0 < drop[before]
    assert all("conv" in layer.name.lower() or layer.operator == "Gemm" for layer in spoilt)


def test_leaving_every_layer_in_float_leaves_no_noise() -> None:
    windows = {IMAGE.name: random_windows(4, IMAGE.shape)}
    graph = export_onnx(NarrowResNet(), [IMAGE])
    names = [layer.name for layer in layer_errors(graph, quantize(graph, windows), windows)]
    partly = quantize(graph, windows, exclude=names[:1])
    kept = layer_errors(graph, partly, windows)
    whole = layer_errors(graph, quantize(graph, windows), windows)
    assert kept[0].sqnr_db > whole[0].sqnr_db + 3
