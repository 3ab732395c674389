"""Keras QAT: a perceptron that learns under the rounding of its int8 file; zeros stay zero."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from ..formats.tflite import convert
from ..pruning.fine_tuning import Batches, Judge, Tuning, fine_tune
from ..pruning.magnitude import import_tfmot
from ..pruning.neurons import layers_of, perceptron

_SCHEME = (
    "tensorflow_model_optimization.python.core.quantization.keras.collab_opts.prune_preserve."
    "default_8bit_prune_preserve_quantize_scheme"
)


def train_quantized(model: Any, batches: Batches, judge: Judge, tuning: Tuning) -> Any:
    """Put quantizers into a copy of a perceptron and fine-tune it.

    Parameters
    ----------
    model : tf_keras.Sequential
        Dense layers; left as it is.
    batches : callable
    judge : callable
    tuning : Tuning

    Returns
    -------
    tf_keras.Model
        For `export_quantized`.

    References
    ----------
    Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-
    only inference", CVPR 2018.
    """
    quantization = import_tfmot().quantization.keras
    scheme = importlib.import_module(_SCHEME).Default8BitPrunePreserveQuantizeScheme()
    annotated = quantization.quantize_annotate_model(perceptron(layers_of(model)))
    return fine_tune(quantization.quantize_apply(annotated, scheme), batches, judge, tuning)


def export_quantized(network: Any) -> bytes:
    """Convert a network of `train_quantized` to a flatbuffer that computes in integers.

    Raises
    ------
    EngineError
        If the converter fails.
    """
    with warnings.catch_warnings():
        # The ranges come from the quantizers; the converter misses those of a calibration.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs", UserWarning)
        return convert(network, "int8_weights")
