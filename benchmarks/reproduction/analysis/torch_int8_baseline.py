"""torch's own static int8, as the report used it: a baseline for the ONNX export.

Eager mode: observers are put between the layers of torchvision's quantizable ResNet18, see
training windows, and are replaced by integer layers. The report measured batches of 8 pictures of
224 x 224 pixels.

References
----------
PyTorch, `torch.ao.quantization`: static quantization; torchvision, `models.quantization`.
"""

from __future__ import annotations

import io
import warnings
from functools import partial
from typing import Any

import torch

from genrekit.bench.paired import Ratio, time_rounds
from genrekit.errors import EngineError
from genrekit.export.writing.comparison import compare_models, torch_logits
from genrekit.train.runs.run import Run

from ..rows import Finding

BATCH, PIXELS = 8, 224  # timed so, as the report did, whatever the network was trained on
CALIBRATION_WINDOWS = 128
ROUNDS = 20
# The report's numbers: accuracy after, size and time before by those after.
REPORT_AFTER, REPORT_SMALLER, REPORT_FASTER = 0.7273, 3.93, 1.006


def torch_int8(run: Run) -> list[Finding]:
    """Quantize a trained ResNet18 and compare it with itself.

    Raises
    ------
    EngineError
        If this torch can no longer do it.
    """
    before = run.load_model()
    after = quantized_resnet18(
        before, torch.from_numpy(run.calibration_inputs(CALIBRATION_WINDOWS))
    )
    windowed = run.windowed(run.tracks("test"))
    names = [track.id for track in run.tracks("test")]
    proof = compare_models(torch_logits(before), torch_logits(after), windowed, names)
    windows = torch.from_numpy(run.calibration_inputs(BATCH))
    windows = torch.nn.functional.interpolate(windows, size=(PIXELS, PIXELS))
    with torch.inference_mode():
        seconds = time_rounds(
            {"before": partial(before, windows), "after": partial(after, windows)}, rounds=ROUNDS
        )
    faster = Ratio.of(seconds["before"], seconds["after"])
    return [
        Finding(
            metric="accuracy after torch's static int8",
            value=proof.after.value or 0.0,
            n=proof.after.n,
            ci95=proof.after.ci95,
            report_value=REPORT_AFTER,
            note=f"difference {100 * proof.tracks.difference:+.1f} points, in pairs "
            f"{100 * proof.tracks.ci95[0]:+.1f} to {100 * proof.tracks.ci95[1]:+.1f}",
        ),
        Finding(
            metric="torch's static int8: times smaller",
            value=_size(before) / _size(after),
            report_value=REPORT_SMALLER,
            note=f"{_size(before):,} to {_size(after):,} bytes of weights",
        ),
        Finding(
            metric="torch's static int8: times faster",
            value=faster.median,
            n=faster.n,
            ci95=faster.ci95,
            report_value=REPORT_FASTER,
            note=f"batches of {BATCH} of {PIXELS} x {PIXELS}, engine "
            f"{torch.backends.quantized.engine}, paired rounds",
        ),
    ]


def quantized_resnet18(model: torch.nn.Module, windows: torch.Tensor) -> torch.nn.Module:
    """Return an integer copy of a ResNet18.

    Parameters
    ----------
    model : torch.nn.Module
        torchvision's ResNet18 of one channel, in evaluation mode.
    windows : float32, shape (n, 1, rows, columns)
        To calibrate on.
    """
    import torch.ao.quantization
    from torchvision.models.quantization import resnet18

    tools: Any = torch.ao.quantization  # has no types
    state = model.state_dict()
    copy: Any = resnet18(weights=None, quantize=False, num_classes=len(state["fc.bias"]))
    kernel = state["conv1.weight"]
    copy.conv1 = torch.nn.Conv2d(kernel.shape[1], len(kernel), 7, stride=2, padding=3, bias=False)
    try:
        copy.load_state_dict(state)
        copy.eval()
        with warnings.catch_warnings(), torch.inference_mode():
            # torch moves its quantization to another package and warns at every step.
            warnings.simplefilter("ignore")
            copy.fuse_model(is_qat=False)
            copy.qconfig = tools.get_default_qconfig(torch.backends.quantized.engine)
            tools.prepare(copy, inplace=True)
            copy(windows)
            tools.convert(copy, inplace=True)
    except (RuntimeError, AttributeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise EngineError(f"torch cannot quantize this ResNet18: {reason:.200}") from error
    quantized: torch.nn.Module = copy
    return quantized


def _size(model: torch.nn.Module) -> int:
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    return len(buffer.getvalue())
