"""KerasLearner: a tf_keras model of dense layers under AdamW.

tf_keras is Keras 2, which pruning with tensorflow-model-optimization needs. Weights are kept
as plain arrays in an .npz file, so that nothing is unpickled and no Keras version matters.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np

from genrekit.arrays import Float32
from genrekit.errors import DataError

from ..inputs.minibatch import Batch
from ..models.frameworks import import_keras


class KerasLearner:
    """Implements `Learner` for a `tf_keras.Sequential` of one input.

    Dropout's choices come from the epoch's seed and the step, not from a generator whose
    state would have to be kept.

    Parameters
    ----------
    model : tf_keras.Sequential
    weight_decay : float
        AdamW's, decoupled.
    """

    def __init__(self, model: Any, weight_decay: float) -> None:
        keras = import_keras()
        self.model = model
        self._optimizer = keras.optimizers.AdamW(
            weight_decay=weight_decay, jit_compile=False, epsilon=1e-8
        )
        self._optimizer.exclude_from_weight_decay(var_names=["bias"])
        self._optimizer.build(model.trainable_variables)
        self._step = _compile_step(model, self._optimizer)
        self._judge = _compile_judge(model)
        self._seed = 0
        self._steps = 0

    def begin_epoch(self, seed: int) -> None:
        """Seed dropout."""
        self._seed = seed
        self._steps = 0

    def step(self, batch: Batch, learning_rate: float) -> float:
        """Learn from one batch; return its mean cross-entropy in nats."""
        self._optimizer.learning_rate.assign(learning_rate)
        seed = np.array([self._seed, self._steps], np.int32)
        self._steps += 1
        return float(self._step(batch.inputs[0], batch.targets, seed))

    def logits(self, inputs: tuple[Float32, ...]) -> Float32:
        """Judge windows: float32, shape (n, labels)."""
        logits: Float32 = self._judge(inputs[0]).numpy()
        return logits

    def parameters(self) -> int:
        """Count the model's trainable numbers."""
        return int(self.model.count_params())

    def weights(self) -> bytes:
        """Serialise the model alone."""
        return _save(self.model.get_weights())

    def load_weights(self, data: bytes) -> None:
        """Take the model back from `weights`."""
        load_keras_weights(self.model, data)

    def checkpoint(self, note: str) -> bytes:
        """Serialise model, optimizer and a note."""
        state = [variable.numpy() for variable in self._optimizer.variables]
        text = np.frombuffer(note.encode(), np.uint8)
        return _save([*self.model.get_weights(), *state, text])

    def resume(self, data: bytes) -> str:
        """Take everything back from `checkpoint`; return the note."""
        *arrays, text = _load(data)
        variables = [*self.model.weights, *self._optimizer.variables]
        try:
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
        except ValueError as error:
            raise DataError(f"not a checkpoint of this model: {error}") from error
        return bytes(text).decode()


def seed_keras(seed: int) -> None:
    """Seed the initial weights of the next models."""
    import_keras().utils.set_random_seed(seed)


def load_keras_weights(model: Any, data: bytes) -> None:
    """Give a tf_keras model its saved weights.

    Raises
    ------
    DataError
        If they are no weights of this model.
    """
    try:
        model.set_weights(_load(data))
    except ValueError as error:
        raise DataError(f"not the weights of this model: {error}") from error


def _compile_step(model: Any, optimizer: Any) -> Any:
    keras = import_keras()
    import tensorflow as tf

    def forward(values: Any, seed: Any) -> Any:
        for index, layer in enumerate(model.layers):
            if isinstance(layer, keras.layers.Dropout):
                own = seed + tf.constant([index * 1_000_003, 0], tf.int32)
                values = tf.nn.experimental.stateless_dropout(values, layer.rate, seed=own)
            else:
                values = layer(values)
        return values

    def step(values: Any, targets: Any, seed: Any) -> Any:
        with tf.GradientTape() as tape:
            losses = tf.nn.softmax_cross_entropy_with_logits(targets, forward(values, seed))
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    signature = [
        tf.TensorSpec([None, *model.input_shape[1:]], tf.float32),
        tf.TensorSpec([None, *model.output_shape[1:]], tf.float32),
        tf.TensorSpec([2], tf.int32),
    ]
    return tf.function(step, input_signature=signature)


def _compile_judge(model: Any) -> Any:
    import tensorflow as tf

    signature = [tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)]
    return tf.function(lambda values: model(values, training=False), input_signature=signature)


def _save(arrays: list[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, *arrays)
    return buffer.getvalue()


def _load(data: bytes) -> list[Any]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return [archive[f"arr_{i}"] for i in range(len(archive.files))]
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"not a file of arrays: {error}") from error
