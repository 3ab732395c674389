from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrekit.train.synth import grooves
from genrekit.train.synth.grooves import FILLS, GROOVES, PERCUSSION, STROKES, strokes, swing


@pytest.mark.parametrize(
    "groove", [*GROOVES.values(), *PERCUSSION, *FILLS], ids=lambda groove: str(list(groove))
)
def test_patterns_fill_a_bar_with_known_strokes(groove: grooves.Groove) -> None:
    assert {len(line) for line in groove.values()} in ({16}, {12})
    assert all(set(line) <= {*STROKES, "."} for line in groove.values())
    assert all(35 <= drum <= 81 for drum in groove)  # General MIDI's percussion keys


def test_four_on_the_floor_kicks_every_beat() -> None:
    notes = strokes(GROOVES["four_floor"], 8.0, range(16))
    assert [note.start for note in notes if note.pitch == grooves.KICK] == [8.0, 9.0, 10.0, 11.0]


def test_one_drop_leaves_the_first_beat_to_the_hat() -> None:
    first = [note.pitch for note in strokes(GROOVES["one_drop"], 0.0, range(4))]
    assert grooves.KICK not in first
    assert grooves.CLOSED_HAT in first


def test_triplet_swing_puts_the_offbeat_on_the_third_triplet() -> None:
    bent = swing(np.array([0.0, 0.5, 1.0, 1.5]), 2 / 3, 1)
    np.testing.assert_allclose(bent, [0.0, 2 / 3, 1.0, 5 / 3], rtol=1e-12)


def test_sixteenth_swing_keeps_the_eighths() -> None:
    bent = swing(np.array([0.25, 0.5, 0.75]), 0.6, 2)
    np.testing.assert_allclose(bent, [0.3, 0.5, 0.8], rtol=1e-12)


@given(st.lists(st.floats(0, 500), min_size=2, max_size=30), st.floats(0.5, 0.75))
def test_swing_never_reorders_notes(beats: list[float], ratio: float) -> None:
    straight = np.sort(np.array(beats))
    assert np.all(np.diff(swing(straight, ratio, 1)) >= -1e-9)
    np.testing.assert_allclose(swing(straight, 0.5, 1), straight, atol=1e-9)
