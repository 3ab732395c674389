"""Channel pruning: whole channels leave a network, which gets smaller and faster as it stands.

Channels that are added or concatenated must leave together: torch-pruning follows them through
the graph. Which leave first is decided by the norm of their weights, over the whole network.

References
----------
Fang et al., "DepGraph: towards any structural pruning", CVPR 2023. Li et al., "Pruning filters
for efficient ConvNets", ICLR 2017: sensitivity, and pruning between rounds of fine-tuning.
"""

from __future__ import annotations

import copy
import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from genrekit.artifact.sections import InputSpec
from genrekit.errors import ConfigError

SMALLEST_WIDTH = 4  # channels that a layer keeps; also what widths are rounded to


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Sensitivity:
    """What one layer's channels are worth.

    Parameters
    ----------
    layer : str
    share : float
        Of its channels that were taken out, with nothing learned afterwards.
    score : float
        What `judge` said of the network then.
    """

    layer: str
    share: float
    score: float


def prune_channels(
    model: nn.Module,
    spec: InputSpec,
    share: float,
    *,
    rounds: int = 1,
    fine_tune: Callable[[nn.Module, int], nn.Module] | None = None,
) -> nn.Module:
    """Take out channels in rounds, with fine-tuning after each.

    Parameters
    ----------
    model : torch.nn.Module
        Of one image input; left as it is. Its last linear layer keeps its outputs.
    spec : InputSpec
    share : float
        Of all channels, that are gone after the last round, 0 < share < 1; spread over the
        layers by importance, at most 90 % of any.
    rounds : int
    fine_tune : callable, optional
        Given the network and the round (from 0), returns it trained.

    Returns
    -------
    torch.nn.Module
        Narrower, ready for inference.
    """
    if not 0.0 < share < 1.0 or rounds < 1:
        raise ConfigError(f"share={share}, rounds={rounds}: must be in 0..1 and at least 1")
    network = copy.deepcopy(model).cpu().eval().requires_grad_(True)
    pruner = _pruner(network, spec, share, rounds=rounds)
    for index in range(rounds):
        pruner.step()
        if fine_tune is not None:
            network = fine_tune(network, index)
    return network.eval()


def sensitivity(
    model: nn.Module, spec: InputSpec, judge: Callable[[nn.Module], float], *, share: float = 0.5
) -> list[Sensitivity]:
    """Take a share of the channels out of one layer at a time, and judge.

    Parameters
    ----------
    model : torch.nn.Module
    spec : InputSpec
    judge : callable
        Scores a network, on validation tracks.
    share : float

    Returns
    -------
    list of Sensitivity
        In the network's order; layers whose channels leave together are measured together,
        under the name of each.
    """
    found = []
    for name, layer in model.named_modules():
        if not isinstance(layer, nn.Conv2d):
            continue
        network = copy.deepcopy(model).cpu().eval().requires_grad_(True)
        chosen = network.get_submodule(name)
        _pruner(network, spec, 0.0, only={chosen: share}).step()
        found.append(Sensitivity(layer=name, share=share, score=judge(network.eval())))
    return found


def _pruner(
    network: nn.Module,
    spec: InputSpec,
    share: float,
    *,
    rounds: int = 1,
    only: dict[nn.Module, float] | None = None,
) -> Any:
    import torch_pruning

    heads = [module for module in network.modules() if isinstance(module, nn.Linear)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of parameters that no layer owns
        return torch_pruning.pruner.MetaPruner(
            network,
            torch.zeros(2, *spec.shape),
            importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
            global_pruning=only is None,
            pruning_ratio=share,
            pruning_ratio_dict=only,
            max_pruning_ratio=0.9,
            iterative_steps=rounds,
            round_to=SMALLEST_WIDTH,
            ignored_layers=heads[-1:],
        )


def count_parameters(model: nn.Module) -> int:
    """Count all parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_macs(model: nn.Module, spec: InputSpec) -> int:
    """Count multiplications of convolutions and products for one window."""
    total = 0

    # Their first parameter is the weight, one filter per output channel.
    def hear(layer: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        total += next(layer.parameters())[0].numel() * output[0].numel()

    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(hear) for layer in layers]
    with torch.no_grad():
        model.eval()(torch.zeros(1, *spec.shape))
    for hook in hooks:
        hook.remove()
    return total
