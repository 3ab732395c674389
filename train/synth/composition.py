"""Composition: from a genre and a seed to a score.

A song has a key and two progressions, a band its players. The form strings sections together,
each with its progression and the players that take part, who add one bar at a time. Swing, rubato
and human timing bend the finished notes, in beats, into seconds.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from genrekit.arrays import Float64
from genrekit.errors import ConfigError

from . import grooves
from .accompaniment import Bar
from .chords import Progression, fits, parse_progression, tonic_third, with_sevenths
from .ensemble import Band, Part, beats_per_bar, draw_groove, pick
from .genres.style import Harmony, Sound, Style, blend
from .genres.table import GENRES, STYLES

MAX_DURATION_S = 600.0
_SHORTEST_SECTION = 4  # bars
_SECTIONS = ("intro", "verse", "chorus", "break")
_FIRST_SECTION = (0.2, 0.45, 0.3, 0.05)  # an excerpt rarely starts where the song does
_NEXT_SECTION = {
    "intro": (0.0, 0.7, 0.3, 0.0),
    "verse": (0.0, 0.25, 0.65, 0.1),
    "chorus": (0.0, 0.6, 0.2, 0.2),
    "break": (0.0, 0.4, 0.6, 0.0),
}
_SILENT = {  # chance that a role pauses in a section
    "intro": {"lead": 0.8, "counter": 0.9, "pad": 0.4, "drums": 0.3, "percussion": 0.5},
    "verse": {"counter": 0.8, "pad": 0.5, "comping2": 0.3},
    "chorus": {},
    "break": {"lead": 0.3, "comping2": 0.7, "drums": 0.4, "bass": 0.2},
}


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """How beats become seconds."""

    tempo_bpm: float
    swing: float
    swing_pairs: int
    looseness_s: float  # standard deviation of an onset
    rubato_s: float  # how far the beat sways
    rubato_beats: float  # in how many beats
    lead_in_s: float  # cut from the start, so that an excerpt begins anywhere in a bar

    def beats_until(self, duration_s: float) -> float:
        """Return how many beats fill an excerpt, with a second to spare."""
        return (duration_s + self.lead_in_s + 1.0) * self.tempo_bpm / 60.0

    def seconds(self, beats: Float64) -> Float64:
        """Positions in seconds of the excerpt."""
        bent = grooves.swing(beats, self.swing, self.swing_pairs)
        sway = self.rubato_s * np.sin(2 * np.pi * bent / self.rubato_beats)
        return bent * (60.0 / self.tempo_bpm) + sway - self.lead_in_s


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Song:
    """What a piece is about: its key and its chords, bar by bar."""

    tonic: int  # pitch class
    scale: str  # of its melodies, a name in `harmony.SCALES`
    verse: Progression
    chorus: Progression


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """A composed track, ready to be played."""

    genre: str
    song: Song
    timing: Timing
    parts: tuple[Part, ...]
    sound: Sound
    duration_s: float

    def played(self, part: Part, rng: np.random.Generator) -> dict[str, Any]:
        """Return a part's notes as arrays in seconds, with human timing and touch.

        Returns
        -------
        dict
            `time` and `duration` float32 in seconds, `pitch` and `velocity` int8,
            each of shape (notes,), inside the excerpt.
        """
        table = np.array(part.notes, np.float64).reshape(-1, 4)
        start = self.timing.seconds(table[:, 0])
        end = self.timing.seconds(table[:, 0] + table[:, 1])
        start = start + rng.normal(0.0, self.timing.looseness_s, len(table))
        velocity = np.clip(table[:, 3] + rng.normal(0.0, 6.0, len(table)), 20, 127)
        start = np.maximum(start, 0.0)
        kept = (start < self.duration_s) & (end > start + 0.02)
        order = np.flatnonzero(kept)[np.argsort(start[kept], kind="stable")]
        return {
            "time": start[order].astype(np.float32),
            "duration": (end - start)[order].astype(np.float32),
            "pitch": np.clip(table[order, 2], 0, 127).astype(np.int8),
            "velocity": velocity[order].astype(np.int8),
        }


def check_duration(duration_s: float) -> None:
    """Raise a ConfigError unless an excerpt can be this long."""
    if not 1.0 <= duration_s <= MAX_DURATION_S:
        raise ConfigError(f"duration_s={duration_s}: must be in 1..{MAX_DURATION_S:g} s")


def compose_piece(genre: str, seed: int, duration_s: float = 30.0) -> Piece:
    """Compose a track.

    Raises
    ------
    ConfigError
        If the genre is not one of the ten, or the duration is out of bounds.
    """
    if genre not in STYLES:
        raise ConfigError(f"genre {genre!r}: must be one of {', '.join(GENRES)}")
    check_duration(duration_s)
    rng = np.random.default_rng([seed, GENRES.index(genre)])
    style = blend(STYLES, genre, rng)
    has_drums = rng.random() < style.ensemble.drums
    groove = draw_groove(style, rng) if has_drums else {}
    beats = beats_per_bar(groove) if groove else pick(style.rhythm.meters, rng)
    timing = _draw_timing(style, has_drums, rng)
    song = _draw_song(style.harmony, rng)
    band = Band(style, groove, beats, song.tonic, song.scale, rng)
    _play(band, song, beats, timing.beats_until(duration_s), rng)
    parts = tuple(part for part in band.parts if part.notes)
    return Piece(genre, song, timing, parts, style.sound, duration_s)


def _draw_song(harmony: Harmony, rng: np.random.Generator) -> Song:
    """Draw a key, two progressions in one mode, and a scale that fits them."""
    tonic = int(rng.integers(12))
    sevenths = rng.random() < harmony.sevenths
    progressions = [parse_progression(text, tonic) for text in harmony.progressions]
    verse = pick(progressions, rng)
    third = tonic_third(verse, tonic)
    alike = [other for other in progressions if tonic_third(other, tonic) == third]
    chorus = verse if rng.random() < 0.4 else pick(alike, rng)
    fitting = [scale for scale in harmony.scales if fits(scale, third)]
    scale = pick(fitting or ["major" if third == 4 else "minor"], rng)
    if sevenths:
        verse, chorus = with_sevenths(verse), with_sevenths(chorus)
    return Song(tonic=tonic, scale=scale, verse=verse, chorus=chorus)


def _draw_timing(style: Style, has_drums: bool, rng: np.random.Generator) -> Timing:
    low, high = np.log(style.rhythm.tempo)
    tempo = math.exp(rng.normal((low + high) / 2, (high - low) / 3.29))
    tempo = float(np.clip(tempo, 0.92 * math.exp(low), 1.08 * math.exp(high)))
    return Timing(
        tempo_bpm=tempo,
        swing=float(rng.uniform(*style.rhythm.swing)),
        swing_pairs=style.rhythm.swing_pairs,
        looseness_s=float(rng.uniform(0.002, 0.014)),
        rubato_s=float(rng.uniform(0.0, 0.01 if has_drums else 0.12)),
        rubato_beats=float(rng.uniform(12, 32)),
        lead_in_s=float(rng.uniform(0.0, 4 * 60.0 / tempo)),
    )


def _play(
    band: Band, song: Song, beats: int, needed_beats: float, rng: np.random.Generator
) -> None:
    """Play sections until `needed_beats` have passed."""
    section = _SECTIONS[int(rng.choice(len(_SECTIONS), p=_FIRST_SECTION))]
    first_beat = 0.0
    while first_beat < needed_beats:
        progression = song.chorus if section == "chorus" else song.verse
        count = max(len(progression), _SHORTEST_SECTION)
        chords = [progression[i % len(progression)] for i in range(count + 1)]
        bars = [
            Bar(first_beat + i * beats, beats, chords[i], chords[i + 1][0]) for i in range(count)
        ]
        silent = _SILENT[section]
        band.play(bars, [p for p in band.parts if rng.random() >= silent.get(p.role, 0.0)])
        first_beat += count * beats
        section = _SECTIONS[int(rng.choice(len(_SECTIONS), p=_NEXT_SECTION[section]))]
