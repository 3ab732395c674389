"""Calibration: the range of every inner tensor, from real model input."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, create_calibrator

from genrekit.arrays import Float32
from genrekit.errors import ConfigError

Method = Literal["minmax", "entropy", "percentile"]
# The library's default for "entropy", 128 bins merged into 128, leaves it nothing to choose: its
# ranges are those of "minmax". The search takes time squared in the bins: 20 s for a ResNet18.
METHODS: dict[Method, tuple[CalibrationMethod, dict[str, int]]] = {
    "minmax": (CalibrationMethod.MinMax, {}),
    "entropy": (CalibrationMethod.Entropy, {"num_bins": 512, "num_quantized_bins": 128}),
    "percentile": (CalibrationMethod.Percentile, {"num_bins": 2048}),
}
# Histogram methods hold every inner tensor of the windows that they see at once.
_WINDOWS_AT_ONCE = 16


class CalibrationInputs(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime is untyped
    """Real model input, handed out one window at a time.

    Parameters
    ----------
    inputs : mapping of str to float32, shape (windows, ...)
        From training data, one array for each of the graph's inputs.
    names : sequence of str
        The graph's inputs.

    Raises
    ------
    ConfigError
        If these are not the graph's inputs, or differ in their number of windows.
    """

    def __init__(self, inputs: Mapping[str, Float32], names: Sequence[str]) -> None:
        if set(inputs) != set(names):
            raise ConfigError(f"calibration for {sorted(inputs)}, the graph takes {sorted(names)}")
        counts = {len(values) for values in inputs.values()}
        if len(counts) != 1 or not min(counts):
            raise ConfigError(f"calibration: {sorted(counts)} windows: must be equal, at least 1")
        self._inputs = {name: np.asarray(values, np.float32) for name, values in inputs.items()}
        self._count = counts.pop()
        self._left = iter(range(0))

    def __len__(self) -> int:
        return self._count

    def set_range(self, start_index: int, end_index: int) -> None:
        """Hand out these windows next."""
        self._left = iter(range(start_index, min(end_index, self._count)))

    def get_next(self) -> dict[str, Float32] | None:
        """Return the next window, or None."""
        index = next(self._left, None)
        if index is None:
            return None
        return {name: values[index : index + 1] for name, values in self._inputs.items()}


def calibrate(
    graph: Path, inputs: CalibrationInputs, operators: Sequence[str], method: Method
) -> Any:
    """Measure the ranges of the activations around some operators.

    Parameters
    ----------
    graph : Path
        A pre-processed ONNX file; a working copy is written beside it.
    inputs : CalibrationInputs
    operators : sequence of str
        Types of operators.
    method : {"minmax", "entropy", "percentile"}

    Returns
    -------
    onnxruntime.quantization.calibrate.TensorsData

    References
    ----------
    Migacz, "8-bit inference with TensorRT", GTC 2017: "entropy".
    """
    kind, bins = METHODS[method]
    with contextlib.redirect_stdout(io.StringIO()):  # the calibrators print what they do
        calibrator = create_calibrator(
            graph,
            list(operators),
            augmented_model_path=str(graph.with_name("augmented.onnx")),
            calibrate_method=kind,
            extra_options=bins,
        )
        for start in range(0, len(inputs), _WINDOWS_AT_ONCE):
            inputs.set_range(start, start + _WINDOWS_AT_ONCE)
            calibrator.collect_data(inputs)
        return calibrator.compute_data()
