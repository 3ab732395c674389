"""The soak, for minutes instead of a day."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from genrekit.artifact.container import read_artifact
from genrekit.benchmarks.speed.soak import MAX_GROWTH_BYTES, Soak, soak
from genrekit.benchmarks.speed.synthetic_stream import second_of_sound, stretch
from genrekit.documents import read_document
from genrekit.errors import ConfigError


def test_any_stretch_is_a_part_of_the_whole() -> None:
    whole = np.concatenate([second_of_sound(index, 8_000, 3) for index in range(18, 23)])
    for first, count in ((0, 1), (7_999, 2), (12_345, 20_000), (0, 40_000)):
        np.testing.assert_array_equal(
            stretch(18 * 8_000 + first, count, 8_000, 3), whole[first : first + count]
        )
    assert np.abs(whole).max() < 2.0
    assert not np.array_equal(whole[:8_000], whole[8_000:16_000])
    assert not np.array_equal(whole[:8_000], second_of_sound(18, 8_000, 4))


def test_a_short_soak_is_flat_and_equal_to_the_file_path(model_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "soak.json"
    command = [sys.executable, "-m", "genrekit.benchmarks.speed.soak", "--hours", "0.1"]
    result = subprocess.run(
        [*command, "--model", str(model_path), "--json", str(out)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    found = read_document(out, Soak, command="soak")
    assert found.passed
    assert found.audio_s == pytest.approx(360.0)
    assert found.identical == found.windows > 200
    assert found.growth_bytes <= MAX_GROWTH_BYTES


def test_another_seed_gives_other_labels(model_path: Path) -> None:
    model = read_artifact(model_path)
    first, other = (soak(model, 2 / 60, seed=seed) for seed in (0, 1))
    assert first.windows == other.windows > 70
    assert first.probabilities_sha256 != other.probabilities_sha256


def test_a_window_that_differs_fails_the_soak(model_path: Path) -> None:
    good = soak(read_artifact(model_path), 2 / 60)
    assert good.passed
    assert not dataclasses.replace(good, identical=good.windows - 1).passed
    assert not dataclasses.replace(good, largest_difference=1e-9).passed
    grown = good.rss_settled_bytes + MAX_GROWTH_BYTES + 1
    assert not dataclasses.replace(good, rss_peak_bytes=grown).passed


def test_a_soak_too_short_to_see_anything_is_refused(model_path: Path) -> None:
    with pytest.raises(ConfigError, match="2 minutes"):
        soak(read_artifact(model_path), 0.01)
