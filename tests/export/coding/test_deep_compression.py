"""Deep Compression: the decoder gives exactly what was stored, and hostile files are refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrekit.errors import ArtifactError, ConfigError
from genrekit.export.coding import huffman
from genrekit.export.coding.deep_compression import restore, share_weights, stages, store


def pruned(shape: tuple[int, ...], keep: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) * (rng.random(shape) < keep)).astype(np.float32)


@given(st.lists(st.integers(0, 255), max_size=300))
@settings(max_examples=60, deadline=None)
def test_huffman_restores_every_sequence(symbols: list[int]) -> None:
    array = np.array(symbols, np.uint8)
    data = huffman.encode(array, 256)
    decoded, used = huffman.decode(data + b"rest")
    np.testing.assert_array_equal(decoded, array)
    assert used == len(data)


def test_huffman_lengths_are_within_a_bit_of_the_entropy() -> None:
    counts = np.array([50, 20, 15, 10, 4, 1])
    shares = counts / counts.sum()
    entropy = -(shares * np.log2(shares)).sum()
    mean = (shares * huffman.code_lengths(counts)).sum()
    assert entropy <= mean < entropy + 1
    assert (2.0 ** -huffman.code_lengths(counts).astype(float)).sum() == 1.0  # Kraft


@pytest.mark.parametrize("keep", [0.0, 0.001, 0.1, 1.0])
def test_the_decoder_restores_the_exact_weights(keep: float) -> None:
    tensors = {
        "conv": share_weights(pruned((16, 8, 3, 3), keep), 32),
        "dense": share_weights(pruned((40, 64), keep, 1), 256),
        "bias": pruned((16,), 1.0, 2),
    }
    restored = restore(store(tensors))
    assert list(restored) == list(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(restored[name], tensor)


@pytest.mark.parametrize("shape", [(3, 3), (16, 8, 3, 3), (1, 7)])
def test_two_values_take_one_bit_each(shape: tuple[int, ...]) -> None:
    signs = np.where(pruned(shape, 1.0) >= 0, np.float32(1), np.float32(-1))
    signs.flat[:2] = 1, -1  # both are there
    data = store({"w": signs})
    np.testing.assert_array_equal(restore(data)["w"], signs)
    head = 7 + 2 + 1 + 4 * len(shape) + 1 + 8
    assert len(data) == head + -(-signs.size // 8)


def test_shared_weights_are_few_near_and_zero_where_they_were() -> None:
    weights = pruned((64, 64), 0.3)
    shared = share_weights(weights, 16)
    assert len(np.unique(shared[shared != 0])) <= 16
    np.testing.assert_array_equal(shared == 0, weights == 0)
    # k-means beats an even grid of as many values.
    grid = np.linspace(weights.min(), weights.max(), 16)
    even = grid[np.abs(weights[..., None] - grid).argmin(-1)] * (weights != 0)
    assert ((shared - weights) ** 2).sum() < ((even - weights) ** 2).sum()


def test_every_stage_is_smaller_than_the_one_before() -> None:
    sizes = stages({"w": share_weights(pruned((256, 256), 0.1), 16)})
    assert sizes.dense > sizes.pruned > sizes.shared > sizes.coded
    assert sizes.dense / sizes.coded > 20


def test_a_matrix_of_unshared_weights_is_refused() -> None:
    with pytest.raises(ConfigError, match="share them first"):
        store({"w": pruned((40, 40), 1.0)})


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_damaged_files_give_an_artifact_error_or_tensors(data: st.DataObject) -> None:
    whole = bytearray(store({"w": share_weights(pruned((20, 20), 0.2), 8)}))
    cut = data.draw(st.integers(0, len(whole)))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ArtifactError):
        restore(bytes(whole[:cut]))
