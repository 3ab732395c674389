"""The live state: smoothing, hysteresis, threshold, silence, levels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrekit.errors import ConfigError
from genrekit.live.smoothing import SILENT_DB, LevelMeter, LiveConfig, LiveState

LABELS = ("blues", "classical", "disco")
HOP_S = 1.5


def state_of(**settings: float) -> LiveState:
    return LiveState(LABELS, HOP_S, LiveConfig(**settings))


def test_smoothing_is_the_mean_weighted_by_an_exponential_of_age() -> None:
    rng = np.random.default_rng(0)
    windows = rng.dirichlet(np.ones(3), 10)
    state = state_of(smoothing_s=6.0)
    for window in windows:
        score = state.hear(window)
    weights = np.exp(-HOP_S * np.arange(9, -1, -1) / 6.0)
    expected = np.average(windows, axis=0, weights=weights)
    found = {score.label: score.probability for score in score.ranking}
    np.testing.assert_allclose([found[label] for label in LABELS], expected, rtol=1e-12)


def test_without_smoothing_each_window_stands_alone() -> None:
    state = state_of(smoothing_s=0.0)
    state.hear(np.array([1.0, 0.0, 0.0]))
    assert state.hear(np.array([0.0, 0.0, 1.0])).label == "disco"


def test_another_genre_takes_over_only_with_a_lead() -> None:
    state = state_of(smoothing_s=0.0, threshold=0.3, margin=0.1)
    assert state.hear(np.array([0.50, 0.45, 0.05])).label == "blues"
    assert state.hear(np.array([0.45, 0.50, 0.05])).label == "blues"
    assert state.hear(np.array([0.45, 0.50, 0.05])).probability == 0.45
    assert state.hear(np.array([0.42, 0.53, 0.05])).label == "classical"
    assert state.hear(np.array([0.50, 0.45, 0.05])).label == "classical"


def test_a_named_genre_may_fall_by_the_margin_below_the_threshold() -> None:
    state = state_of(smoothing_s=0.0, threshold=0.5, margin=0.1)
    assert state.hear(np.array([0.45, 0.30, 0.25])).state == "unsure"
    assert state.hear(np.array([0.55, 0.25, 0.20])).label == "blues"
    assert state.hear(np.array([0.45, 0.30, 0.25])).label == "blues"
    unsure = state.hear(np.array([0.39, 0.31, 0.30]))
    assert (unsure.state, unsure.label, unsure.probability) == ("unsure", None, None)


def test_silence_has_hysteresis_and_ends_the_memory() -> None:
    state = state_of(silence_db=-50.0, silence_margin_db=3.0)
    state.hear(np.array([1.0, 0.0, 0.0]))
    assert [state.is_silent(level) for level in (-49.0, -51.0, -48.0, -46.0, -49.0)] == [
        False, True, True, False, False,
    ]  # fmt: skip
    assert state.silence().ranking == ()
    assert state.hear(np.array([0.0, 0.0, 1.0])).ranking[0].probability == 1.0
    assert state.away().state == "away"


@given(st.lists(st.lists(st.floats(0.001, 1.0), min_size=3, max_size=3), min_size=1, max_size=50))
def test_probabilities_stay_probabilities(windows: list[list[float]]) -> None:
    state = state_of()
    for window in windows:
        score = state.hear(np.array(window) / sum(window))
        assert sum(item.probability for item in score.ranking) == pytest.approx(1.0)
        assert (score.label is None) == (score.state == "unsure")


@pytest.mark.parametrize(
    "wrong",
    [{"threshold": 1.5}, {"margin": -0.1}, {"smoothing_s": math.nan}, {"silence_db": 1.0}],
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        LiveConfig(**wrong)


def test_the_level_of_a_sine_is_3_db_below_its_peak() -> None:
    meter = LevelMeter(span_s=1.0)
    time_s = np.arange(8_000) / 8_000
    meter.add(np.sin(2 * np.pi * 100 * time_s).astype(np.float32), 8_000)
    assert meter.level_db == pytest.approx(-3.0103, abs=1e-3)


def test_the_meter_looks_back_over_its_span_only() -> None:
    meter = LevelMeter(span_s=1.0)
    assert meter.level_db == SILENT_DB
    for _ in range(20):
        meter.add(np.ones(800, np.float32), 8_000)
    for _ in range(9):
        meter.add(np.zeros(800, np.float32), 8_000)
    assert meter.level_db == pytest.approx(-10.0, abs=1e-6)  # a tenth of the energy
    for _ in range(2):
        meter.add(np.zeros(800, np.float32), 8_000)
    assert meter.level_db == SILENT_DB


def test_what_no_card_can_have_meant_is_silenced_and_counted() -> None:
    meter = LevelMeter(span_s=1.0)
    samples = np.array([0.5, np.nan, -1.0, np.inf, 1e30, 1.0, 0.99], np.float32)
    cleaned = meter.clean(samples)
    np.testing.assert_array_equal(cleaned, np.array([0.5, 0, -1, 0, 0, 1, 0.99], np.float32))
    assert (meter.damaged_samples, meter.clipped_samples) == (3, 2)
    fine = np.array([0.1], np.float32)
    assert meter.clean(fine) is fine
