"""Timing in rounds."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from genrekit.bench.paired import Latency, Ratio, time_rounds
from genrekit.errors import ConfigError


def test_a_latency_is_numpys_percentiles() -> None:
    seconds = np.random.default_rng(0).gamma(2.0, 0.01, 500)
    latency = Latency.of(seconds)
    assert latency.p95_ms == pytest.approx(1e3 * np.percentile(seconds, 95))
    assert latency.sd_ms == pytest.approx(1e3 * scipy.stats.tstd(seconds))
    assert latency.n == 500


def test_a_ratio_sees_a_factor_through_common_drift() -> None:
    rng = np.random.default_rng(1)
    drift = np.exp(rng.normal(0.0, 1.0, 200))  # far larger than the difference
    ratio = Ratio.of(1.1 * drift * rng.normal(1, 0.01, 200), drift * rng.normal(1, 0.01, 200))
    assert ratio.ci95[0] < 1.1 < ratio.ci95[1]
    assert ratio.ci95[1] - ratio.ci95[0] < 0.01


def test_a_ratios_interval_covers_the_median_about_19_times_in_20() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(1_000):
        ratios = Ratio.of(rng.lognormal(0.0, 0.3, 41), np.ones(41))
        covered += ratios.ci95[0] <= 1.0 <= ratios.ci95[1]
    assert 930 <= covered <= 990


def test_rounds_alternate_their_order() -> None:
    calls: list[str] = []
    seconds = time_rounds(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, warmup=1
    )
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3}


def test_no_rounds_are_refused() -> None:
    with pytest.raises(ConfigError, match="rounds=0"):
        time_rounds({}, rounds=0)
