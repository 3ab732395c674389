"""Rhythm: drum grooves, fills, swing and human timing.

Patterns are strings, one character per sixteenth: 16 of them make a bar of 4/4, 12 a bar of
3/4. In drum lines `X` is an accent, `x` a plain stroke, `o` a soft one, `g` a ghost note,
`.` a rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STEPS_PER_BEAT = 4
STROKES = {"X": 116, "x": 98, "o": 76, "g": 50}  # MIDI velocities

KICK, RIM, SNARE, CLAP = 36, 37, 38, 39
CLOSED_HAT, PEDAL_HAT, OPEN_HAT, RIDE, CRASH = 42, 44, 46, 51, 49
TOMS = (50, 47, 43, 41)
TAMBOURINE, COWBELL, SHAKER, CABASA, HIGH_CONGA, LOW_CONGA, BONGO = 54, 56, 70, 69, 63, 64, 60

Groove = dict[int, str]  # General MIDI drum -> pattern

GROOVES: dict[str, Groove] = {
    "rock": {KICK: "X.......X.x.....", SNARE: "....X.......X...", CLOSED_HAT: "x.o.x.o.x.o.x.o."},
    "rock_push": {
        KICK: "X..x....x.X.....",
        SNARE: "....X.......X..g",
        CLOSED_HAT: "x.x.x.x.x.x.x.x.",
    },
    "rock_ride": {KICK: "X.x.....X.....x.", SNARE: "....X.......X...", RIDE: "x.o.x.o.x.o.x.o."},
    "rock_open": {
        KICK: "X.......X.......",
        SNARE: "....X.......X...",
        OPEN_HAT: "x...x...x...x...",
    },
    "half_time": {
        KICK: "X.....x.......x.",
        SNARE: "........X.......",
        CLOSED_HAT: "x.o.x.o.x.o.x.o.",
    },
    "punk": {KICK: "X.x.X.x.X.x.X.x.", SNARE: "..X...X...X...X.", CLOSED_HAT: "x.x.x.x.x.x.x.x."},
    "double_kick": {
        KICK: "xxxxxxxxxxxxxxxx",
        SNARE: "....X.......X...",
        RIDE: "X...X...X...X...",
    },
    "gallop": {KICK: "x.xxx.xxx.xxx.xx", SNARE: "....X.......X...", OPEN_HAT: "X...x...X...x..."},
    "blast": {KICK: "x.x.x.x.x.x.x.x.", SNARE: ".x.x.x.x.x.x.x.x", RIDE: "x.x.x.x.x.x.x.x."},
    "four_floor": {
        KICK: "X...X...X...X...",
        SNARE: "....X.......X...",
        OPEN_HAT: "..x...x...x...x.",
        CLOSED_HAT: "x...x...x...x...",
    },
    "four_sixteenths": {
        KICK: "X...X...X...X...",
        CLAP: "....X.......X...",
        CLOSED_HAT: "xoxoxoxoxoxoxoxo",
        OPEN_HAT: "..x...x...x...x.",
    },
    "four_plain": {
        KICK: "X...X...X...X...",
        CLAP: "....X.......X...",
        CLOSED_HAT: "..x...x...x...x.",
    },
    "pop": {KICK: "X.....x.x.......", SNARE: "....X.......X...", CLOSED_HAT: "x.x.x.x.x.x.x.x."},
    "pop_clap": {
        KICK: "X..x..x...x.....",
        CLAP: "....X.......X...",
        CLOSED_HAT: "x.x.x.x.x.xox.x.",
    },
    "ballad": {KICK: "X.......x.x.....", RIM: "....x.......x...", CLOSED_HAT: "o.o.o.o.o.o.o.o."},
    "boom_bap": {
        KICK: "X.x....x..x.....",
        SNARE: "....X..g.g..X...",
        CLOSED_HAT: "x.x.x.x.x.x.x.x.",
    },
    "boom_bap_late": {
        KICK: "X......x.xX....x",
        SNARE: "....X.......X..g",
        CLOSED_HAT: "x.o.x.o.x.o.x.o.",
    },
    "trap": {KICK: "X.....x...x..x..", CLAP: "........X.......", CLOSED_HAT: "x.x.xoxox.x.xxxx"},
    "break": {
        KICK: "X.x.......xx....",
        SNARE: "....X..g.g..X..g",
        RIDE: "x.x.x.x.x.x.x.x.",
    },
    "funk": {KICK: "X..x..x...x..x..", SNARE: "....X..g.g..X.g.", CLOSED_HAT: "xoxoxoxoxoxoxoxo"},
    "shuffle": {KICK: "X.......X.....x.", SNARE: "....X.......X...", CLOSED_HAT: "x..." * 4},
    "shuffle_ride": {KICK: "X...x...X...x...", SNARE: "....X.......X..g", RIDE: "x.o.x.o.x.o.x.o."},
    "slow_blues": {KICK: "X.......X.......", SNARE: "....x.......x...", RIDE: "x.o.x.o.x.o.x.o."},
    "swing": {RIDE: "x...x.o.x...x.o.", PEDAL_HAT: "....x.......x...", KICK: "o.......o......."},
    "swing_comp": {
        RIDE: "x...x.o.x...x.o.",
        PEDAL_HAT: "....x.......x...",
        SNARE: "......g.......o.",
        KICK: "........g.....o.",
    },
    "brushes": {SNARE: "o.g.x.g.o.g.x.g.", PEDAL_HAT: "....x.......x...", KICK: "o.......o......."},
    "bossa": {
        KICK: "x.....x.x.....x.",
        RIM: "x.....x...x.....",
        CLOSED_HAT: "o.o.o.o.o.o.o.o.",
    },
    "one_drop": {RIM: "........X.......", KICK: "........X.......", CLOSED_HAT: "x.o.x.o.x.o.x.o."},
    "one_drop_open": {
        KICK: "........X.......",
        SNARE: "........x.......",
        CLOSED_HAT: "..x...x...x..xx.",
    },
    "rockers": {KICK: "X...x...X...x...", RIM: "........X.......", CLOSED_HAT: "x.o.x.o.x.o.x.o."},
    "steppers": {
        KICK: "X...X...X...X...",
        SNARE: "........X..g....",
        CLOSED_HAT: "..x...x...x...x.",
    },
    "train": {SNARE: "oxoXoxoXoxoXoxoX", KICK: "X...X...X...X..."},
    "two_step": {
        KICK: "X.......X.......",
        SNARE: "....X.......X...",
        CLOSED_HAT: "x.x.x.x.x.x.x.x.",
    },
    "country_rim": {
        KICK: "X.......X.......",
        RIM: "....x.......x...",
        CLOSED_HAT: "x.o.x.o.x.o.x.o.",
    },
    "waltz": {KICK: "X...........", SNARE: "....o...o...", CLOSED_HAT: "x...x...x..."},
    "jazz_waltz": {RIDE: "x...x.o.x...", PEDAL_HAT: "....x.......", KICK: "o..........."},
}

# What a player may add to any groove.
PERCUSSION: tuple[Groove, ...] = (
    {TAMBOURINE: "....x.......x..."},
    {TAMBOURINE: "x.o.x.o.x.o.x.o."},
    {SHAKER: "xoxoxoxoxoxoxoxo"},
    {CABASA: "x.o.x.o.x.o.x.o."},
    {HIGH_CONGA: "..x...xx..x...x.", LOW_CONGA: "......x.......xx"},
    {BONGO: "x..x..x...x.x..."},
    {COWBELL: "x...x...x...x..."},
    {COWBELL: "o.x.o.x.o.x.o.x."},
)

FILLS: tuple[Groove, ...] = (
    {SNARE: "........o.x.x.X."},
    {SNARE: "........xxxx....", TOMS[1]: "............xx..", TOMS[3]: "..............XX"},
    {TOMS[0]: "........x.x.....", TOMS[1]: "............x...", TOMS[2]: "..............x."},
    {SNARE: "............xxXX"},
    {KICK: "............X...", SNARE: "..........x.x.x."},
    {OPEN_HAT: "..............X."},
)

# The hat's part may be taken by another cymbal, and the snare's by another backbeat.
HAT_PLAYERS = (*(CLOSED_HAT,) * 8, RIDE, OPEN_HAT, PEDAL_HAT, SHAKER)
BACKBEAT_PLAYERS = (*(SNARE,) * 8, CLAP, RIM)


class Note(NamedTuple):
    """A note in beats from the start of the piece."""

    start: float
    duration: float
    pitch: int  # MIDI pitch, or General MIDI drum
    velocity: int


def strokes(groove: Groove, first_beat: float, steps: range) -> list[Note]:
    """Play some steps of a groove in the bar that begins at `first_beat`."""
    return [
        Note(first_beat + step / STEPS_PER_BEAT, 0.2, drum, STROKES[line[step % len(line)]])
        for drum, line in groove.items()
        for step in steps
        if line[step % len(line)] != "."
    ]


def swing(beats: NDArray[np.float64], ratio: float, pairs_per_beat: int) -> NDArray[np.float64]:
    """Delay the second half of every pair of notes.

    Parameters
    ----------
    beats : float64, any shape
        Straight positions.
    ratio : float
        Where in a pair its second note falls: 0.5 is straight, 2/3 a triplet.
    pairs_per_beat : int
        1 swings eighths, 2 swings sixteenths.
    """
    pairs = beats * pairs_per_beat
    whole = np.floor(pairs)
    part = pairs - whole
    bent = np.where(part < 0.5, part * 2 * ratio, ratio + (part - 0.5) * 2 * (1 - ratio))
    return (whole + bent) / pairs_per_beat
