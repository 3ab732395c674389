"""When each genre plays: its tempi, grooves, figures and swing."""

from __future__ import annotations

from .style import Rhythm

# Bass figures that several genres share.
EIGHTHS = "R-R-R-R-R-R-R-R-"
ROOT_FIFTH = "R-------5-------"
QUARTERS = "R---R---5---R---"
HALVES = "R-------R-----5-"
WALKING = ("R---3---5---a---", "R---5---6---b---", "R---3---5---b---", "O---7---5---a---")
OCTAVES = ("R-O-R-O-R-O-R-O-", "R.O.R.O.R.OOR.O.")

EASY_CELLS = ("x---", "x-x-", "x---", "--x-", "----", "....")
BUSY_CELLS = ("x-x-", "xxx-", "x-xx", "xxxx", "x---", "..x-")
LONG_CELLS = ("x---", "----", "----", "x-x-", "....")

RHYTHMS: dict[str, Rhythm] = {
    "blues": Rhythm(
        tempo=(62, 148),
        grooves=("shuffle", "shuffle_ride", "slow_blues", "rock", "swing", "two_step"),
        bass=(
            "R---3---5---6---",
            "R-R-3-3-5-5-6-6-",
            *WALKING[:2],
            "R-------R---5-7-",
            QUARTERS,
        ),
        comping=(
            "C-C-C-C-C-C-C-C-",
            "..C-....C-....C.",
            "P-P-P-P-P-P-P-P-",
            "1-2-3-2-1-2-3-2-",
            "....C.......C...",
            "C---------------",
        ),
        lead_cells=("x-x-", "--x-", "x---", "....", "xxx-", "x-xx", "----"),
        swing=(0.58, 0.68),
    ),
    "classical": Rhythm(
        tempo=(58, 152),
        grooves=("two_step", "waltz"),
        bass=("R---------------", ROOT_FIFTH, QUARTERS, "R---5---O---5---", "R---3---5---R---"),
        comping=(
            "1-3-2-3-1-3-2-3-",
            "1-2-3-4-3-2-3-2-",
            "1234321212343212",
            "C---------------",
            "1---C---C---C---",
            "C---C---C---C---",
            "c-c-c-c-c-c-c-c-",
        ),
        lead_cells=(*EASY_CELLS, *BUSY_CELLS, "x--x"),
        meters=(4, 4, 3),
    ),
    "country": Rhythm(
        tempo=(74, 176),
        grooves=("train", "two_step", "country_rim", "rock", "waltz", "shuffle", "ballad"),
        bass=(ROOT_FIFTH, ROOT_FIFTH, "R---5---R---5---", QUARTERS, HALVES, "R-----R-5-----a-"),
        comping=(
            "1---C---2---C---",
            "1-C-2-C-1-C-2-C-",
            "....C.......C...",
            "1-3-2-4-1-3-2-4-",
            "1243124312431243",
            "C---c-C-..C-c-C-",
        ),
        lead_cells=(*EASY_CELLS, "xxx-", "x-xx", "x--x"),
        swing=(0.5, 0.62),
        meters=(4, 3),
    ),
    "disco": Rhythm(
        tempo=(92, 136),
        grooves=("four_floor", "four_sixteenths", "four_floor", "four_plain", "funk"),
        bass=(
            *OCTAVES,
            OCTAVES[0],
            "R..RO..RR.5.O.7.",
            "R-..R-O...R-5-O-",
            EIGHTHS,
        ),
        comping=(
            "C.CC.CC.C.CC.CC.",
            "..C...C...C...C.",
            "..cC..cC..cC..cC",
            "C------C--------",
            "C..C..C.........",
            "1.2.3.2.1.2.3.2.",
        ),
        lead_cells=("x-x-", "..x-", "x---", "....", "x--x", "----", "xxx-"),
        swing=(0.5, 0.54),
        swing_pairs=2,
    ),
    "hiphop": Rhythm(
        tempo=(76, 112),
        grooves=("boom_bap", "boom_bap_late", "trap", "break", "funk", "half_time"),
        bass=(
            "R-----R-..R-....",
            "R---------a-....",
            "R--R----..R---5-",
            "R-------..O-R---",
            "R..R..R.....7.R.",
            "R---------------",
        ),
        comping=(
            "C---------------",
            "..C-....C-......",
            "C..C....C.......",
            "C---..C-....C---",
            "1-2-3-2-1-2-3-2-",
            "....C.......C...",
        ),
        lead_cells=("xxxx", "x-xx", "xx.x", ".xxx", "x.x.", "....", "xxx.", "....", "x---"),
        swing=(0.5, 0.6),
        swing_pairs=2,
    ),
    "jazz": Rhythm(
        tempo=(66, 210),
        grooves=("swing", "swing", "swing_comp", "brushes", "bossa", "jazz_waltz", "funk"),
        bass=(*WALKING, *WALKING, "R-------5-----a-", "R-----5-R-----5-"),
        comping=(
            "C-....C.........",
            "......C-......C.",
            "..C.......C-....",
            "C---............",
            "....C-....C-....",
            "C-------C-------",
            "c---c---c---c---",
        ),
        lead_cells=(*BUSY_CELLS, "x-x-", "x-x-", "--x-", "....", "...."),
        swing=(0.55, 0.68),
        meters=(4, 4, 3),
    ),
    "metal": Rhythm(
        tempo=(84, 196),
        grooves=("double_kick", "gallop", "blast", "rock_open", "half_time", "punk", "rock"),
        bass=(
            "RRRRRRRRRRRRRRRR",
            EIGHTHS,
            "R-RRR-RRR-RRR-RR",
            "R---------------",
            "R-RRR-R-a-aaR-R-",
        ),
        comping=(
            "pppppppppppppppp",
            "PpppPpppPppppPpp",
            "p.ppp.ppp.ppP-P-",
            "P---------------",
            "P-ppP-ppP-ppP-P-",
            "P-P-P-P-P-P-P-P-",
        ),
        lead_cells=("xxxx", "x-xx", "xxx-", "x---", "----", "x-x-", "...."),
    ),
    "pop": Rhythm(
        tempo=(72, 138),
        grooves=("pop", "pop_clap", "rock", "four_plain", "ballad", "four_floor", "funk"),
        bass=(
            EIGHTHS,
            HALVES,
            "R-----R-R-----5-",
            "R---------------",
            "R--R--R-R--R--5-",
            OCTAVES[0],
        ),
        comping=(
            "C---------------",
            "C-------C-------",
            "C--C--C-C--C--C-",
            "1-2-3-2-1-2-3-2-",
            "C---C---C---C---",
            "1-3-2-3-4-3-2-3-",
            "C-c-..c-C-c-..c-",
        ),
        lead_cells=("x-x-", "x---", "--x-", "x--x", "xxx-", "....", "----"),
        swing=(0.5, 0.54),
        swing_pairs=2,
    ),
    "reggae": Rhythm(
        tempo=(62, 98),
        grooves=("one_drop", "one_drop_open", "rockers", "steppers", "one_drop"),
        bass=(
            "R-..R-3-5-......",
            "..R-R-5-..R-3-R-",
            "R-R-..5-R-..3-5-",
            "R---..5-6-5-....",
            "R-..3-..5-..7-5-",
            "....R-R-5-3-R-..",
        ),
        comping=(
            "....C.......C...",
            "....C.......C...",
            "....C.c.....C.c.",
            "..C...C...C...C.",
            "..c.C.c...c.C.c.",
            ".cC..cC..cC..cC.",
        ),
        lead_cells=("x-x-", "..x-", "x---", "....", "....", "--x-", "xxx-"),
        swing=(0.5, 0.62),
        swing_pairs=2,
    ),
    "rock": Rhythm(
        tempo=(80, 172),
        grooves=("rock", "rock_push", "rock_ride", "rock_open", "half_time", "punk", "shuffle"),
        bass=(
            EIGHTHS,
            EIGHTHS,
            QUARTERS,
            "R-RR..R-R-RR5-7-",
            "R-----R-R---5-7-",
            "R--R--R-R-5-7-b-",
        ),
        comping=(
            "P-P-P-P-P-P-P-P-",
            "P-----P-P---P-P-",
            "C--C--C-C--C--C-",
            "C---------------",
            "1-3-2-3-4-3-2-3-",
            "p-p-P---p-p-P-P-",
            "C---c-C-..C-c-C-",
        ),
        lead_cells=("x-x-", "x---", "--x-", "xxx-", "....", "x-xx", "----"),
        swing=(0.5, 0.54),
    ),
}
