"""Weight forms: what weights are allowed to be while a torch network goes on learning.

Each form is a parametrization: training moves what lies behind it, and the network computes with
what it makes of that. `settled` writes the result down as plain weights.

References
----------
Han, Mao, Dally, "Deep Compression", ICLR 2016: masks, and shared values that each learn from the
sum of their weights' gradients. Courbariaux, Bengio, David, "BinaryConnect", NeurIPS 2015: signs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from genrekit.errors import ConfigError

from .deep_compression import share_weights


class Masked(nn.Module):
    """Weights that a mask keeps at zero.

    Parameters
    ----------
    mask : bool, same shape as the weights
    """

    mask: torch.Tensor

    def __init__(self, mask: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weights: torch.Tensor) -> torch.Tensor:
        """Put the zeros back."""
        return weights * self.mask


class Shared(nn.Module):
    """Weights that are zero or one of a few values; the values learn.

    Parameters
    ----------
    weights : float32, any shape
        As `share_weights` gives them.
    """

    numbers: torch.Tensor
    values: torch.Tensor

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        values = torch.unique(weights[weights != 0])
        # Number 0 is zero itself, the values follow in ascending order.
        numbers = torch.where(weights != 0, torch.searchsorted(values, weights.contiguous()) + 1, 0)
        self.register_buffer("numbers", numbers)
        self.values = values

    def right_inverse(self, _weights: torch.Tensor) -> torch.Tensor:
        """Return what learns in place of the weights."""
        return self.values

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Look every weight up; its gradient is added to that of its value."""
        return torch.cat([values.new_zeros(1), values])[self.numbers]


class Signs(nn.Module):
    """Weights of +1 and -1: the signs of the numbers behind them."""

    def forward(self, weights: torch.Tensor) -> torch.Tensor:
        """Take the signs; gradients pass straight through while the number is within -1..1."""
        signs = torch.where(weights >= 0, 1.0, -1.0)
        clipped = weights.clamp(-1.0, 1.0)
        return clipped + (signs - clipped).detach()


class BinaryNetwork(nn.Module):
    """A network whose every matrix and kernel holds signs.

    Parameters
    ----------
    network : torch.nn.Module
        Copied. Normalisation behind its layers gives the signs their scale; one more is put
        behind the logits.
    n_labels : int
    """

    def __init__(self, network: nn.Module, n_labels: int) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(True)
        for _, layer in _layers(self.network):
            parametrize.register_parametrization(layer, "weight", Signs())
        self.norm = nn.BatchNorm1d(n_labels)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Compute logits, shape (windows, labels)."""
        logits: torch.Tensor = self.norm(self.network(*inputs))
        return logits


def masked(network: nn.Module, sparsity: float) -> nn.Module:
    """Copy a network with the smallest weights of each layer masked.

    Parameters
    ----------
    network : torch.nn.Module
    sparsity : float
        Share of each layer's weights, 0 < x < 1.
    """
    if not 0.0 < sparsity < 1.0:
        raise ConfigError(f"sparsity={sparsity}: must be above 0 and below 1")
    held = copy.deepcopy(network).requires_grad_(True)
    for _, layer in _layers(held):
        size = layer.weight.detach().abs()
        bound = size.flatten().kthvalue(max(1, round(sparsity * size.numel()))).values
        parametrize.register_parametrization(layer, "weight", Masked(size > bound))
    return held


def shared(network: nn.Module, n_values: int) -> nn.Module:
    """Copy a network whose layers each share a few values, which go on learning.

    Parameters
    ----------
    network : torch.nn.Module
        Its zeros stay zero.
    n_values : int
        Of each layer, 1..256.
    """
    held = copy.deepcopy(network).requires_grad_(True)
    for _, layer in _layers(held):
        weights = torch.from_numpy(share_weights(layer.weight.detach().numpy(), n_values))
        # Not the shape of the weights: that is what "unsafe" allows.
        parametrize.register_parametrization(layer, "weight", Shared(weights), unsafe=True)
    return held


def settled(network: nn.Module) -> nn.Module:
    """Copy a network with the weights that it computes with as plain weights."""
    plain = copy.deepcopy(network).eval()
    for _, layer in _layers(plain):
        if parametrize.is_parametrized(layer, "weight"):
            # remove_parametrizations would take the property off the class, which copies share.
            weights = layer.weight.detach().clone()
            layer.__class__ = parametrize.type_before_parametrizations(layer)
            del layer.parametrizations
            layer.weight = nn.Parameter(weights)
    return plain


def _layers(network: nn.Module) -> Iterator[tuple[str, Any]]:
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            yield name, layer
