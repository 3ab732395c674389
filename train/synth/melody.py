"""Melody: motifs of rhythm and contour, repeated and varied over the chords."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from .accompaniment import Bar
from .chords import nearest_index, scale_pitches
from .grooves import STEPS_PER_BEAT, Note

_STEPWISE = (-2, -1, -1, -1, 0, 1, 1, 1, 2, 3, -3, 4)  # scale steps between two notes
_REPEATED = (0, 0, 0, 0, 1, -1, 2, -2)
_VARIATION = 0.22  # chance that a repeated note departs from its motif
_PHRASES = ("AABA", "ABAB", "AABB", "ABAC", "AAAB")
_REACH = 11  # semitones to either side of the register's center


@dataclasses.dataclass(frozen=True, slots=True)
class Motif:
    """One bar of melody without its key: onsets, lengths and moves in scale steps."""

    onsets: tuple[int, ...]  # sixteenths
    lengths: tuple[int, ...]
    moves: tuple[int, ...]


def draw_motif(cells: Sequence[str], beats: int, rng: np.random.Generator) -> Motif:
    """Draw a bar's rhythm from one-beat cells, and a contour for it."""
    line = "".join(cells[int(rng.integers(len(cells)))] for _ in range(beats))
    line = line if "x" in line else "x" + line[1:]
    onsets = [step for step, character in enumerate(line) if character == "x"]
    ends = [*onsets, len(line)][1:]
    lengths = []
    for onset, end in zip(onsets, ends, strict=True):
        rest = line.find(".", onset, end)
        lengths.append((end if rest < 0 else rest) - onset)
    pool = _REPEATED if rng.random() < 0.25 else _STEPWISE
    moves = [pool[int(rng.integers(len(pool)))] for _ in onsets]
    return Motif(tuple(onsets), tuple(lengths), tuple(moves))


class Melody:
    """A line that plays its motifs bar by bar and remembers where it stands.

    Parameters
    ----------
    cells : sequence of str
        The style's one-beat rhythms.
    beats : int
        Beats in a bar.
    scale, tonic : str, int
        The key: a name in `harmony.SCALES` and a pitch class.
    center : int
        MIDI pitch in the middle of the register.
    rng : numpy.random.Generator
        Source of the motifs and of their variation.
    """

    def __init__(
        self,
        cells: Sequence[str],
        beats: int,
        *,
        scale: str,
        tonic: int,
        center: int,
        rng: np.random.Generator,
    ) -> None:
        self._rng = rng
        self._pitches = scale_pitches(scale, tonic, center - _REACH, center + _REACH)
        self._index = nearest_index(self._pitches, center)
        self._motifs = {name: draw_motif(cells, beats, rng) for name in "ABC"}
        self._phrase = _PHRASES[int(rng.integers(len(_PHRASES)))]
        self._bars = 0

    def bar(self, bar: Bar) -> list[Note]:
        """Play the next bar of the phrase over its chords."""
        motif = self._motifs[self._phrase[self._bars % len(self._phrase)]]
        self._bars += 1
        notes = []
        for onset, length, move in zip(motif.onsets, motif.lengths, motif.moves, strict=True):
            varied = self._rng.random() < _VARIATION
            self._step(move + (int(self._rng.integers(-1, 2)) if varied else 0))
            if onset % 8 == 0 or length >= 6:
                self._settle(bar, onset)
            start = bar.first_beat + onset / STEPS_PER_BEAT
            velocity = 90 + (12 if onset % 8 == 0 else 0) - (8 if onset % 2 else 0)
            held = length / STEPS_PER_BEAT * 0.92
            notes.append(Note(start, held, self._pitches[self._index], velocity))
        return notes

    def _step(self, move: int) -> None:
        """Move along the scale, turning back at the ends of the register."""
        last = len(self._pitches) - 1
        index = self._index + move
        if index < 0:
            index = -index
        if index > last:
            index = 2 * last - index
        self._index = min(max(index, 0), last)

    def _settle(self, bar: Bar, step: int) -> None:
        """Move to the closest pitch of the scale that belongs to the chord, if there is one."""
        chord = bar.chord_at(step)
        tones = {(chord.root + interval) % 12 for interval in chord.intervals}
        near = [i for i, pitch in enumerate(self._pitches) if pitch % 12 in tones]
        if near:
            self._index = min(near, key=lambda i: abs(i - self._index))
