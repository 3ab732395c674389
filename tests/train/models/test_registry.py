"""Every model of the registry: its size, what it computes, and that it can be kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from genrekit.errors import ConfigError, DependencyError
from genrekit.train.data.datasets import DataSource
from genrekit.train.fitting.closed_form_learner import ClosedFormLearner
from genrekit.train.fitting.torch_learner import TorchLearner, load_torch_weights
from genrekit.train.inputs.minibatch import Batch
from genrekit.train.inputs.presets import mfcc_segments, mfcc_series, plot, plot_and_series
from genrekit.train.inputs.representation import Representation
from genrekit.train.models.classical.boosted_trees import BoostedTrees
from genrekit.train.models.classical.closed_form import ClosedFormModel
from genrekit.train.models.classical.nearest_neighbour import NearestNeighbour
from genrekit.train.models.classical.svm import SupportVectors
from genrekit.train.models.neural import torchvision_nets
from genrekit.train.models.neural.segment_cnn import segment_cnn
from genrekit.train.models.registry import ARCHITECTURES, architecture

SONGS = DataSource(kind="audio", path="songs")
SMALL: dict[str, Representation] = {
    "resnet18": plot("mel_plot", 32),
    "resnet18_imagenet": plot("mel_plot", 32),
    "vgg16": plot("mel_plot", 32),
    "vgg16_quarter": plot("mel_plot", 32),
    "image_and_series": plot_and_series("mel_plot", 32),
}
SOLVED_VECTORS = ("svm", "boosted_trees", "nearest_neighbour", "discriminant")
SOLVED = (*SOLVED_VECTORS, "texture_discriminant")
NETWORKS = [
    name for name, entry in ARCHITECTURES.items()
    if entry.framework == "torch" and name not in SOLVED
]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "frames", "count"),
    [(3.0, 130, 2_855_818), (6.0, 259, 5_018_506), (9.0, 388, 7_115_658)],
)
def test_nine_layers_have_the_report_s_parameters(seconds: float, frames: int, count: int) -> None:
    (spec,) = mfcc_segments(seconds=seconds).inputs
    assert spec.shape == (1, 13, frames)
    model = segment_cnn((spec,), 10)
    assert sum(p.numel() for p in model.parameters()) == count
    layers = [layer for layer in model.children() if not isinstance(layer, torch.nn.ReLU)]
    assert len(layers) == 9


def test_the_series_is_the_report_s() -> None:
    (spec,) = mfcc_series().inputs
    assert spec.shape == (1_290, 13)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_one_batch(name: str) -> None:
    torch.manual_seed(0)
    chosen = architecture(name)
    inputs = (SMALL.get(name) or chosen.represent(SONGS)).inputs
    rng = np.random.default_rng(0)
    windows = tuple(rng.standard_normal((4, *spec.shape)).astype(np.float32) for spec in inputs)
    batch = Batch(windows, np.eye(4, dtype=np.float32))
    learner = TorchLearner(chosen.build(inputs, 4), 0.0, torch.device("cpu"))
    learner.begin_epoch(0)
    losses = [learner.step(batch, 3e-4) for _ in range(6)]
    assert min(losses[3:]) < losses[0]
    assert learner.logits(windows).shape == (4, 4)


def test_late_weights_are_not_overwritten_by_those_of_imagenet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    model = torchvision_nets.resnet18(plot("mel_plot", 32).inputs, 4)
    head = model.fc.weight.clone()
    import torchvision

    colour = torchvision.models.resnet18(weights=None).state_dict()

    def fetched(*_: object, **__: object) -> dict[str, torch.Tensor]:
        return dict(colour)

    weights = torchvision.models.ResNet18_Weights
    monkeypatch.setattr(weights, "get_state_dict", fetched)
    torchvision_nets.load_imagenet_resnet18(model)
    torch.testing.assert_close(model.layer1[0].conv1.weight, colour["layer1.0.conv1.weight"])
    torch.testing.assert_close(model.conv1.weight[:, 0], colour["conv1.weight"].sum(dim=1))
    torch.testing.assert_close(model.fc.weight, head)

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(weights, "get_state_dict", unreachable)
    with pytest.raises(DependencyError, match=r"no route to host.*without --pretrained"):
        torchvision_nets.load_imagenet_resnet18(model)


def _problem(n: int = 240) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=n)
    windows = rng.standard_normal((n, 57)).astype(np.float32)
    windows[:, :4] += 2 * np.eye(4, dtype=np.float32)[labels]
    return windows, labels


def _solved(kind: type[ClosedFormModel]) -> tuple[ClosedFormModel, np.ndarray, np.ndarray]:
    windows, labels = _problem()
    model = kind(57, 4)  # type: ignore[call-arg]  # the base takes labels only
    model.solve(windows[:160], labels[:160])
    with torch.inference_mode():
        return model, model(torch.from_numpy(windows[160:])).numpy(), labels[160:]


def test_support_vectors_say_what_sklearn_says() -> None:
    _, logits, _ = _solved(SupportVectors)
    windows, labels = _problem()
    gamma = 1 / (57 * windows[:160].var())
    for label in range(4):
        machine = SVC(C=10.0, gamma=gamma).fit(windows[:160], labels[:160] == label)
        expected = machine.decision_function(windows[160:])
        np.testing.assert_allclose(logits[:, label], expected, atol=1e-4)


def test_the_nearest_neighbour_is_sklearn_s() -> None:
    _, logits, _ = _solved(NearestNeighbour)
    windows, labels = _problem()
    expected = KNeighborsClassifier(1).fit(windows[:160], labels[:160]).predict(windows[160:])
    np.testing.assert_array_equal(logits.argmax(axis=1), expected)


def test_trees_say_what_xgboost_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import xgboost

    kept = []
    train = xgboost.train

    def keep(*args: object, **settings: object) -> object:
        kept.append(train(*args, **settings))
        return kept[-1]

    monkeypatch.setattr(xgboost, "train", keep)
    _, logits, labels = _solved(BoostedTrees)
    windows, _ = _problem()
    margin = kept[0].predict(xgboost.DMatrix(windows[160:]), output_margin=True)
    np.testing.assert_allclose(logits, margin, atol=1e-4)
    assert (logits.argmax(axis=1) == labels).mean() > 0.6
    # A value that equals a threshold goes to the right.
    splits = kept[0].trees_to_dataframe()["Split"].dropna()
    on_edge = np.tile(np.float32(splits.iloc[0]), (1, 57))
    margin = kept[0].predict(xgboost.DMatrix(on_edge), output_margin=True)
    with torch.inference_mode():
        np.testing.assert_allclose(
            _solved(BoostedTrees)[0](torch.from_numpy(on_edge)), margin, atol=1e-4
        )


@pytest.mark.parametrize("name", SOLVED_VECTORS)
def test_a_solved_model_is_kept_as_tensors(name: str) -> None:
    inputs = architecture(name).represent(SONGS).inputs

    def build() -> ClosedFormModel:
        model = architecture(name).build(inputs, 4)
        assert isinstance(model, ClosedFormModel)
        return model

    windows, labels = _problem()
    learner = ClosedFormLearner(build(), torch.device("cpu"))
    learner.begin_epoch(3)
    targets = np.eye(4, dtype=np.float32)[labels]
    for part in np.array_split(np.arange(160), 3):
        assert learner.step(Batch((windows[part],), targets[part]), 1.0) == 0.0
    logits = learner.logits((windows[160:],))
    assert (logits.argmax(axis=1) == labels[160:]).mean() > 0.4
    assert learner.parameters() > 100
    fresh = build()
    load_torch_weights(fresh, learner.weights())
    with torch.inference_mode():
        np.testing.assert_array_equal(fresh(torch.from_numpy(windows[160:])).numpy(), logits)
    resumed = ClosedFormLearner(build(), torch.device("cpu"))
    assert resumed.resume(learner.checkpoint("a note")) == "a note"
    np.testing.assert_array_equal(resumed.logits((windows[160:],)), logits)


def test_models_of_vectors_refuse_images() -> None:
    with pytest.raises(ConfigError, match="one vector of features"):
        architecture("svm").build(plot("mel_plot", 32).inputs, 4)
    with pytest.raises(ConfigError, match="an image and a series"):
        architecture("image_and_series").build(mfcc_series().inputs, 4)
    with pytest.raises(ConfigError, match="only be computed from songs"):
        architecture("lstm").represent(DataSource(kind="features", path="t.csv"))
