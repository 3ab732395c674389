"""Chords: roman-numeral progressions, scales and voicings.

A progression is text, one word per bar and a comma between chords that share a bar:
`"ii7 V7 Imaj7 vi7,V7"`. A numeral's case gives its third, a suffix the rest of the chord;
`b` or `#` before it shifts the root. Numerals count degrees of the major scale in every
mode, so a minor key reads `"i bVII bVI V"`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "major_pentatonic": (0, 2, 4, 7, 9),
    "minor_pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "bebop": (0, 2, 4, 5, 7, 8, 9, 11),
}

_DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_MAJOR_SUFFIXES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "7": (0, 4, 7, 10),
    "9": (0, 4, 7, 10, 14),
    "13": (0, 4, 10, 14, 21),
    "7#9": (0, 4, 7, 10, 15),
    "maj7": (0, 4, 7, 11),
    "maj9": (0, 4, 7, 11, 14),
    "add9": (0, 4, 7, 14),
    "sus4": (0, 5, 7),
    "aug": (0, 4, 8),
}
_MINOR_SUFFIXES: dict[str, tuple[int, ...]] = {
    "": (0, 3, 7),
    "5": (0, 7),
    "6": (0, 3, 7, 9),
    "7": (0, 3, 7, 10),
    "9": (0, 3, 7, 10, 14),
    "7b5": (0, 3, 6, 10),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
}
_NUMERAL = re.compile(r"([b#]?)(vii|vi|iv|v|iii|ii|i|VII|VI|IV|V|III|II|I)(.*)")
_SEVENTH_OF_TRIAD: dict[tuple[int, ...], int] = {(0, 4, 7): 11, (0, 3, 7): 10, (0, 3, 6): 10}


@dataclasses.dataclass(frozen=True, slots=True)
class Chord:
    """A root's pitch class (0 is C) and the chord's semitones above it, root first."""

    root: int
    intervals: tuple[int, ...]

    def interval(self, degree: int) -> int:
        """Semitones above the root of the chord's third, fifth or seventh, or of the usual one."""
        usual = {3: 4, 5: 7, 6: 9, 7: 10}[degree]
        near = [i for i in self.intervals if abs(i - usual) <= 1]
        return near[0] if near else usual

    def with_seventh(self) -> Chord:
        """Add its seventh to a triad; leave other chords as they are."""
        seventh = _SEVENTH_OF_TRIAD.get(self.intervals)
        return self if seventh is None else Chord(self.root, (*self.intervals, seventh))


Progression: TypeAlias = tuple[tuple[Chord, ...], ...]  # bars of chords


def parse_chord(numeral: str, tonic: int) -> Chord:
    """Read one roman numeral in the key of pitch class `tonic`.

    Raises
    ------
    ValueError
        If it is not a numeral with one of the known suffixes.
    """
    found = _NUMERAL.fullmatch(numeral)
    if found is None:
        raise ValueError(f"{numeral!r} is not a roman numeral")
    accidental, degree, suffix = found.groups()
    suffixes = _MAJOR_SUFFIXES if degree.isupper() else _MINOR_SUFFIXES
    if suffix not in suffixes:
        raise ValueError(f"{numeral!r}: the suffix is none of {list(suffixes)}")
    shift = {"b": -1, "#": 1, "": 0}[accidental]
    return Chord((tonic + _DEGREES[degree.lower()] + shift) % 12, suffixes[suffix])


def parse_progression(text: str, tonic: int) -> Progression:
    """Read a progression into bars, each a tuple of chords that divide the bar evenly."""
    return tuple(
        tuple(parse_chord(numeral, tonic) for numeral in bar.split(",")) for bar in text.split()
    )


def with_sevenths(progression: Progression) -> Progression:
    """Add a seventh to every triad of a progression."""
    return tuple(tuple(chord.with_seventh() for chord in bar) for bar in progression)


def nearest_pitch(pitch_class: int, center: int) -> int:
    """MIDI pitch of `pitch_class` closest to `center`."""
    return center + (pitch_class - center + 6) % 12 - 6


def voice(chord: Chord, center: int, *, spread: bool, voices: int) -> list[int]:
    """MIDI pitches of a chord, lowest first, each tone as near `center` as it can lie.

    Keeping every tone near one center is what leads the voices: from chord to chord each
    moves by the smallest step.

    Parameters
    ----------
    chord : Chord
        What to voice.
    center : int
        MIDI pitch in the middle of the voicing.
    spread : bool
        Whether the second voice from the top drops an octave.
    voices : int
        How many voices at most; of a larger chord the fifth goes first, then the root.
    """
    intervals = list(chord.intervals)
    for spare in (7, 0):
        if len(intervals) > max(voices, 2) and spare in intervals:
            intervals.remove(spare)
    pitches = sorted({nearest_pitch((chord.root + i) % 12, center) for i in intervals})
    if spread and len(pitches) > 2:
        pitches[-2] -= 12
        pitches.sort()
    return pitches


def scale_pitches(scale: str, tonic: int, low: int, high: int) -> list[int]:
    """All MIDI pitches of a scale between `low` and `high`, both included."""
    members = {(tonic + step) % 12 for step in SCALES[scale]}
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in members]


def nearest_index(pitches: Sequence[int], pitch: float) -> int:
    """Index of the entry of `pitches` closest to `pitch`."""
    return int(np.argmin(np.abs(np.asarray(pitches) - pitch)))


def tonic_third(progression: Progression, tonic: int) -> int | None:
    """Third of a progression's tonic chord, 3 or 4 semitones; None where it has none."""
    thirds = {
        interval
        for bar in progression
        for chord in bar
        if chord.root == tonic
        for interval in chord.intervals
        if interval in (3, 4)
    }
    return thirds.pop() if len(thirds) == 1 else None


def fits(scale: str, third: int | None) -> bool:
    """Whether a melody in `scale` agrees with a tonic chord of this third.

    The blues scale and the minor pentatonic lie over major chords too: that is the blues.
    """
    steps = SCALES[scale]
    if third is None or third in steps:
        return True
    return third == 4 and scale in ("blues", "minor_pentatonic")
