from __future__ import annotations

from genrekit.train.synth.accompaniment import Bar, bass_bar, comping_bar, strikes
from genrekit.train.synth.chords import Chord, parse_progression

KEY_OF_C = 0


def bar_of(text: str, following: str = "I", first_beat: float = 0.0) -> Bar:
    (chords,) = parse_progression(text, KEY_OF_C)
    return Bar(first_beat, 4, chords, parse_progression(following, KEY_OF_C)[0][0])


def test_dashes_hold_and_dots_rest() -> None:
    assert strikes("R---..5-........", 16, 1) == ((0, 4, "R"), (6, 2, "5"))


def test_a_dash_after_a_rest_holds_nothing() -> None:
    assert strikes("R.--............", 16, 1) == ((0, 1, "R"),)


def test_a_held_note_is_struck_again_with_a_new_chord() -> None:
    assert strikes("C---------------", 16, 2) == ((0, 8, "C"), (8, 8, "C"))


def test_figures_are_cut_to_a_bar_of_three() -> None:
    assert strikes("R---5---O---5---", 12, 1) == ((0, 4, "R"), (4, 4, "5"), (8, 4, "O"))


def test_walking_bass_approaches_the_next_root_by_a_half_step() -> None:
    notes = bass_bar("R---3---5---a---", bar_of("ii7", following="V7"), 38)
    assert [note.start for note in notes] == [0.0, 1.0, 2.0, 3.0]
    assert [note.pitch % 12 for note in notes[:3]] == [2, 5, 9]  # D, F, A
    g = 43
    assert abs(notes[3].pitch - g) == 1


def test_octave_bass_jumps_an_octave() -> None:
    low, high = bass_bar("R-------O-------", bar_of("I"), 36)
    assert high.pitch - low.pitch == 12


def test_second_chord_of_a_bar_takes_its_half() -> None:
    notes = bass_bar("R---R---R---R---", bar_of("I,V"), 36)
    assert [note.pitch % 12 for note in notes] == [0, 0, 7, 7]


def test_power_chords_have_no_third() -> None:
    notes = comping_bar("P---------------", bar_of("I"), 60, spread=False, voices=4)
    assert {note.pitch % 12 for note in notes} == {0, 7}


def test_alberti_figure_plays_low_high_middle_high() -> None:
    notes = comping_bar("1-3-2-3-1-3-2-3-", bar_of("I"), 64, spread=False, voices=3)
    low, high, middle, again = (note.pitch for note in notes[:4])
    assert low < middle < high == again
    assert Chord(0, (0, 4, 7)).root in {pitch % 12 for pitch in (low, middle, high)}


def test_skank_is_silent_on_the_first_beat() -> None:
    notes = comping_bar("....C.......C...", bar_of("i", first_beat=4.0), 60, spread=False, voices=3)
    assert {note.start for note in notes} == {5.0, 7.0}
    assert all(note.duration < 0.25 for note in notes)
