"""Learner: a model that is being fitted, whatever its framework."""

from __future__ import annotations

from typing import Any, Protocol

from genrekit.arrays import Float32

from ..hyperparameters import Hyperparameters
from ..inputs.minibatch import Batch
from ..inputs.representation import Representation
from ..models.registry import Architecture, Framework


class Learner(Protocol):
    """What the training loop asks of a model.

    Two learners with equal state that are given the same seeds and batches end with equal
    weights, so that a run which was killed can be taken up again.
    """

    def begin_epoch(self, seed: int) -> None:
        """Fix the random choices of the coming epoch, such as what dropout drops."""
        ...

    def step(self, batch: Batch, learning_rate: float) -> float:
        """Learn from one batch; return its mean cross-entropy in nats."""
        ...

    def logits(self, inputs: tuple[Float32, ...]) -> Float32:
        """Judge windows: float32, shape (n, labels)."""
        ...

    def parameters(self) -> int:
        """Count the model's trainable numbers."""
        ...

    def weights(self) -> bytes:
        """Serialise the model alone."""
        ...

    def load_weights(self, data: bytes) -> None:
        """Take the model back from `weights`."""
        ...

    def checkpoint(self, note: str) -> bytes:
        """Serialise everything that the next epoch depends on, and a note."""
        ...

    def resume(self, data: bytes) -> str:
        """Take everything back from `checkpoint`; return the note."""
        ...


def make_learner(
    architecture: Architecture,
    representation: Representation,
    n_labels: int,
    hyperparameters: Hyperparameters,
    *,
    seed: int,
    device: str = "auto",
) -> Learner:
    """Build a model with random weights, to be fitted.

    Parameters
    ----------
    architecture : Architecture
    representation : Representation
        Its inputs shape the model.
    n_labels : int
    hyperparameters : Hyperparameters
        Batches and epochs are the loop's; the learner takes weight decay.
    seed : int
        Of the initial weights.
    device : {"auto", "cpu", "cuda"}
        "auto" is a GPU where there is one; tf_keras models are small and stay on the CPU.

    Raises
    ------
    ConfigError
        If "cuda" is asked for and not there.
    """
    decay = hyperparameters.weight_decay
    if architecture.framework == "tf_keras":
        from .keras_learner import KerasLearner, seed_keras

        seed_keras(seed)
        return KerasLearner(architecture.build(representation.inputs, n_labels), decay)
    from ..models.classical.closed_form import ClosedFormModel
    from .closed_form_learner import ClosedFormLearner
    from .torch_learner import TorchLearner, choose_device, seed_torch

    place = choose_device(device)
    seed_torch(seed)
    model = architecture.build(representation.inputs, n_labels)
    if architecture.initialise:
        architecture.initialise(model)
    if isinstance(model, ClosedFormModel):
        return ClosedFormLearner(model, place)
    return TorchLearner(model, decay, place)


def load_weights(framework: Framework, model: Any, data: bytes) -> None:
    """Give a model of either framework its saved weights, and set it to inference.

    Raises
    ------
    DataError
        If they are no weights of this model.
    """
    if framework == "tf_keras":
        from .keras_learner import load_keras_weights

        load_keras_weights(model, data)
    else:
        from .torch_learner import load_torch_weights

        load_torch_weights(model, data)
