"""Weight forms: what is imposed on weights holds after they have learned."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch.nn import functional

from genrekit.export.coding.deep_compression import restore, store
from genrekit.export.coding.parametrizations import BinaryNetwork, Signs, masked, settled, shared

from ..networks import IMAGE, NarrowResNet

KERNEL = "block1.conv1.weight"


def learn(network: torch.nn.Module, steps: int = 3) -> None:
    torch.manual_seed(0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network.train()
    for _ in range(steps):
        optimizer.zero_grad()
        images, targets = torch.randn(6, *IMAGE.shape), torch.arange(6)
        functional.cross_entropy(network(images), targets).backward()
        optimizer.step()


def test_masked_weights_stay_zero_and_the_others_learn() -> None:
    network = NarrowResNet()
    held = masked(network, 0.75)
    before = settled(held).state_dict()[KERNEL]
    assert abs(float((before == 0).float().mean()) - 0.75) < 0.01
    kept = network.state_dict()[KERNEL].abs() > network.state_dict()[KERNEL].abs().quantile(0.76)
    assert (before[kept] != 0).all()
    learn(held)
    after = settled(held).state_dict()[KERNEL]
    assert torch.equal(after == 0, before == 0)
    assert not torch.equal(after, before)


def test_a_shared_value_moves_by_the_sum_of_its_weights_gradients() -> None:
    torch.manual_seed(1)
    plain = torch.nn.Linear(6, 4, bias=False)
    held = shared(plain, 3)
    inputs = torch.randn(5, 6)
    functional.mse_loss(held(inputs), torch.ones(5, 4)).backward()
    free = settled(copy.deepcopy(held)).requires_grad_(True)
    functional.mse_loss(free(inputs), torch.ones(5, 4)).backward()
    weights, gradients = free.weight.detach(), free.weight.grad
    expected = [gradients[weights == value].sum() for value in torch.unique(weights)]
    found = held.parametrizations.weight.original.grad
    torch.testing.assert_close(found, torch.stack(expected))


def test_shared_weights_stay_shared_and_zeros_stay_zero() -> None:
    pruned = settled(masked(NarrowResNet(), 0.5))
    held = shared(pruned, 8)
    learn(held)
    after = settled(held).state_dict()[KERNEL]
    assert torch.equal(after == 0, pruned.state_dict()[KERNEL] == 0)
    assert len(torch.unique(after[after != 0])) <= 8


def test_signs_let_gradients_through_within_one() -> None:
    weights = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0], requires_grad=True)
    signs = Signs()(weights)
    assert signs.tolist() == [-1.0, -1.0, 1.0, 1.0, 1.0]
    (signs * torch.arange(5.0)).sum().backward()
    assert weights.grad.tolist() == [0.0, 1.0, 2.0, 3.0, 0.0]


def test_a_binary_network_is_stored_in_a_thirtieth_and_restored_exactly() -> None:
    binary = BinaryNetwork(NarrowResNet(), 10)
    learn(binary, 2)
    plain = settled(binary)
    tensors = {
        name: value.numpy()
        for name, value in plain.state_dict().items()
        if value.is_floating_point()
    }
    kernels = {name: value for name, value in tensors.items() if value.ndim > 1}
    assert all(set(np.unique(value)) == {-1.0, 1.0} for value in kernels.values())
    dense = sum(4 * value.size for value in kernels.values())
    assert len(store(kernels)) < dense / 25
    for name, value in restore(store(tensors)).items():
        np.testing.assert_array_equal(value, tensors[name])
