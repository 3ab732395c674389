"""Accompaniment: bass lines and chord figures, one bar at a time."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

from .chords import Chord, nearest_pitch, voice
from .grooves import STEPS_PER_BEAT, Note

_STRONG, _SOFT, _MUTED = 96, 70, 78  # MIDI velocities
_ACCENT = 8  # added on a beat
_DAMPED = 0.6  # a palm-muted or unheld note's share of its step
_POWER_ROOT = 43  # the middle of the octave where power chords have their roots


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a piece: when it starts, how long it is, and what sounds in it."""

    first_beat: float
    beats: int
    chords: tuple[Chord, ...]
    following: Chord  # the first chord of the next bar

    @property
    def steps(self) -> int:
        """Sixteenths in the bar."""
        return self.beats * STEPS_PER_BEAT

    def chord_at(self, step: int) -> Chord:
        """Return the chord that sounds at a step."""
        return self.chords[step * len(self.chords) // self.steps]

    def root_after(self, step: int) -> int:
        """Pitch class of the root of the chord that comes after the one at a step."""
        index = step * len(self.chords) // self.steps + 1
        return (self.chords[index] if index < len(self.chords) else self.following).root


@functools.cache
def strikes(figure: str, steps: int, chords: int) -> tuple[tuple[int, int, str], ...]:
    """Read a figure as (step, length in steps, character); a held note ends with its chord.

    Parameters
    ----------
    figure : str
        One character per sixteenth, repeated or cut to the bar.
    steps : int
        Sixteenths in the bar.
    chords : int
        How many chords share the bar.
    """
    found: list[tuple[int, int, str]] = []
    boundaries = {steps * i // chords for i in range(1, chords)}
    for step in range(steps):
        character = figure[step % len(figure)]
        if character == "." or (character == "-" and not found):
            continue
        if character != "-":
            found.append((step, 1, character))
            continue
        start, length, held = found[-1]
        if start + length != step:  # a rest lies between: nothing to hold
            continue
        found[-1:] = (
            [(start, length, held), (step, 1, held)]
            if step in boundaries
            else [(start, length + 1, held)]
        )
    return tuple(found)


def _velocity(base: int, step: int) -> int:
    return base + (_ACCENT if step % STEPS_PER_BEAT == 0 else 0)


def bass_bar(figure: str, bar: Bar, center: int) -> list[Note]:
    """Play a bass figure over a bar, roots near the MIDI pitch `center`."""
    notes = []
    for step, length, character in strikes(figure, bar.steps, len(bar.chords)):
        chord = bar.chord_at(step)
        root = nearest_pitch(chord.root, center)
        if character in "ab":
            target = nearest_pitch(bar.root_after(step), center)
            distance = 1 if character == "a" else 2
            pitch = target + (distance if target < root else -distance)
        elif character == "O":
            pitch = root + 12
        else:
            pitch = root if character == "R" else root + chord.interval(int(character))
        held = (length if length > 1 else 0.9) / STEPS_PER_BEAT
        start = bar.first_beat + step / STEPS_PER_BEAT
        notes.append(Note(start, held * 0.95, pitch, _velocity(_STRONG, step)))
    return notes


def comping_bar(figure: str, bar: Bar, center: int, *, spread: bool, voices: int) -> list[Note]:
    """Play an accompaniment figure over a bar, its chords voiced around `center`."""
    notes: list[Note] = []
    for step, length, character in strikes(figure, bar.steps, len(bar.chords)):
        chord = bar.chord_at(step)
        start = bar.first_beat + step / STEPS_PER_BEAT
        held = (length if length > 1 else _DAMPED) / STEPS_PER_BEAT * 0.97
        if character in "Pp":
            pitches, velocity = _power(chord, character), _STRONG if character == "P" else _MUTED
        elif character in "Cc":
            pitches = voice(chord, center, spread=spread, voices=voices)
            velocity = _STRONG if character == "C" else _SOFT
        else:
            pitches = [_tone(voice(chord, center, spread=spread, voices=voices), int(character))]
            velocity = _STRONG - 6
        level = _velocity(velocity, step)
        notes.extend(Note(start, held, pitch, level) for pitch in pitches)
    return notes


def _power(chord: Chord, character: str) -> list[int]:
    root = nearest_pitch(chord.root, _POWER_ROOT)
    return [root, root + chord.interval(5), root + 12] if character == "P" else [root]


def _tone(pitches: Sequence[int], number: int) -> int:
    octave, index = divmod(number - 1, len(pitches))
    return pitches[index] + 12 * octave
