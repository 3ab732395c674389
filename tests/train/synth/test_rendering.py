from __future__ import annotations

import librosa
import numpy as np
import pytest

from genrekit.train.synth.composition import compose_piece
from genrekit.train.synth.ensemble import Part
from genrekit.train.synth.genres.table import GENRES
from genrekit.train.synth.rendering import open_synthesizer, play_part, render_track

RATE = 22_050


def notes(*rows: tuple[float, float, int, int]) -> dict[str, np.ndarray]:
    time, duration, pitch, velocity = zip(*rows, strict=True)
    return {
        "time": np.array(time, np.float32),
        "duration": np.array(duration, np.float32),
        "pitch": np.array(pitch, np.int8),
        "velocity": np.array(velocity, np.int8),
    }


@pytest.mark.parametrize("genre", GENRES)
def test_tracks_are_music_at_sane_levels(genre: str) -> None:
    for seed in range(3):
        samples = render_track(genre, seed, 12.0)
        assert samples.dtype == np.float32
        assert samples.shape == (12 * RATE,)
        assert np.max(np.abs(samples)) < 1.0
        rms = librosa.feature.rms(y=samples, frame_length=2048, hop_length=512)[0]
        assert -30.0 < 20 * np.log10(np.sqrt(np.mean(samples**2))) < -8.0
        audible = np.flatnonzero(rms > 1e-3)
        assert np.max(np.diff(audible)) * 512 / RATE < 1.0  # no silence longer than a second


def test_a_seed_gives_one_sound() -> None:
    first = render_track("rock", 7, 5.0)
    render_track("jazz", 8, 5.0)  # what was played before must not matter
    np.testing.assert_array_equal(render_track("rock", 7, 5.0), first)
    assert not np.array_equal(render_track("rock", 9, 5.0), first)


def test_disco_is_heard_at_its_composed_tempo() -> None:
    near = 0
    for seed in range(8):
        tempo = compose_piece("disco", seed).timing.tempo_bpm
        heard, _ = librosa.beat.beat_track(y=render_track("disco", seed), sr=RATE)
        ratio = float(np.atleast_1d(heard)[0]) / tempo
        near += min(abs(ratio - octave) for octave in (0.5, 1.0, 2.0)) < 0.05
    assert near >= 6


def test_louder_strokes_sound_louder() -> None:
    part = Part("lead", 0)
    played = notes((0.0, 0.5, 69, 50), (1.0, 0.5, 69, 110))
    stem = play_part(open_synthesizer(RATE), part, played, RATE, samples=2 * RATE)
    soft, loud = (np.sqrt(np.mean(half**2)) for half in np.split(stem, 2))
    assert 20 * np.log10(loud / soft) == pytest.approx(40 * np.log10(110 / 50), abs=3.0)


def test_notes_sound_at_their_pitch_and_time() -> None:
    part = Part("lead", 73)  # flute
    played = notes((0.5, 1.4, 81, 100))
    stem = play_part(open_synthesizer(RATE), part, played, RATE, samples=2 * RATE)
    assert np.max(np.abs(stem[: round(0.49 * RATE)])) == 0.0
    pitch = librosa.yin(stem[RATE : 2 * RATE - 4_000], fmin=400, fmax=2_000, sr=RATE)
    assert np.median(pitch) == pytest.approx(880.0, rel=0.02)


def test_overdrive_adds_harmonics_below_the_cabinet() -> None:
    played = notes((0.0, 2.0, 57, 100))
    clean, driven = (
        play_part(
            open_synthesizer(RATE), Part("comping", 27, drive_db=db), played, RATE, samples=RATE
        )
        for db in (0.0, 24.0)
    )

    def share(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
        power = np.abs(np.fft.rfft(samples)) ** 2
        hz = np.fft.rfftfreq(len(samples), 1 / RATE)
        return float(power[(hz > low_hz) & (hz < high_hz)].sum() / power.sum())

    assert share(driven, 1_500, 4_500) > 2 * share(clean, 1_500, 4_500)
    assert share(driven, 9_000, 11_000) < 1e-3
