from __future__ import annotations

import numpy as np
import pytest

from genrekit.errors import ConfigError
from genrekit.train.synth.chords import SCALES
from genrekit.train.synth.composition import compose_piece
from genrekit.train.synth.genres.table import GENRES, STYLES
from genrekit.train.synth.rendering import compose

SEEDS = range(12)


@pytest.mark.parametrize("genre", GENRES)
def test_a_seed_gives_one_score(genre: str) -> None:
    assert compose(genre, 5) == compose(genre, 5)
    assert compose(genre, 5) != compose(genre, 6)


@pytest.mark.parametrize("genre", GENRES)
def test_melodies_and_chords_stay_in_the_song(genre: str) -> None:
    for seed in SEEDS:
        piece = compose_piece(genre, seed)
        song = piece.song
        scale = {(song.tonic + step) % 12 for step in SCALES[song.scale]}
        chords = {
            (chord.root + interval) % 12
            for bar in (*song.verse, *song.chorus)
            for chord in bar
            for interval in chord.intervals
        }
        for part in piece.parts:
            heard = {note.pitch % 12 for note in part.notes}
            if part.role in ("lead", "counter"):
                assert heard <= scale
            elif part.role in ("comping", "comping2", "pad"):
                # A power chord lends a fifth to chords that have a diminished one or none.
                assert heard <= chords | {(root + 7) % 12 for root in chords}


@pytest.mark.parametrize("genre", GENRES)
def test_tempi_stay_near_the_declared_range(genre: str) -> None:
    styles = [STYLES[genre], *(STYLES[n] for n in STYLES[genre].neighbours)]
    low = min(style.rhythm.tempo[0] for style in styles)
    high = max(style.rhythm.tempo[1] for style in styles)
    tempi = [compose_piece(genre, seed).timing.tempo_bpm for seed in range(40)]
    assert 0.9 * low < min(tempi) < max(tempi) < 1.1 * high
    assert np.std(tempi) > 5


def test_a_blues_goes_to_the_subdominant_in_its_fifth_bar() -> None:
    songs = [compose_piece("blues", seed).song for seed in range(30)]
    twelve = [song for song in songs if len(song.verse) == 12]
    assert len(twelve) > 10
    subdominant = [song.verse[4][0].root == (song.tonic + 5) % 12 for song in twelve]
    assert np.mean(subdominant) > 0.8


@pytest.mark.parametrize("genre", GENRES)
def test_notes_lie_inside_the_excerpt_and_leave_no_long_rest(genre: str) -> None:
    for seed in SEEDS:
        score = compose(genre, seed, 20.0)
        notes = sorted((n.time, n.time + n.duration) for t in score.tracks for n in t.notes)
        assert notes[0][0] >= 0.0
        assert notes[-1][0] < 20.0
        heard_until = 0.0
        for start, end in notes:
            assert start - heard_until < 4.0  # a slow bar with a strike at its start alone
            heard_until = max(heard_until, end)
        assert heard_until > 18.0


def test_parallel_modes_are_not_mixed() -> None:
    for genre in GENRES:
        for seed in SEEDS:
            song = compose_piece(genre, seed).song
            thirds = {
                interval
                for bar in (*song.verse, *song.chorus)
                for chord in bar
                if chord.root == song.tonic
                for interval in chord.intervals
                if interval in (3, 4)
            }
            assert len(thirds) <= 1


@pytest.mark.parametrize(
    ("genre", "duration_s", "message"),
    [("polka", 30.0, "polka"), ("jazz", 0.5, "duration_s=0.5"), ("jazz", 1e9, "duration_s")],
)
def test_what_cannot_be_composed_is_refused(genre: str, duration_s: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose_piece(genre, 0, duration_s)
