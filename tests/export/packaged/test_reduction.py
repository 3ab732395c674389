"""The reduced network against the wheel's own TensorFlow 1 graph, on real songs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from genrekit.audio.decoding import load_audio
from genrekit.errors import DataError
from genrekit.export.packaged.cards import FEATURES, WINDOW_S
from genrekit.export.packaged.graph import build_graph
from genrekit.export.packaged.heads import Linear, Strangeness
from genrekit.export.packaged.reduction import Reduced, reduce_musicnn
from genrekit.features.kinds import extract
from genrekit.train.data.musicnn import TAGS, fetch_musicnn, load_musicnn

pytestmark = pytest.mark.slow
JUDGE = Path(__file__).with_name("musicnn_graph.py")


@pytest.fixture(scope="module")
def network(musicnn_weights: Path) -> Reduced:
    return reduce_musicnn(load_musicnn(musicnn_weights))


@pytest.fixture(scope="module")
def patches(gtzan: Path) -> np.ndarray:
    """One window of each genre, shape (10, 187, 96)."""
    size = round(WINDOW_S * FEATURES.sample_rate)
    songs = [next(iter(sorted(f.iterdir()))) for f in sorted((gtzan / "genres_original").iterdir())]
    samples = [load_audio(song, FEATURES.sample_rate).samples[:size] for song in songs]
    return np.stack([extract("log_mel", own, FEATURES) for own in samples])


@pytest.fixture(scope="module")
def judged(
    musicnn_wheel: Path, patches: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("judge")
    np.save(folder / "patches.npy", patches)
    command = [sys.executable, JUDGE, musicnn_wheel, folder / "patches.npy", folder / "out.npz"]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    with np.load(folder / "out.npz") as found:
        return {name: found[name] for name in found.files}


def outputs(network: Reduced, patches: np.ndarray, *, quantised: bool) -> dict[str, np.ndarray]:
    size = len(network.embedding_scale)
    nothing = Linear(weight=np.zeros((size, 1)), bias=np.zeros(1))
    rule = Strangeness(centre=np.zeros(size), whitening=np.zeros((size, 1)), towards=nothing)
    session = onnxruntime.InferenceSession(build_graph(network, None, rule, quantised=quantised))
    names = ["logits", "embedding"]
    given = {"log_mel": np.ascontiguousarray(patches.transpose(0, 2, 1)[:, None])}
    return dict(zip(names, session.run(names, given), strict=True))


def test_the_reduction_is_exact(
    network: Reduced, patches: np.ndarray, judged: dict[str, np.ndarray]
) -> None:
    mine = outputs(network, patches, quantised=False)
    for name, expected in judged.items():
        np.testing.assert_allclose(mine[name], expected, atol=2e-5, err_msg=name)


def test_nine_tenths_of_the_front_end_are_gone(network: Reduced) -> None:
    # 64 of 561 filters live, and one of ones stands for the others.
    assert sum(len(branch.bias) for branch in network.front) == 65
    assert [len(layer.bias) for layer in network.middle] == [21, 64, 64]


def test_weights_of_8_bits_keep_the_embedding(
    network: Reduced, patches: np.ndarray, judged: dict[str, np.ndarray]
) -> None:
    mine = outputs(network, patches, quantised=True)["embedding"]
    theirs = judged["embedding"]
    lengths = np.linalg.norm(mine, axis=1) * np.linalg.norm(theirs, axis=1)
    assert ((mine * theirs).sum(axis=1) / lengths).min() > 0.997


def test_tags_are_named_in_the_weights_order(judged: dict[str, np.ndarray]) -> None:
    best = [TAGS["MSD"][i] for i in judged["logits"].argmax(axis=1)]
    assert len(TAGS["MSD"]) == judged["logits"].shape[1] == 50
    assert {"jazz", "metal", "Hip-Hop", "blues"} & set(best)


def test_another_wheel_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    wheel = tmp_path / "musicnn-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    with pytest.raises(DataError, match="SHA-256"):
        fetch_musicnn(tmp_path / "out", wheel=wheel)
    assert not (tmp_path / "out").exists()


def test_weights_that_are_gone_or_lack_a_tensor_are_told(
    musicnn_weights: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    with pytest.raises(DataError, match="genrekit data get musicnn"):
        load_musicnn(tmp_path / "gone.safetensors")
    tensors = load_file(musicnn_weights)
    del tensors["dense/kernel"]
    save_file(tensors, tmp_path / "less.safetensors")
    with pytest.raises(DataError, match="lacks dense/kernel"):
        load_musicnn(tmp_path / "less.safetensors")
