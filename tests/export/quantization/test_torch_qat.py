"""Quantization-aware training: the file computes what the trained network computed."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from genrekit.export.quantization.integer_fusion import count_fusions
from genrekit.export.quantization.torch_qat import (
    WEIGHT_BITS,
    export_quantized,
    learned_scales,
    make_quantized,
)
from genrekit.train.models.neural.band_cnn import BandResNet

from ..networks import IMAGE, random_windows

CONVOLUTIONS = 7


def small_network() -> BandResNet:
    model = BandResNet(*IMAGE.shape[1:], 10, widths=(8, 12, 16)).train()
    with torch.no_grad():  # statistics as training leaves them
        for _ in range(10):
            model(torch.randn(8, *IMAGE.shape))
    return model.eval()


@pytest.fixture(scope="module")
def trained() -> tuple[torch.nn.Module, torch.nn.Module, list[float]]:
    """The float network, the quantized one after some steps, and its scales before them."""
    torch.manual_seed(0)
    model = small_network()
    network = make_quantized(model, random_windows(32, IMAGE.shape, seed=1))
    before = list(learned_scales(export_quantized(copy.deepcopy(network), IMAGE)))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02)
    windows = torch.from_numpy(random_windows(16, IMAGE.shape, seed=2))
    network.train()
    for _ in range(6):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(windows), torch.arange(16) % 10).backward()
        optimizer.step()
    return model, network.eval(), before


def run(graph: bytes, windows: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {IMAGE.name: windows})[0])


def test_the_file_gives_the_logits_of_the_trained_network(
    trained: tuple[torch.nn.Module, torch.nn.Module, list[float]],
) -> None:
    _, network, _ = trained
    windows = random_windows(16, IMAGE.shape, seed=3)
    with torch.no_grad():
        expected = network(torch.from_numpy(windows)).numpy()
    logits = run(export_quantized(network, IMAGE), windows)
    # Rounding of ties may move single values by one step of a few thousandths.
    assert np.abs(logits - expected).max() < 0.05 * np.abs(expected).max()
    assert np.abs(logits - expected).mean() < 0.005 * np.abs(expected).max()


def test_training_moves_the_scales_that_the_file_gets(
    trained: tuple[torch.nn.Module, torch.nn.Module, list[float]],
) -> None:
    _, network, before = trained
    after = learned_scales(export_quantized(network, IMAGE))
    assert len(after) == len(before) > 8
    assert not np.allclose(after, before, rtol=1e-4)


def test_every_convolution_becomes_integer(
    trained: tuple[torch.nn.Module, torch.nn.Module, list[float]],
) -> None:
    fusion = count_fusions(export_quantized(trained[1], IMAGE))
    assert (fusion.convolutions, fusion.fused_convolutions) == (CONVOLUTIONS,) * 2


def test_weights_have_seven_bits_and_nothing_clips(
    trained: tuple[torch.nn.Module, torch.nn.Module, list[float]],
) -> None:
    graph = onnx.load_from_string(export_quantized(trained[1], IMAGE)).graph
    assert "Clip" not in {node.op_type for node in graph.node}
    weights = [numpy_helper.to_array(item) for item in graph.initializer if len(item.dims) > 1]
    assert len(weights) == CONVOLUTIONS + 1
    for weight in weights:
        assert weight.dtype == np.int8
        assert np.abs(weight.astype(int)).max() < 1 << (WEIGHT_BITS - 1)


def test_quantizing_leaves_the_float_network_alone(
    trained: tuple[torch.nn.Module, torch.nn.Module, list[float]],
) -> None:
    torch.manual_seed(0)
    fresh = small_network().state_dict()
    for name, value in trained[0].state_dict().items():
        torch.testing.assert_close(value, fresh[name])
