"""TorchLearner: a PyTorch model under AdamW."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import torch

from genrekit.arrays import Float32
from genrekit.errors import ConfigError, DataError

from ..inputs.minibatch import Batch

JUDGED_AT_ONCE = 64  # windows in memory when logits are computed


class TorchLearner:
    """Implements `Learner` for any module that takes the inputs as arguments.

    Parameters
    ----------
    model : torch.nn.Module
    weight_decay : float
        AdamW's, on matrices and kernels only: shrinking biases and the scales of batch
        normalisation does not regularise.
    device : torch.device
    """

    def __init__(self, model: torch.nn.Module, weight_decay: float, device: torch.device) -> None:
        # Channels last is a third faster for convolutions on a CPU.
        self.model = model.to(device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stub
        self._device = device
        kernels = [p for p in model.parameters() if p.ndim > 1]
        others = [p for p in model.parameters() if p.ndim <= 1]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": kernels, "weight_decay": weight_decay},
                {"params": others, "weight_decay": 0.0},
            ]
        )

    def begin_epoch(self, seed: int) -> None:
        """Seed dropout."""
        seed_torch(seed)
        self.model.train()

    def step(self, batch: Batch, learning_rate: float) -> float:
        """Learn from one batch; return its mean cross-entropy in nats."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.zero_grad(set_to_none=True)
        targets = torch.from_numpy(batch.targets).to(self._device)
        loss = self.loss(self._tensors(batch.inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._optimizer.step()
        return float(loss.detach())

    def loss(self, inputs: tuple[torch.Tensor, ...], targets: torch.Tensor) -> torch.Tensor:
        """Compute what `step` minimises; a learner with another goal overrides it.

        Parameters
        ----------
        inputs : tuple of float32, each of shape (n, ...)
        targets : float32, shape (n, labels)
            Probabilities.
        """
        return torch.nn.functional.cross_entropy(self.model(*inputs), targets)

    def logits(self, inputs: tuple[Float32, ...]) -> Float32:
        """Judge windows: float32, shape (n, labels)."""
        self.model.eval()
        parts = []
        with torch.inference_mode():
            for start in range(0, len(inputs[0]), JUDGED_AT_ONCE):
                part = tuple(array[start : start + JUDGED_AT_ONCE] for array in inputs)
                parts.append(self.model(*self._tensors(part)).float().cpu().numpy())
        return np.concatenate(parts)

    def parameters(self) -> int:
        """Count the model's trainable numbers."""
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)

    def weights(self) -> bytes:
        """Serialise the model alone."""
        return _save(_on_cpu(self.model.state_dict()))

    def load_weights(self, data: bytes) -> None:
        """Take the model back from `weights`."""
        _load_state(self.model, _load(data))

    def checkpoint(self, note: str) -> bytes:
        """Serialise model, optimizer and a note."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "note": note,
        }
        return _save(state)

    def resume(self, data: bytes) -> str:
        """Take everything back from `checkpoint`; return the note."""
        state = _load(data)
        try:
            _load_state(self.model, state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
            return str(state["note"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"not a checkpoint of this model: {error}") from error

    def _tensors(self, inputs: tuple[Float32, ...]) -> tuple[torch.Tensor, ...]:
        return tuple(
            torch.from_numpy(array).to(
                device=self._device,
                memory_format=torch.channels_last if array.ndim == 4 else torch.preserve_format,
            )
            for array in inputs
        )


def seed_torch(seed: int) -> None:
    """Seed torch's generators, of all devices."""
    torch.manual_seed(seed)


def choose_device(name: str) -> torch.device:
    """Return the device called "cpu", "cuda" or "auto".

    Raises
    ------
    ConfigError
        If there is no such device here.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device {name!r:.40}: must be auto, cpu or cuda")
    if name == "cpu":
        return torch.device("cpu")
    with warnings.catch_warnings():
        # After TensorFlow's stub of CUDA torch warns that it finds none; "auto" takes the answer.
        warnings.filterwarnings("ignore", "CUDA initialization", UserWarning)
        found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise ConfigError("device 'cuda': torch finds no GPU here; use --device cpu")
    return torch.device("cuda" if found else "cpu")


def load_torch_weights(model: torch.nn.Module, data: bytes) -> None:
    """Give a module its saved weights, and set it to evaluation.

    Raises
    ------
    DataError
        If they are no weights of this model.
    """
    _load_state(model, _load(data))
    model.eval()


def _load_state(model: torch.nn.Module, state: Any) -> None:
    try:
        model.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise DataError(f"not the weights of this model: {_first_line(error)}") from error


def _save(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _load(data: bytes) -> Any:
    try:
        # weights_only: tensors and plain containers, no code.
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # among them pickle's, a module that this house does not import
        raise DataError(f"not a file of torch weights: {_first_line(error)}") from error


def _on_cpu(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.cpu() for name, value in state.items()}


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
