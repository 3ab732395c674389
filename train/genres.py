"""The ten genres of GTZAN as declarations: the rules that each is composed by."""

from __future__ import annotations

from .styles import Ensemble, Harmony, Rhythm, Sound, Style

# General MIDI programs by family, so that a genre's pool reads as its players.
PIANOS = (0, 1, 2)
E_PIANOS = (4, 5)
ORGANS = (16, 17, 18)
CLEAN_GUITARS = (26, 27)
ACOUSTIC_GUITARS = (24, 25)
DRIVEN_GUITARS = (29, 30)
STRINGS = (48, 49)
SYNTH_PADS = (50, 51, 88, 89, 90, 94)
SYNTH_LEADS = (80, 81, 84, 87)
VOICES = (52, 53, 54, 85)
SAXES = (64, 65, 66, 67)
BRASS = (56, 57, 60, 61)
WOODWINDS = (68, 70, 71, 72, 73)

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

STYLES: dict[str, Style] = {
    "blues": Style(
        harmony=Harmony(
            progressions=(
                "I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",
                "I7 IV7 I7 I7 IV7 IV7 I7 VI7 ii7 V7 I7 V7",
                "i7 i7 i7 i7 iv7 iv7 i7 i7 bVI7 V7 i7 V7",
                "I7 V7 IV7 IV7 I7 V7 I7 V7",
                "I9 IV9 I9 I9 IV9 IV9 I9 I9 V9 IV9 I9 V7#9",
                "I7 I7 IV7 I7",
            ),
            scales=("blues", "blues", "minor_pentatonic", "mixolydian"),
        ),
        rhythm=Rhythm(
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
        ensemble=Ensemble(
            bass=(32, 33, 33, 34),
            comping=(*PIANOS, 3, 25, *CLEAN_GUITARS, 29, *ORGANS[:2]),
            pads=(*ORGANS, 61),
            leads=(22, 22, *CLEAN_GUITARS, 29, 25, 66, 65, 0, 3),
            kits=(0, 8, 40),
            drums=0.85,
            pad=0.2,
            lead=0.9,
            drive=(0.0, 14.0),
        ),
        sound=Sound(tilt_db=-0.3, reverb_s=0.6, vinyl=0.3, compression=0.3),
        neighbours=("jazz", "rock", "country"),
    ),
    "classical": Style(
        harmony=Harmony(
            progressions=(
                "I I V V I I ii,V I",
                "I IV V I vi ii V I",
                "i iv V i bVI iv V i",
                "I V vi iii IV I IV V",
                "i V7 i iv i V7 bVI V7",
                "I vi ii V7 I IV I,V I",
                "I ii6 V7 I vi II7 V V7",
            ),
            scales=("major", "major", "harmonic_minor", "minor"),
        ),
        rhythm=Rhythm(
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
        ensemble=Ensemble(
            bass=(43, 42, 32, 70, 0, 58),
            comping=(0, 0, 1, 6, 46, 45, 48, 49, 41, 40, 19, 24),
            pads=(48, 49, 44, 60, 52, 42, 19),
            leads=(40, 41, 42, *WOODWINDS, 0, 0, 6, 56, 60, 48),
            drums=0.04,
            bassist=0.75,
            second_comping=0.4,
            pad=0.5,
            counter_lead=0.5,
            percussion=0.0,
        ),
        sound=Sound(tilt_db=-0.2, reverb_s=1.6, wet_db=-9.0, compression=0.15, vinyl=0.12),
        neighbours=("jazz", "pop", "country"),
    ),
    "country": Style(
        harmony=Harmony(
            progressions=(
                "I I IV I I I V V I I IV I I V I I",
                "I IV I V I IV V I",
                "I I V V V V I I",
                "I vi IV V",
                "I I7 IV IV I V I V",
                "I II V V I IV I,V I",
            ),
            scales=("major_pentatonic", "major", "mixolydian", "major_pentatonic"),
        ),
        rhythm=Rhythm(
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
        ensemble=Ensemble(
            bass=(32, 33, 34, 33),
            comping=(25, 25, 24, 105, 27, 26, 0, 3, 15),
            pads=(*STRINGS, 16, 21, 49),
            leads=(110, 22, 105, 25, 27, 40, 21, 26, 53, 28),
            kits=(0, 8, 40),
            drums=0.85,
            second_comping=0.75,
            drive=(0.0, 6.0),
        ),
        sound=Sound(tilt_db=0.3, reverb_s=0.7, compression=0.35, vinyl=0.12),
        neighbours=("rock", "blues", "pop"),
    ),
    "disco": Style(
        harmony=Harmony(
            progressions=(
                "i7 i7 IV7 IV7",
                "ii7 V7 Imaj7 Imaj7",
                "i bVII bVI bVII",
                "vi7 ii7 V7 Imaj7",
                "I vi IV V",
                "i7 bVII bVImaj7 v7",
                "i7",
            ),
            scales=("dorian", "minor_pentatonic", "major", "mixolydian"),
            sevenths=0.5,
        ),
        rhythm=Rhythm(
            tempo=(98, 136),
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
        ensemble=Ensemble(
            bass=(33, 34, 36, 38, 39, 37),
            comping=(27, 28, *E_PIANOS, 7, 0, 62, 26),
            pads=(48, 49, 50, 51, 89),
            leads=(48, 61, 62, 53, 54, 81, 65, 73, 56),
            kits=(0, 8, 16, 25),
            pad=0.65,
            percussion=0.55,
        ),
        sound=Sound(tilt_db=0.3, reverb_s=0.7, compression=0.5, drums_db=1.5, bass_db=1.0),
        neighbours=("pop", "pop", "hiphop", "reggae"),
    ),
    "hiphop": Style(
        harmony=Harmony(
            progressions=(
                "i7 i7",
                "i bVI",
                "i7 iv7",
                "ii7 V7 i7 i7",
                "i bVII bVI V",
                "i9 bVImaj7",
                "Imaj7 vi7 ii7 V7",
                "i v",
            ),
            scales=("minor_pentatonic", "minor", "dorian", "blues"),
            sevenths=0.5,
        ),
        rhythm=Rhythm(
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
        ensemble=Ensemble(
            bass=(38, 39, 33, 35, 32, 36),
            comping=(*E_PIANOS, 0, 7, 26, 11, 45, 16, 88, 12),
            pads=(*SYNTH_PADS, 48, 52),
            leads=(54, 85, 53, 80, 81, 87, 73, 4, 75),
            kits=(25, 24, 0, 16, 8),
            pad=0.4,
            percussion=0.25,
        ),
        sound=Sound(
            tilt_db=-0.5,
            reverb_s=0.4,
            wet_db=-17.0,
            drums_db=2.5,
            bass_db=3.0,
            compression=0.6,
            vinyl=0.3,
        ),
        neighbours=("reggae", "disco", "pop"),
    ),
    "jazz": Style(
        harmony=Harmony(
            progressions=(
                "ii7 V7 Imaj7 Imaj7",
                "Imaj7,vi7 ii7,V7 iii7,VI7 ii7,V7",
                "ii7b5 V7#9 i7 i7",
                "i7 i7 i7 i7 bii7 bii7 i7 i7",
                "Imaj7 II7 ii7 V13 Imaj7 bIImaj7 ii9 V13",
                "I7 IV7 I7 I7 IV7 #ivdim7 I7 VI7 ii7 V7 I7,VI7 ii7,V7",
                "iii7 VI7 ii9 V13 Imaj9 IVmaj7 ii7b5 V7",
            ),
            scales=("bebop", "bebop", "dorian", "blues", "mixolydian"),
        ),
        rhythm=Rhythm(
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
        ensemble=Ensemble(
            bass=(32, 32, 32, 35, 33),
            comping=(*PIANOS, 0, 26, 4, 11, 26, 16),
            pads=(48, 61, 11, 89),
            leads=(*SAXES[:3], 66, 56, 59, 57, 71, 73, 11, 26, 0, 0),
            kits=(32, 40, 0, 32),
            drums=0.82,
            bassist=0.92,
            second_comping=0.25,
            pad=0.15,
            lead=0.95,
            percussion=0.1,
        ),
        sound=Sound(tilt_db=-0.4, reverb_s=0.9, compression=0.2, drums_db=-2.0, vinyl=0.3),
        neighbours=("blues", "blues", "classical", "hiphop"),
    ),
    "metal": Style(
        harmony=Harmony(
            progressions=(
                "i5 i5 bVI5 bVII5",
                "i5 bII5 i5 bII5",
                "i5 i5 i5 bIII5,bII5",
                "i5 bVII5 bVI5 V5",
                "i5 bIII5 iv5 bVI5",
                "i5",
                "i5 bV5 iv5 bII5",
            ),
            scales=("minor", "phrygian", "harmonic_minor", "minor_pentatonic"),
        ),
        rhythm=Rhythm(
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
        ensemble=Ensemble(
            bass=(34, 34, 33),
            comping=(30, 30, 29, 30),
            pads=(52, 48, 50, 91, 19),
            leads=(30, 29, 30, 84, 81, 52),
            kits=(16, 8, 0),
            second_comping=0.75,
            pad=0.2,
            lead=0.6,
            percussion=0.03,
            drive=(8.0, 30.0),
        ),
        sound=Sound(tilt_db=0.2, reverb_s=0.5, wet_db=-17.0, compression=0.7, drums_db=1.0),
        neighbours=("rock", "rock", "classical"),
    ),
    "pop": Style(
        harmony=Harmony(
            progressions=(
                "I V vi IV",
                "vi IV I V",
                "I vi IV V",
                "IV V iii vi",
                "Iadd9 V vi7 IVmaj7",
                "i bVI bIII bVII",
                "I iii IV iv",
                "I I IV V",
            ),
            scales=("major", "major_pentatonic", "minor", "mixolydian"),
            sevenths=0.2,
        ),
        rhythm=Rhythm(
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
        ensemble=Ensemble(
            bass=(33, 38, 39, 34, 35),
            comping=(0, 1, 4, 5, 25, 27, 62, 90, 24),
            pads=(*SYNTH_PADS, 48, 49),
            leads=(*VOICES, 80, 81, 73, 65, 0, 53),
            kits=(0, 8, 24, 25, 16),
            drums=0.93,
            pad=0.6,
            lead=0.9,
            drive=(0.0, 6.0),
        ),
        sound=Sound(tilt_db=0.4, reverb_s=0.9, wet_db=-13.0, compression=0.6, drums_db=0.5),
        neighbours=("disco", "rock", "country", "hiphop"),
    ),
    "reggae": Style(
        harmony=Harmony(
            progressions=(
                "i bVII i bVII",
                "I IV I IV",
                "I V ii IV",
                "i iv i v",
                "I ii I ii",
                "I vi ii V",
                "i7 bVImaj7 i7 v7",
                "I IV V IV",
            ),
            scales=("major_pentatonic", "minor_pentatonic", "dorian", "major"),
            sevenths=0.15,
        ),
        rhythm=Rhythm(
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
        ensemble=Ensemble(
            bass=(33, 33, 35, 32, 38),
            comping=(27, 28, 16, 17, 0, 26, 18, 7),
            pads=(16, 17, 48, 89),
            leads=(53, 57, 56, 65, 66, 22, 73, 26, 61),
            kits=(0, 8, 40),
            second_comping=0.8,
            percussion=0.4,
        ),
        sound=Sound(tilt_db=-0.5, reverb_s=1.2, wet_db=-11.0, bass_db=3.0, compression=0.4),
        neighbours=("hiphop", "pop", "disco"),
    ),
    "rock": Style(
        harmony=Harmony(
            progressions=(
                "I bVII IV I",
                "I IV V IV",
                "I5 IV5 V5 V5",
                "i bVI bVII i",
                "i5 bVII5 IV5 i5",
                "I V vi IV",
                "I5 bIII5 IV5 I5",
                "I7 I7 IV7 I7",
            ),
            scales=("minor_pentatonic", "blues", "mixolydian", "major_pentatonic"),
        ),
        rhythm=Rhythm(
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
        ensemble=Ensemble(
            bass=(33, 34, 34, 33),
            comping=(29, 29, 27, 30, 25, 16, 0),
            pads=(16, 17, 18, 48, 89),
            leads=(29, 30, 53, 27, 84, 65, 22, 85),
            kits=(0, 8, 16),
            second_comping=0.7,
            drive=(3.0, 20.0),
        ),
        sound=Sound(tilt_db=0.1, reverb_s=0.7, compression=0.5, drums_db=0.5),
        neighbours=("metal", "blues", "country", "pop"),
    ),
}

GENRES = tuple(STYLES)
