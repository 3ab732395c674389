"""Pruning and TFLite: sparse networks that LiteRT runs as installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from genrekit.arrays import Float32
from genrekit.errors import ConfigError, DataError, EngineError
from genrekit.export.formats.tflite import (
    Candidate,
    TfliteModel,
    candidates,
    export_tflite,
    smallest,
)
from genrekit.export.pruning.fine_tuning import Tuning
from genrekit.export.pruning.magnitude import PruningPlan, prune, sparsity
from genrekit.export.pruning.neurons import layers_of, remove_dead_neurons, remove_weak_neurons
from genrekit.export.pruning.weight_clustering import cluster
from genrekit.export.quantization.keras_qat import export_quantized, train_quantized
from genrekit.export.search.mlp_candidates import pack, unpack
from genrekit.train.inputs.minibatch import Batch
from genrekit.train.inputs.presets import feature_vector
from genrekit.train.models.frameworks import import_keras
from genrekit.train.models.neural.mlp import mlp

VALUES, LABELS = 57, 10
CENTRES = np.random.default_rng(7).standard_normal((LABELS, VALUES)).astype(np.float32)


def samples(n: int, seed: int) -> tuple[Float32, np.ndarray[Any, Any]]:
    """Draw feature vectors around one centre per genre."""
    rng = np.random.default_rng(seed)
    genres = rng.integers(LABELS, size=n)
    noise = rng.standard_normal((n, VALUES)).astype(np.float32)
    return CENTRES[genres] + noise, genres


def batches(epoch: int) -> Iterator[Batch]:
    for step in range(16):
        values, genres = samples(64, seed=1_000 * epoch + step)
        yield Batch((values,), np.eye(LABELS, dtype=np.float32)[genres])


def judge(model: Any) -> tuple[float, float]:
    values, genres = samples(400, seed=999_999)
    logits = model(values, training=False).numpy()
    shifted = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float((logits.argmax(1) == genres).mean()), float(
        -shifted[np.arange(len(genres)), genres].mean()
    )


@pytest.fixture(scope="module")
def trained() -> Any:
    keras = import_keras()
    keras.utils.set_random_seed(0)
    model = mlp(feature_vector(3.0).inputs, LABELS)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3, jit_compile=False), loss)
    for epoch in range(4):
        for batch in batches(100 + epoch):
            model.train_on_batch(batch.inputs[0], batch.targets)
    return model


TUNING = Tuning(epochs=16, learning_rate=2e-3, seed=3)
SHORT = Tuning(epochs=4, learning_rate=1e-3, seed=0)
PLAN = PruningPlan(sparsity=0.9, tuning=TUNING)


@pytest.fixture(scope="module")
def pruned(trained: Any) -> Any:
    return prune(trained, batches, judge, PLAN)


def test_nine_weights_in_ten_are_zero_and_accuracy_stays(trained: Any, pruned: Any) -> None:
    assert sparsity(trained) < 0.001
    assert sparsity(pruned) == pytest.approx(0.9, abs=0.002)
    assert judge(trained)[0] > 0.95
    assert judge(pruned)[0] >= judge(trained)[0] - 0.01


def test_pruning_leaves_its_argument_as_it_was(trained: Any, pruned: Any) -> None:
    assert [w.shape for w in pruned.get_weights()] == [w.shape for w in trained.get_weights()]
    assert sparsity(trained) < 0.001


def test_pruning_is_repeatable(trained: Any, pruned: Any) -> None:
    again = prune(trained, batches, judge, PLAN)
    for first, second in zip(pruned.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_progress_counts_epochs(trained: Any) -> None:
    seen: list[tuple[int, int]] = []
    plan = PruningPlan(sparsity=0.5, tuning=Tuning(epochs=2, learning_rate=1e-3, seed=0))
    prune(trained, batches, judge, plan, on_progress=lambda *counts: seen.append(counts))
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(("sparse", "epochs"), [(0.0, 4), (1.0, 4), (0.5, 1)])
def test_plans_outside_their_bounds_are_refused(sparse: float, epochs: int) -> None:
    with pytest.raises(ConfigError, match="must be"):
        PruningPlan(sparsity=sparse, tuning=Tuning(epochs=epochs, learning_rate=1e-3, seed=0))


def test_two_of_each_four_and_blocks_of_four_are_zero(trained: Any) -> None:
    plan = PruningPlan(sparsity=0.5, tuning=SHORT, pattern="2:4")
    matrix = layers_of(prune(trained, batches, judge, plan))[0][0]
    # Two of four that follow each other in the layout of the .tflite file.
    zeros = (matrix.T.reshape(512, -1)[:, :56].reshape(512, 14, 4) == 0).sum(axis=2)
    assert (zeros >= 2).mean() > 0.99
    plan = PruningPlan(sparsity=0.75, tuning=SHORT, pattern="1x4")
    matrix = layers_of(prune(trained, batches, judge, plan))[0][0]
    blocks = (matrix.reshape(57, 128, 4) == 0).sum(axis=2)
    assert set(np.unique(blocks)) == {0, 4}
    with pytest.raises(ConfigError, match="two of four"):
        PruningPlan(sparsity=0.9, tuning=SHORT, pattern="2:4")


def test_a_constant_schedule_prunes_as_much(trained: Any) -> None:
    plan = PruningPlan(sparsity=0.5, tuning=SHORT, schedule="constant")
    assert sparsity(prune(trained, batches, judge, plan)) == pytest.approx(0.5, abs=0.002)


def test_clustering_leaves_few_weights_and_every_zero(pruned: Any) -> None:
    shared = cluster(pruned, 16, batches, judge, SHORT)
    for (before, _), (after, _) in zip(layers_of(pruned), layers_of(shared), strict=True):
        assert len(np.unique(after[after != 0])) <= 16
        np.testing.assert_array_equal(after[before == 0], 0.0)
    assert judge(shared)[0] >= judge(pruned)[0] - 0.05


def test_weak_neurons_leave_and_the_strong_ones_stay(trained: Any) -> None:
    small = remove_weak_neurons(trained, 0.5)
    assert [matrix.shape for matrix, _ in layers_of(small)] == [
        *((57, 256), (256, 128), (128, 64), (64, 32), (32, LABELS))
    ]
    whole = layers_of(trained)[0][0]
    kept = layers_of(small)[0][0]
    places = [int(np.flatnonzero((whole == column[:, None]).all(axis=0))[0]) for column in kept.T]
    assert places == sorted(places)
    assert remove_weak_neurons(trained, 0.0).count_params() == trained.count_params()


def test_training_under_quantization_gives_a_file_of_integers(pruned: Any) -> None:
    network = train_quantized(remove_dead_neurons(pruned), batches, judge, SHORT)
    model = export_quantized(network)
    assert len(model) < len(export_tflite(pruned)) / 3.5
    values, genres = samples(400, seed=999_999)
    right = (TfliteModel(model)((values,)).argmax(axis=1) == genres).mean()
    assert right == pytest.approx(judge(network)[0], abs=0.01)


def test_static_int8_needs_calibration_and_agrees(trained: Any) -> None:
    values, _ = samples(400, seed=5)
    logits = TfliteModel(export_tflite(trained, "int8", values))((values,))
    exact = trained(values, training=False).numpy()
    assert (logits.argmax(axis=1) == exact.argmax(axis=1)).mean() > 0.97
    with pytest.raises(ConfigError, match="calibration"):
        export_tflite(trained, "int8")


def test_sparse_int8_is_refused_by_litert_as_installed(pruned: Any) -> None:
    with pytest.raises(EngineError, match="FULLY_CONNECTED"):
        TfliteModel(export_tflite(pruned, "sparse_int8"))


def test_a_perceptron_of_any_widths_is_unpacked_as_it_was(trained: Any) -> None:
    small = remove_weak_neurons(trained, 0.75)
    values, _ = samples(8, seed=1)
    np.testing.assert_array_equal(
        unpack(pack(small))(values).numpy(), small(values, training=False).numpy()
    )
    with pytest.raises(DataError, match="not a file"):
        unpack(b"PK nonsense")


def test_removing_dead_neurons_keeps_the_logits() -> None:
    keras = import_keras()
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.layers.Input((5,)),
            keras.layers.Dense(6, activation="relu", bias_initializer="random_normal"),
            keras.layers.Dense(4, activation="relu", bias_initializer="random_normal"),
            keras.layers.Dense(3, bias_initializer="random_normal"),
        ]
    )
    weights = model.get_weights()
    weights[0][:, [0, 3]] = 0.0  # constant neurons: one with a positive, one with a negative bias
    weights[1][[0, 3]] = [0.7, -0.7]
    weights[2][1] = 0.0  # a neuron that nobody hears
    weights[0][:, 4] = 0.0  # constant, and all that neuron 2 of the next layer hears
    weights[2][:, 2] = 0.0
    weights[2][4, 2] = 0.5
    model.set_weights(weights)
    small = remove_dead_neurons(model)
    assert [w.shape for w in small.get_weights()[::2]] == [(5, 2), (2, 3), (3, 3)]
    values = np.random.default_rng(0).standard_normal((8, 5)).astype(np.float32)
    np.testing.assert_allclose(small(values).numpy(), model(values).numpy(), atol=1e-6)


def test_a_network_that_is_all_zero_keeps_its_constant_logits() -> None:
    keras = import_keras()
    model = keras.Sequential(
        [keras.layers.Input((5,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(3)]
    )
    model.set_weights([np.zeros((5, 4)), np.ones(4), np.zeros((4, 3)), np.arange(3.0)])
    small = remove_dead_neurons(model)
    np.testing.assert_array_equal(small(np.ones((1, 5), np.float32)).numpy(), [[0.0, 1.0, 2.0]])


@pytest.mark.parametrize("encoding", ["float", "sparse"])
def test_litert_gives_the_logits_of_keras(pruned: Any, encoding: Any) -> None:
    values, _ = samples(16, seed=5)
    logits = TfliteModel(export_tflite(pruned, encoding))((values,))
    np.testing.assert_allclose(logits, pruned(values, training=False).numpy(), atol=1e-4)


def test_the_same_weights_give_the_same_bytes_whatever_keras_calls_the_layers(pruned: Any) -> None:
    other = mlp(feature_vector(3.0).inputs, LABELS)
    other.set_weights(pruned.get_weights())
    assert [layer.name for layer in other.layers] != [layer.name for layer in pruned.layers]
    assert export_tflite(pruned, "sparse") == export_tflite(other, "sparse")


def test_the_smallest_usable_file_is_five_and_a_half_times_smaller(
    trained: Any, pruned: Any
) -> None:
    dense = export_tflite(trained)
    chosen = smallest(candidates(pruned, lambda _: None))
    assert len(dense) > 4 * 202_826
    assert len(chosen.model) <= len(dense) / 5.5 - 5_000  # room for the card


def test_candidates_come_smallest_first_and_the_judge_decides(pruned: Any) -> None:
    tried = candidates(pruned, lambda _: "too inaccurate")
    sizes = [len(candidate.model) for candidate in tried]
    assert sizes == sorted(sizes)
    assert len(tried) == 3
    with pytest.raises(EngineError, match="too inaccurate"):
        smallest(tried)


def test_smallest_skips_what_was_rejected() -> None:
    small = Candidate(steps=("a",), model=b"1", rejected="does not load")
    large = Candidate(steps=("b",), model=b"22", rejected=None)
    assert smallest([small, large]) is large


def test_litert_refuses_what_is_no_model() -> None:
    with pytest.raises(EngineError, match="LiteRT refuses"):
        TfliteModel(b"\x1c\0\0\0TFL3" + bytes(64))
