"""Compression's literature rows: Deep Compression and BinaryConnect, stored and restored.

Their files are for storage: no engine computes with shared values or with single bits, so what
is judged is the float network that the decoder gives back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from genrekit.arrays import Float32
from genrekit.export.coding.deep_compression import Stages, restore, stages, store
from genrekit.export.coding.parametrizations import BinaryNetwork, masked, settled, shared
from genrekit.export.distillation.students import student
from genrekit.export.pruning.channels import count_macs, count_parameters
from genrekit.export.pruning.neurons import layers_of, perceptron
from genrekit.export.search.image_candidates import ImageCandidateFactory
from genrekit.export.search.mlp_candidates import MlpCandidateFactory, MlpChain
from genrekit.export.writing.comparison import keras_logits, torch_logits
from genrekit.files import read_bounded, write_whole
from genrekit.train.fitting.loop import fit
from genrekit.train.fitting.torch_learner import TorchLearner, choose_device, load_torch_weights
from genrekit.train.hyperparameters import Hyperparameters
from genrekit.train.models.neural.mlp import LAYERS
from genrekit.train.runs.run import MAX_WEIGHTS_BYTES

from .rows import Row, RowBook

SPARSITY, VALUES = 0.9, 32
MASKED_RATE, SHARED_RATE, BINARY_RATE = 0.1, 0.02, 2.0
BINARY_STUDENT = "bands"
_PERCEPTRON = Hyperparameters(
    epochs=40,
    batch_size=64,
    learning_rate=5e-3,
    weight_decay=0.0,
    label_smoothing=0.1,
    mixup=0.2,
    spec_augment=False,
    crops_per_track=8,
    patience=40,
)


def image_rows(book: RowBook, factory: ImageCandidateFactory) -> list[Row]:
    """Deep Compression of the run's network, BinaryConnect of a student."""
    folder = factory.folder / "networks"
    pruned = factory.learn(masked(factory.network, SPARSITY), folder / "masked", MASKED_RATE, 0.5)
    tied = shared(settled(pruned), VALUES)
    tensors = _tensors(settled(factory.learn(tied, folder / "shared", SHARED_RATE, 0.25)))
    data = store(tensors)
    network = factory.run.load_model()
    _load(network, data)
    counts = count_parameters(network), count_macs(network, factory.spec)
    rows = [
        book.stored(
            "deep-compression", _deep(stages(tensors)), data, counts, torch_logits(network.eval())
        )
    ]
    torch.manual_seed(factory.run.settings.seed)
    small = student(BINARY_STUDENT, factory.spec, len(factory.run.labels))
    binary = BinaryNetwork(small, len(factory.run.labels))
    learned = settled(factory.learn(binary, folder / "binary", BINARY_RATE, 4.0))
    data = store(_tensors(learned))
    _load(learned, data)
    counts = count_parameters(learned), count_macs(learned, factory.spec)
    chain = f"{BINARY_STUDENT} distilled with weights of +1 and -1, one bit each"
    return [*rows, book.stored("binaryconnect", chain, data, counts, torch_logits(learned))]


def perceptron_rows(book: RowBook, factory: MlpCandidateFactory) -> list[Row]:
    """Deep Compression of the run's network, BinaryConnect of one as wide."""
    recipe = MlpChain(sparsity=SPARSITY, values=VALUES, encoding="sparse")
    tensors: dict[str, Float32] = {}
    for index, (matrix, bias) in enumerate(layers_of(factory.network_of(recipe))):
        tensors[f"{index}.weight"], tensors[f"{index}.bias"] = matrix, bias
    data = store(tensors)
    arrays = list(restore(data).values())
    network = perceptron(list(zip(arrays[::2], arrays[1::2], strict=True)))
    macs = sum(matrix.size for matrix in arrays[::2])
    counts = int(network.count_params()), int(macs)
    rows = [
        book.stored("deep-compression", _deep(stages(tensors)), data, counts, keras_logits(network))
    ]
    binary = _binary_perceptron(factory, factory.folder / "networks" / "binary")
    data = store(_tensors(binary))
    _load(binary, data)
    macs = sum(layer.weight.numel() for layer in binary.modules() if isinstance(layer, nn.Linear))
    chain = "as wide, batch-normalised, weights of +1 and -1, one bit each"
    counts = count_parameters(binary), macs
    return [*rows, book.stored("binaryconnect", chain, data, counts, torch_logits(binary))]


def _binary_perceptron(factory: MlpCandidateFactory, stem: Path) -> nn.Module:
    run = factory.run
    torch.manual_seed(run.settings.seed)
    widths = (*factory.spec.shape, *LAYERS)
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]
    layers.append(nn.Linear(widths[-1], len(run.labels), bias=False))
    binary = BinaryNetwork(nn.Sequential(*layers), len(run.labels))

    def learn() -> bytes:
        learner = TorchLearner(binary, _PERCEPTRON.weight_decay, choose_device("cpu"))
        fit(
            learner,
            factory.both,
            list(factory.train.windowed.features),
            list(factory.valid.windowed.features),
            _PERCEPTRON,
            seed=run.settings.seed,
            checkpoint=stem.with_suffix(".checkpoint"),
            best=stem.with_suffix(".best"),
        )
        return learner.weights()

    load_torch_weights(binary, _kept(stem.with_suffix(".weights"), learn))
    return settled(binary)


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    if not path.is_file():
        write_whole(path, make())
    return read_bounded(path, MAX_WEIGHTS_BYTES)


def _tensors(network: nn.Module) -> dict[str, Float32]:
    """Take a network's numbers, those that count batches left out."""
    state = network.state_dict()
    return {n: v.numpy().astype("float32") for n, v in state.items() if v.is_floating_point()}


def _load(network: Any, data: bytes) -> None:
    """Give a network what the decoder restores."""
    state = {name: torch.from_numpy(value.copy()) for name, value in restore(data).items()}
    counts = {n: v for n, v in network.state_dict().items() if not v.is_floating_point()}
    network.load_state_dict({**state, **counts})
    network.eval()


def _deep(size: Stages) -> str:
    return (
        f"{SPARSITY:.0%} of the weights pruned and fine-tuned ({size.dense / size.pruned:.1f}x), "
        f"{VALUES} shared values per matrix, fine-tuned ({size.dense / size.shared:.1f}x), Huffman "
        f"({size.dense / size.coded:.1f}x)"
    )
