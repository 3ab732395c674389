"""Texture and discriminant: statistics against NumPy's own, and classes told apart by them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy.fft import dct
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from genrekit.artifact.sections import InputSpec, Normalisation
from genrekit.errors import ConfigError
from genrekit.train.models.classical.linear_discriminant import (
    LinearDiscriminant,
    texture_discriminant,
)
from genrekit.train.models.classical.texture_statistics import (
    COEFFICIENTS,
    CORRELATED_REGIONS,
    LAGS,
    Texture,
)

BANDS, FRAMES = 96, 57
IMAGE = InputSpec(
    name="mel_of_db",
    feature="mel_of_db",
    layout="channel_band_frame",
    shape=(1, BANDS, FRAMES),
    dtype="float32",
    normalisation=Normalisation(kind="window"),
)


def images(n: int, seed: int, smooth: int = 1) -> np.ndarray:
    """Return noise, smeared over so many frames."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n, 1, BANDS, FRAMES + smooth - 1))
    smeared = np.lib.stride_tricks.sliding_window_view(noise, smooth, axis=-1).mean(axis=-1)
    return (smeared / smeared.std()).astype(np.float32)


def test_the_cepstrum_and_its_course_are_those_of_scipy() -> None:
    (image,) = images(1, 0)
    leading = dct(image[0].T.astype(np.float64), norm="ortho", axis=1)[:, :COEFFICIENTS]
    statistics = Texture(BANDS, FRAMES)(torch.from_numpy(image[None]))[0].numpy()
    np.testing.assert_allclose(statistics[:COEFFICIENTS], leading.mean(axis=0), atol=1e-4)
    strays = np.log(leading.std(axis=0) + 1e-3)
    np.testing.assert_allclose(statistics[COEFFICIENTS : 2 * COEFFICIENTS], strays, atol=1e-4)
    longest = max(LAGS)
    for index, lag in enumerate(LAGS):
        moved = leading[lag : FRAMES - longest + lag] - leading[: FRAMES - longest]
        expected = np.log(np.sqrt((moved**2).mean(axis=0)) + 1e-3)
        start = (2 + index) * COEFFICIENTS
        np.testing.assert_allclose(statistics[start : start + COEFFICIENTS], expected, atol=1e-4)


def test_correlations_are_those_of_numpy() -> None:
    texture = Texture(BANDS, FRAMES)
    (image,) = images(1, 1, smooth=5)
    regions = image[0].T @ texture.correlated.numpy()
    expected = np.triu(np.corrcoef(regions.T), 1)
    with torch.no_grad():
        given = texture._correlation(torch.from_numpy(regions[None, None]))[0, 0].numpy()
    assert expected.shape == (CORRELATED_REGIONS, CORRELATED_REGIONS)
    np.testing.assert_allclose(given, expected, atol=0.01)


def test_an_image_too_small_is_refused() -> None:
    with pytest.raises(ConfigError, match="16 frames"):
        Texture(BANDS, 16)
    with pytest.raises(ConfigError, match="one image"):
        texture_discriminant((IMAGE, dataclasses.replace(IMAGE, name="another")), 2)


@pytest.mark.parametrize("n_labels", [2, 3])
def test_it_tells_slow_sounds_from_quick_ones(n_labels: int) -> None:
    smears = (1, 4, 12)[:n_labels]
    learned = np.concatenate([images(20, 10 + s, smooth=s) for s in smears])
    labels = np.repeat(np.arange(n_labels), 20)
    model = texture_discriminant((IMAGE,), n_labels)
    model.solve(learned, labels)
    unseen = np.concatenate([images(10, 50 + s, smooth=s) for s in smears])
    with torch.inference_mode():
        said = model(torch.from_numpy(unseen)).argmax(dim=1).numpy()
    assert (said == np.repeat(np.arange(n_labels), 10)).mean() >= 0.95


def test_its_logits_are_those_of_scikit_learn_up_to_one_temperature() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((90, 40)).astype(np.float32)
    labels = np.repeat(np.arange(3), 30)
    values[np.arange(90), labels] += 1.0
    model = LinearDiscriminant(torch.nn.Identity(), 3)
    model.solve(values, labels)
    standard = np.clip((values - values.mean(axis=0)) / values.std(axis=0), -4, 4)
    judge = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[1 / 3] * 3)
    expected = judge.fit(standard, labels).decision_function(standard)
    with torch.inference_mode():
        given = model(torch.from_numpy(values)).numpy()
    ratio = expected / given
    np.testing.assert_allclose(ratio, np.full_like(ratio, np.median(ratio)), rtol=0.02)
    assert np.median(ratio) >= 1.0


def test_too_little_to_be_sure_lowers_its_confidence() -> None:
    """Noise has no genres: a calibrated judge is hardly surer than chance."""
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), 25)
    model = LinearDiscriminant(torch.nn.Identity(), 4)
    model.solve(rng.standard_normal((100, 60)).astype(np.float32), labels)
    with torch.inference_mode():
        fresh = torch.from_numpy(rng.standard_normal((200, 60)).astype(np.float32))
        assert model(fresh).softmax(dim=1).amax(dim=1).mean() < 0.4
