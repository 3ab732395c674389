"""Style: what a genre says about harmony, rhythm, instruments and sound, and how two mix.

Bass and accompaniment are figures: strings of one character per sixteenth, repeated or cut
to the bar. `-` holds the note before, `.` rests. In a bass figure `R O 3 5 6 7` are tones of
the chord, `a` and `b` lead to the next chord's root by a half or whole step. In an
accompaniment figure `C` strikes the chord (`c` softly), `1`..`6` are its tones from the
lowest, `P` is a power chord on the low root and `p` its palm-muted root.
"""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Harmony:
    """Chords and scales."""

    progressions: tuple[str, ...]
    scales: tuple[str, ...]  # of the melody
    sevenths: float = 0.0  # chance that a track's triads all carry sevenths


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Rhythm:
    """Time, drums, and the figures that the players repeat."""

    tempo: tuple[float, float]  # beats per minute, the middle 90 % of a log-normal
    grooves: tuple[str, ...]
    bass: tuple[str, ...]
    comping: tuple[str, ...]
    lead_cells: tuple[str, ...]  # one beat of melody: `x` a note, `-` held, `.` a rest
    swing: tuple[float, float] = (0.5, 0.5)
    swing_pairs: int = 1  # 1 swings eighths, 2 sixteenths
    meters: tuple[int, ...] = (4,)  # beats per bar where there are no drums


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Ensemble:
    """Players, as General MIDI programs."""

    bass: tuple[int, ...]
    comping: tuple[int, ...]
    pads: tuple[int, ...]
    leads: tuple[int, ...]
    kits: tuple[int, ...] = (0, 8)
    drums: float = 1.0  # chance that the track has them, as the others below
    bassist: float = 1.0
    second_comping: float = 0.5
    pad: float = 0.3
    lead: float = 0.8
    counter_lead: float = 0.25
    percussion: float = 0.3
    lead_register: tuple[int, int] = (66, 76)  # MIDI pitches for the middle of its range
    drive: tuple[float, float] = (0.0, 0.0)  # dB of amplifier overdrive on guitars


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """Centers of the production's choices; each track strays widely from them."""

    tilt_db: float = 0.0  # per octave
    reverb_s: float = 0.8
    wet_db: float = -14.0
    compression: float = 0.4  # 0 leaves the dynamics, 1 flattens them
    drums_db: float = 0.0
    bass_db: float = 0.0
    comping_db: float = 0.0
    lead_db: float = 0.0
    vinyl: float = 0.1  # chance of crackle


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """A genre as a composer sees it."""

    harmony: Harmony
    rhythm: Rhythm
    ensemble: Ensemble
    sound: Sound
    neighbours: tuple[str, ...]  # genres that it borrows from


DIMENSIONS = ("harmony", "rhythm", "ensemble", "sound")
# A fifth of the tracks are borderline. Borrowed counts are of the four dimensions; with two
# the track would be as much its neighbour's, so that stays rare.
BORROWED_COUNTS = (0.80, 0.19, 0.01)


def blend(styles: dict[str, Style], genre: str, rng: np.random.Generator) -> Style:
    """Return the genre's style, in some tracks with dimensions borrowed from a neighbour."""
    style = styles[genre]
    count = int(rng.choice(len(BORROWED_COUNTS), p=BORROWED_COUNTS))
    neighbour = styles[style.neighbours[int(rng.integers(len(style.neighbours)))]]
    borrowed = rng.permutation(len(DIMENSIONS))[:count]
    return dataclasses.replace(
        style, **{DIMENSIONS[i]: getattr(neighbour, DIMENSIONS[i]) for i in borrowed}
    )
