from __future__ import annotations

import librosa
import pytest

from genrekit.train.synth.chords import (
    SCALES,
    Chord,
    fits,
    nearest_pitch,
    parse_chord,
    parse_progression,
    scale_pitches,
    tonic_third,
    voice,
    with_sevenths,
)

C, D, F, G, A, B_FLAT, B = 0, 2, 5, 7, 9, 10, 11


def pitch_classes(chord: Chord) -> set[int]:
    return {(chord.root + interval) % 12 for interval in chord.intervals}


@pytest.mark.parametrize(
    ("numeral", "tonic", "expected"),
    [
        ("ii7", C, {D, F, A, C}),
        ("V7", C, {G, B, D, F}),
        ("Imaj7", C, {C, 4, G, B}),
        ("bVII", C, {B_FLAT, D, F}),
        ("ii7b5", C, {D, F, 8, C}),
        ("#ivdim7", C, {6, A, C, 3}),
        ("i5", A, {A, 4}),
        ("IV", G, {C, 4, G}),
    ],
)
def test_numerals_spell_their_chords(numeral: str, tonic: int, expected: set[int]) -> None:
    assert pitch_classes(parse_chord(numeral, tonic)) == expected


@pytest.mark.parametrize("numeral", ["", "VIII", "Iminor", "iI", "H"])
def test_what_is_no_numeral_is_refused(numeral: str) -> None:
    with pytest.raises(ValueError, match=r"numeral|suffix"):
        parse_chord(numeral, C)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("major", "maj"), ("minor", "min"), ("dorian", "dor"), ("phrygian", "phr"),
     ("mixolydian", "mix")],
)  # fmt: skip
def test_scales_agree_with_librosa(ours: str, theirs: str) -> None:
    assert list(SCALES[ours]) == list(librosa.key_to_degrees(f"C:{theirs}"))


def test_bars_share_their_chords_at_commas() -> None:
    bars = parse_progression("I vi,IV V7", C)
    assert [[chord.root for chord in bar] for bar in bars] == [[C], [A, F], [G]]


def test_sevenths_are_added_to_triads_alone() -> None:
    bars = with_sevenths(parse_progression("I ii V7 i5", C))
    major, minor, dominant, power = (bar[0].intervals for bar in bars)
    assert (major, minor) == ((0, 4, 7, 11), (0, 3, 7, 10))
    assert (dominant, power) == ((0, 4, 7, 10), (0, 7))


@pytest.mark.parametrize("center", [40, 60, 67])
def test_voicings_hold_the_chord_near_their_center(center: int) -> None:
    chord = parse_chord("V7", C)
    pitches = voice(chord, center, spread=False, voices=4)
    assert {pitch % 12 for pitch in pitches} == pitch_classes(chord)
    assert all(abs(pitch - center) <= 6 for pitch in pitches)
    assert pitches == sorted(pitches)


def test_a_small_voicing_leaves_out_the_fifth_first() -> None:
    assert {p % 12 for p in voice(parse_chord("V7", C), 60, spread=False, voices=3)} == {G, B, F}


def test_voices_move_little_between_neighbouring_chords() -> None:
    tonic = voice(parse_chord("I", C), 62, spread=False, voices=3)
    dominant = voice(parse_chord("V", C), 62, spread=False, voices=3)
    assert max(min(abs(a - b) for b in tonic) for a in dominant) <= 2


@pytest.mark.parametrize("center", range(48, 72, 5))
@pytest.mark.parametrize("pitch_class", range(12))
def test_nearest_pitch_is_within_half_an_octave(pitch_class: int, center: int) -> None:
    pitch = nearest_pitch(pitch_class, center)
    assert pitch % 12 == pitch_class
    assert abs(pitch - center) <= 6


def test_scale_pitches_of_a_minor_are_white_keys() -> None:
    assert scale_pitches("minor", A, 57, 69) == [57, 59, 60, 62, 64, 65, 67, 69]


@pytest.mark.parametrize(
    ("progression", "third"), [("I V vi IV", 4), ("i bVII", 3), ("ii7 V7", None), ("i5", None)]
)
def test_the_tonic_chord_tells_the_mode(progression: str, third: int | None) -> None:
    assert tonic_third(parse_progression(progression, D), D) == third


def test_melodies_agree_with_the_mode_save_for_the_blues() -> None:
    fitting_major = {scale for scale in SCALES if fits(scale, 4)}
    assert fitting_major == {
        "major", "mixolydian", "major_pentatonic", "bebop", "blues", "minor_pentatonic"
    }  # fmt: skip
    assert "major" not in {scale for scale in SCALES if fits(scale, 3)}
