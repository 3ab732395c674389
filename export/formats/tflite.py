"""TFLite export: a tf_keras network as a flatbuffer, in the encodings that a device can run.

A flatbuffer holds zeros like any other number, so pruning alone shrinks nothing. Two encodings
make use of it: sparse float (zeros are left out, EXPERIMENTAL_SPARSITY) and, once the dead
neurons are gone, 8-bit weights (DEFAULT). Both at once would be smaller still but does not load
in LiteRT with its own delegate.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from genrekit.arrays import Float32
from genrekit.errors import ConfigError, EngineError
from genrekit.train.models.frameworks import import_keras

from ..pruning.magnitude import sparsity
from ..pruning.neurons import layers_of, perceptron, remove_dead_neurons

Encoding = Literal["float", "sparse", "int8_weights", "int8", "sparse_int8"]
_SPARSE, _INT8 = "EXPERIMENTAL_SPARSITY", "DEFAULT"
_OPTIMIZATIONS: dict[Encoding, tuple[str, ...]] = {
    "float": (),
    "sparse": (_SPARSE,),
    "int8_weights": (_INT8,),
    "int8": (_INT8,),
    "sparse_int8": (_INT8, _SPARSE),
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One way to store a pruned network.

    Parameters
    ----------
    steps : tuple of str
        What was done, in the words of the card.
    model : bytes
        The flatbuffer; empty if it could not be made.
    rejected : str or None
        Why it is not used; None if it may be.
    """

    steps: tuple[str, ...]
    model: bytes
    rejected: str | None


class TfliteModel:
    """A flatbuffer in LiteRT as installed: its own delegate, one thread, one window at a time.

    Raises
    ------
    EngineError
        If LiteRT cannot load it.
    """

    def __init__(self, model: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            self._interpreter = Interpreter(model_content=model, num_threads=1)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"LiteRT refuses it: {error!s:.200}") from error
        (given,) = self._interpreter.get_input_details()
        (output,) = self._interpreter.get_output_details()
        self.input_name: str = given["name"]
        self.output_name: str = output["name"]
        self._input, self._output = given["index"], output["index"]

    def __call__(self, inputs: tuple[Float32, ...]) -> Float32:
        """Compute logits, shape (windows, labels), of one input, shape (windows, values)."""
        rows = []
        for row in inputs[0]:
            self._interpreter.set_tensor(self._input, row[np.newaxis])
            self._interpreter.invoke()
            rows.append(self._interpreter.get_tensor(self._output)[0].copy())
        return np.stack(rows)

    def repeat(self, row: Float32, times: int) -> None:
        """Compute one window again and again, to be timed."""
        self._interpreter.set_tensor(self._input, row[np.newaxis])
        for _ in range(times):
            self._interpreter.invoke()


def export_tflite(
    model: Any, encoding: Encoding = "float", calibration: Float32 | None = None
) -> bytes:
    """Convert a perceptron for one window at a time; the same model gives the same bytes.

    Parameters
    ----------
    model : tf_keras.Sequential
        Dense layers, ReLU between them, and dropout.
    encoding : {"float", "sparse", "int8_weights", "int8", "sparse_int8"}
        How weights are stored. "int8_weights" leaves small matrices and all sums in float;
        "int8" computes in integers; "sparse_int8" is "int8_weights" without the zeros.
    calibration : float32, shape (windows, values), optional
        Training windows that "int8" takes its ranges from.

    Raises
    ------
    EngineError
        If the converter fails.
    """
    # The converter writes the names of layers into the file: these are always the same.
    return convert(perceptron(layers_of(model)), encoding, calibration)


def convert(model: Any, encoding: Encoding, calibration: Float32 | None = None) -> bytes:
    """Convert any tf_keras model of one vector, as `export_tflite` does a perceptron."""
    import_keras()
    import tensorflow as tf

    if (encoding == "int8") != (calibration is not None):
        raise ConfigError(f"encoding {encoding!r}: calibration windows go with 'int8' alone")
    window = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32, name="features")
    function = tf.function(lambda features: model(features, training=False))
    try:
        # The converter prints its progress.
        with contextlib.redirect_stdout(io.StringIO()):
            converter = tf.lite.TFLiteConverter.from_concrete_functions(
                [function.get_concrete_function(window)], model
            )
            converter.optimizations = [tf.lite.Optimize[n] for n in _OPTIMIZATIONS[encoding]]
            if calibration is not None:
                converter.representative_dataset = lambda: ([row[None]] for row in calibration)
            return bytes(converter.convert())
    except Exception as error:  # the converter's errors share no root but Exception
        raise EngineError(f"TensorFlow cannot convert this model: {error!s:.200}") from error


def candidates(pruned: Any, judge: Callable[[TfliteModel], str | None]) -> list[Candidate]:
    """Store a pruned network in every encoding, and try each in LiteRT as installed.

    Parameters
    ----------
    pruned : tf_keras.Sequential
    judge : callable
        Says why a model that runs is not good enough; None if it is.

    Returns
    -------
    list of Candidate
        The smallest file first.
    """
    share = f"{sparsity(pruned):.0%} of the weights pruned, polynomial schedule"
    small = remove_dead_neurons(pruned)
    ways: list[tuple[Any, Encoding, tuple[str, ...]]] = [
        (pruned, "sparse", (share, "sparse float weights")),
        (small, "sparse", (share, "dead neurons removed", "sparse float weights")),
        (small, "int8_weights", (share, "dead neurons removed", "int8 weights")),
    ]
    tried = []
    for model, encoding, steps in ways:
        data = b""
        try:
            data = export_tflite(model, encoding)
            reason = judge(TfliteModel(data))
        except EngineError as error:
            reason = str(error)
        tried.append(Candidate(steps=steps, model=data, rejected=reason))
    return sorted(tried, key=lambda candidate: len(candidate.model))


def smallest(tried: list[Candidate]) -> Candidate:
    """Choose the smallest candidate that is good enough.

    Raises
    ------
    EngineError
        If there is none; names each with its reason.
    """
    for candidate in tried:
        if candidate.rejected is None:
            return candidate
    reasons = "; ".join(f"{c.steps[-1]}: {c.rejected}" for c in tried)
    raise EngineError(f"no pruned file is usable: {reasons}; try a lower --sparsity")
