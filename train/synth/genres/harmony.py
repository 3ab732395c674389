"""What each genre plays: its progressions and scales."""

from __future__ import annotations

from .style import Harmony

HARMONIES: dict[str, Harmony] = {
    "blues": Harmony(
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
    "classical": Harmony(
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
    "country": Harmony(
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
    "disco": Harmony(
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
    "hiphop": Harmony(
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
    "jazz": Harmony(
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
    "metal": Harmony(
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
    "pop": Harmony(
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
    "reggae": Harmony(
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
    "rock": Harmony(
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
}
