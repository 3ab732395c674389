"""TFLite export: a tf_keras network as a flatbuffer, in the encodings that a device can run.

A flatbuffer holds zeros like any other number, so pruning alone shrinks nothing. Two encodings
make use of it: sparse float (zeros are left out, EXPERIMENTAL_SPARSITY) and, once the dead
neurons are gone, 8-bit weights (DEFAULT). Both at once would be smaller still but does not load
in LiteRT with its own delegate, so it is not among the candidates.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from genrekit.runtime.arrays import Float32
from genrekit.runtime.errors import EngineError
from genrekit.train.keras_learner import import_keras

from .pruning import remove_dead_neurons, sparsity

Encoding = Literal["float", "sparse", "int8_weights"]


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


def export_tflite(model: Any, encoding: Encoding = "float") -> bytes:
    """Convert a network for one window at a time; the same model gives the same bytes.

    Parameters
    ----------
    model : tf_keras.Sequential
        Of one input, shape (windows, values).
    encoding : {"float", "sparse", "int8_weights"}
        How weights are stored. "int8_weights" leaves small matrices in float.

    Raises
    ------
    EngineError
        If the converter fails.
    """
    import_keras()
    import tensorflow as tf

    optimizations = {
        "float": [],
        "sparse": [tf.lite.Optimize.EXPERIMENTAL_SPARSITY],
        "int8_weights": [tf.lite.Optimize.DEFAULT],
    }[encoding]
    window = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32, name="features")
    named = _with_fixed_names(model)
    function = tf.function(lambda features: named(features, training=False))
    try:
        # The converter prints its progress.
        with contextlib.redirect_stdout(io.StringIO()):
            converter = tf.lite.TFLiteConverter.from_concrete_functions(
                [function.get_concrete_function(window)], named
            )
            converter.optimizations = optimizations
            return bytes(converter.convert())
    except Exception as error:  # the converter's errors share no root but Exception
        raise EngineError(f"TensorFlow cannot convert this model: {error!s:.200}") from error


def _with_fixed_names(model: Any) -> Any:
    """Copy a network under names that do not count how many were made before it.

    The converter writes the names of layers into the file.
    """
    keras = import_keras()
    copy = keras.Sequential([keras.layers.Input(model.input_shape[1:])], name="network")
    for index, layer in enumerate(model.layers):
        copy.add(type(layer).from_config({**layer.get_config(), "name": f"layer_{index}"}))
    copy.set_weights(model.get_weights())
    return copy


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
