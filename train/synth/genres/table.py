"""The ten genres of GTZAN, each put together from its declarations."""

from __future__ import annotations

from .harmony import HARMONIES
from .instrumentation import ENSEMBLES, SOUNDS
from .rhythm import RHYTHMS
from .style import Style

NEIGHBOURS: dict[str, tuple[str, ...]] = {  # whom a genre's borderline tracks borrow from
    "blues": ("jazz", "rock", "country"),
    "classical": ("jazz", "pop", "country"),
    "country": ("rock", "blues", "pop"),
    "disco": ("pop", "pop", "hiphop", "reggae"),
    "hiphop": ("reggae", "disco", "pop"),
    "jazz": ("blues", "blues", "classical", "hiphop"),
    "metal": ("rock", "rock", "classical"),
    "pop": ("disco", "rock", "country", "hiphop"),
    "reggae": ("hiphop", "pop", "disco"),
    "rock": ("metal", "blues", "country", "pop"),
}

GENRES = tuple(NEIGHBOURS)

STYLES = {
    genre: Style(
        harmony=HARMONIES[genre],
        rhythm=RHYTHMS[genre],
        ensemble=ENSEMBLES[genre],
        sound=SOUNDS[genre],
        neighbours=NEIGHBOURS[genre],
    )
    for genre in GENRES
}
