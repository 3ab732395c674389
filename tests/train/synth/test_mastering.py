from __future__ import annotations

import dataclasses

import librosa
import numpy as np
import pytest

from genrekit.arrays import Float32
from genrekit.train.synth.genres.style import Sound
from genrekit.train.synth.mastering import Mastering, draw_mastering, master

RATE = 22_050
PLAIN = Mastering(
    tilt_db=0.0,
    low_hz=20.0,
    high_hz=14_000.0,
    presence_db=0.0,
    presence_hz=1_000.0,
    reverb_s=0.2,
    wet_db=-60.0,
    compression=0.0,
    saturation_db=0.0,
    hiss_db=-90.0,
    hiss_tilt_db=0.0,
    crackles_hz=0.0,
    wow=0.0,
    loudness_db=-18.0,
)


def mastered(mix: Float32, **changes: float) -> Float32:
    return master(mix, RATE, dataclasses.replace(PLAIN, **changes), np.random.default_rng(0))


def noise(seconds: float = 2.0) -> Float32:
    return np.random.default_rng(1).standard_normal(round(seconds * RATE)).astype(np.float32)


def level_db(samples: Float32) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def band_db(samples: Float32, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(10 * np.log10(np.mean(power[(hz >= low_hz) & (hz < high_hz)])))


def test_tilt_is_in_decibels_per_octave() -> None:
    flat, tilted = mastered(noise()), mastered(noise(), tilt_db=3.0)
    gained = [
        band_db(tilted, low, 2 * low) - band_db(flat, low, 2 * low) for low in (200, 400, 800, 1600)
    ]
    np.testing.assert_allclose(np.diff(gained), 3.0, atol=0.3)


def test_band_limits_fall_by_twelve_decibels_an_octave() -> None:
    narrow = mastered(noise(), high_hz=1_500.0)
    fall = band_db(narrow, 3_900, 4_100) - band_db(narrow, 7_800, 8_200)
    assert fall == pytest.approx(12.0, abs=1.0)


def test_reverberation_decays_by_sixty_decibels_in_its_time() -> None:
    click = np.zeros(3 * RATE, np.float32)
    click[100] = 1.0
    room = mastered(click, reverb_s=1.0, wet_db=0.0)
    early = level_db(room[100 + RATE // 10 : 100 + 2 * RATE // 10])
    late = level_db(room[100 + 6 * RATE // 10 : 100 + 7 * RATE // 10])
    assert early - late == pytest.approx(30.0, abs=2.0)


def test_compression_narrows_the_dynamics() -> None:
    loud_and_soft = noise() * np.repeat(np.float32([1.0, 0.1]), RATE)
    free, flattened = mastered(loud_and_soft), mastered(loud_and_soft, compression=0.8)

    def spread(samples: Float32) -> float:
        return level_db(samples[: RATE // 2]) - level_db(samples[-RATE // 2 :])

    assert spread(free) == pytest.approx(20.0, abs=0.5)
    assert spread(flattened) < 10.0


def test_wow_bends_the_pitch_by_its_depth() -> None:
    seconds = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 1_000 * seconds).astype(np.float32)
    pitch = librosa.yin(mastered(tone, wow=0.01), fmin=900, fmax=1_100, sr=RATE, frame_length=2048)
    assert np.max(pitch[8:-8]) == pytest.approx(1_010, abs=3)
    assert np.min(pitch[8:-8]) == pytest.approx(990, abs=3)


def test_hiss_lies_at_its_level_below_the_music() -> None:
    half = np.concatenate([noise(1.0), np.zeros(RATE, np.float32)])
    hissing = mastered(half, hiss_db=-20.0)
    # The music's RMS is taken over both halves, so its own half lies 3 dB above.
    assert level_db(hissing[: RATE // 2]) - level_db(hissing[-RATE // 2 :]) == pytest.approx(
        23.0, abs=0.5
    )


def test_crackle_clicks_as_often_as_told() -> None:
    silence = np.zeros(20 * RATE, np.float32)
    clicks = librosa.onset.onset_detect(y=mastered(silence, crackles_hz=3.0), sr=RATE)
    assert 30 < len(clicks) < 75


@pytest.mark.parametrize("loudness_db", [-24.0, -12.0])
def test_loudness_is_the_rms(loudness_db: float) -> None:
    assert level_db(mastered(noise(), loudness_db=loudness_db)) == pytest.approx(
        loudness_db, abs=0.7
    )


def test_peaks_stay_under_full_scale_whatever_the_mix() -> None:
    spiky = noise() ** 9
    assert np.max(np.abs(mastered(spiky, loudness_db=-8.0))) < 1.0


def test_silence_stays_finite() -> None:
    assert np.all(np.isfinite(mastered(np.zeros(RATE, np.float32))))


def test_drawn_choices_stray_widely_around_the_style() -> None:
    rng = np.random.default_rng(2)
    drawn = [draw_mastering(Sound(tilt_db=1.0), rng) for _ in range(500)]
    tilts = np.array([choices.tilt_db for choices in drawn])
    assert np.mean(tilts) == pytest.approx(1.0, abs=0.15)
    assert np.std(tilts) > 0.4
    assert {choices.crackles_hz > 0 for choices in drawn} == {True, False}
    loudness = [choices.loudness_db for choices in drawn]
    assert min(loudness) < -23
    assert max(loudness) > -13
