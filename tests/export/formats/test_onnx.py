"""ONNX export: the graph gives what torch gives."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from genrekit.artifact.sections import InputSpec, Normalisation
from genrekit.errors import EngineError
from genrekit.export.formats.onnx import export_onnx

from ..networks import IMAGE, NarrowResNet, random_windows

SERIES = InputSpec(
    name="mfcc",
    feature="mfcc",
    layout="frame_band",
    shape=(40, 13),
    dtype="float32",
    normalisation=Normalisation(kind="none"),
)


class Recurrent(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(13, 24, batch_first=True)
        self.head = torch.nn.Linear(24, 10)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        _, (last, _) = self.lstm(series)
        return self.head(last[-1])


class Multimodal(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image, self.series = NarrowResNet(), Recurrent()
        self.head = torch.nn.Linear(20, 10)

    def forward(self, image: torch.Tensor, series: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([self.image(image), self.series(series)], dim=1))


@pytest.mark.parametrize(
    ("build", "inputs"),
    [(NarrowResNet, [IMAGE]), (Recurrent, [SERIES]), (Multimodal, [IMAGE, SERIES])],
)
@pytest.mark.parametrize("windows", [1, 3])
def test_graph_equals_torch(
    build: type[torch.nn.Module], inputs: list[InputSpec], windows: int
) -> None:
    torch.manual_seed(0)
    model = build().eval()
    tensors = [random_windows(windows, spec.shape) for spec in inputs]
    with torch.inference_mode():
        expected = model(*(torch.from_numpy(tensor) for tensor in tensors)).numpy()
    session = onnxruntime.InferenceSession(
        export_onnx(model, inputs), providers=["CPUExecutionProvider"]
    )
    names = [spec.name for spec in inputs]
    (logits,) = session.run(["logits"], dict(zip(names, tensors, strict=True)))
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_weights_are_inside_and_the_batch_is_open() -> None:
    graph = onnx.load_from_string(export_onnx(NarrowResNet(), [IMAGE]))
    assert not any(item.external_data for item in graph.graph.initializer)
    assert [(item.domain, item.version >= 17) for item in graph.opset_import] == [("", True)]
    shape = graph.graph.input[0].type.tensor_type.shape.dim
    assert shape[0].dim_param == "windows"
    assert tuple(axis.dim_value for axis in shape[1:]) == IMAGE.shape


def test_batch_normalisation_is_folded_into_convolutions() -> None:
    graph = onnx.load_from_string(export_onnx(NarrowResNet(), [IMAGE]))
    assert "BatchNormalization" not in {node.op_type for node in graph.graph.node}


def test_exporting_twice_gives_the_same_bytes() -> None:
    model = NarrowResNet()
    assert export_onnx(model, [IMAGE]) == export_onnx(model, [IMAGE])


def test_nothing_of_this_machine_is_in_the_file() -> None:
    assert b".py" not in export_onnx(NarrowResNet(), [IMAGE])


def test_a_model_that_cannot_be_traced_is_one_error() -> None:
    class Undecided(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return image if float(image.sum()) > 0.0 else -image

    with pytest.raises(EngineError, match="cannot export"):
        export_onnx(Undecided(), [IMAGE])
