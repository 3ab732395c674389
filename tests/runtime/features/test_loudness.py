from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from genrekit.features.config import FeatureConfig
from genrekit.features.kinds import extract
from genrekit.features.loudness import k_weighting


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_997_hz_at_full_scale_is_3_01_lkfs(rate: int) -> None:
    # ITU-R BS.1770: the calibration of the meter.
    tone = np.sin(2 * np.pi * 997 * np.arange(2 * rate) / rate).astype(np.float32)
    level = extract("loudness", tone, FeatureConfig(sample_rate=rate, top_db=None))
    np.testing.assert_allclose(level[5:-5], -3.01, atol=0.05)


def test_at_48_khz_the_filters_are_the_tables_of_bs_1770() -> None:
    # ITU-R BS.1770-5, tables 1 and 2.
    shelf = ([1.53512485958697, -2.69169618940638, 1.19839281085285],
             [1.0, -1.69065929318241, 0.73248077421585])  # fmt: skip
    high_pass = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
    hz = np.array([20.0, 100.0, 1_000.0, 2_000.0, 10_000.0, 20_000.0])
    expected = np.ones(6)
    for b, a in (shelf, high_pass):
        _, response = scipy.signal.freqz(b, a, worN=hz, fs=48_000)
        expected *= np.abs(response) ** 2
    np.testing.assert_allclose(k_weighting(hz, 48_000), expected, rtol=1e-2)


def test_levels_stand_beside_the_coefficients() -> None:
    config = FeatureConfig(top_db=None)
    samples = np.random.default_rng(0).standard_normal(66_150).astype(np.float32) / 8
    values = extract("mfcc_levels", samples, config)
    assert values.shape == (130, 15)
    for columns, kind in (
        (slice(0, 13), "mfcc"),
        (slice(13, 14), "rms"),
        (slice(14, 15), "loudness"),
    ):
        np.testing.assert_array_equal(values[:, columns], extract(kind, samples, config))


def test_the_waveform_is_averaged_in_thirteen_parts_per_hop() -> None:
    config = FeatureConfig(hop_length=26)
    samples = np.arange(100, dtype=np.float32) / 100
    values = extract("waveform", samples, config)
    padded = np.pad(samples, (0, 4)).reshape(4, 13, 2)
    np.testing.assert_allclose(values, padded.mean(axis=2), rtol=1e-6)
