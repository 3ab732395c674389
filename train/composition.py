"""Composition: from a genre and a seed to a score.

A piece is players and form. The players (drums, percussion, bass, one or two accompaniments,
pad, lead, counter-lead) are drawn once; the form strings sections together, each with its
progression and the players that take part; a player adds one bar at a time. Swing, rubato and
human timing bend the finished notes, in beats, into seconds.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from genrekit.runtime.errors import ConfigError

from . import rhythm
from .accompaniment import Bar, bass_bar, comping_bar
from .genres import GENRES, STYLES
from .harmony import Chord, parse_progression
from .melody import Melody
from .rhythm import Groove, Note
from .styles import Sound, Style, blend

T = TypeVar("T")

MAX_DURATION_S = 600.0
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
_GUITARS = range(26, 31)


@dataclasses.dataclass(slots=True)
class Part:
    """A player: what it is, how loud, and its notes in beats."""

    role: str
    program: int  # General MIDI; a drum kit where `is_drum`
    is_drum: bool = False
    drive_db: float = 0.0
    notes: list[Note] = dataclasses.field(default_factory=list)


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

    def seconds(
        self, beats: np.ndarray[Any, np.dtype[np.float64]]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Positions in seconds of the excerpt."""
        bent = rhythm.swing(beats, self.swing, self.swing_pairs)
        sway = self.rubato_s * np.sin(2 * np.pi * bent / self.rubato_beats)
        return bent * (60.0 / self.tempo_bpm) + sway - self.lead_in_s


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """A composed track, ready to be played."""

    genre: str
    tonic: int
    scale: str
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


def _pick(options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]


def compose_piece(genre: str, seed: int, duration_s: float = 30.0) -> Piece:
    """Compose a track.

    Raises
    ------
    ConfigError
        If the genre is not one of the ten, or the duration is out of bounds.
    """
    if genre not in STYLES:
        raise ConfigError(f"genre {genre!r}: must be one of {', '.join(GENRES)}")
    if not 1.0 <= duration_s <= MAX_DURATION_S:
        raise ConfigError(f"duration_s={duration_s}: must be in 1..{MAX_DURATION_S:g} s")
    rng = np.random.default_rng([seed, GENRES.index(genre)])
    style = blend(STYLES, genre, rng)
    has_drums = rng.random() < style.ensemble.drums
    groove = _draw_groove(style, rng) if has_drums else {}
    beats = (
        min(len(line) for line in groove.values()) // rhythm.STEPS_PER_BEAT
        if groove
        else _pick(style.rhythm.meters, rng)
    )
    timing = _draw_timing(style, has_drums, rng)
    tonic = int(rng.integers(12))
    scale = _pick(style.harmony.scales, rng)
    band = _Band(style, groove, beats, tonic, scale, rng)
    needed = (duration_s + timing.lead_in_s + 1.0) * timing.tempo_bpm / 60.0
    band.play(needed)
    parts = tuple(part for part in band.parts if part.notes)
    return Piece(genre, tonic, scale, timing, parts, style.sound, duration_s)


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


def _draw_groove(style: Style, rng: np.random.Generator) -> Groove:
    """Pick a groove and let the drummer vary it: other cymbals, a moved kick, a ghost."""
    groove = dict(rhythm.GROOVES[_pick(style.rhythm.grooves, rng)])
    for drum, players in (
        (rhythm.CLOSED_HAT, rhythm.HAT_PLAYERS),
        (rhythm.SNARE, rhythm.BACKBEAT_PLAYERS),
    ):
        player = _pick(players, rng)
        if drum in groove and player not in groove:
            groove[player] = groove.pop(drum)
    if rhythm.KICK in groove and rng.random() < 0.5:
        kick = groove[rhythm.KICK]
        step = 2 * int(rng.integers(1, len(kick) // 2))
        flipped = "o" if kick[step] == "." else "."
        groove[rhythm.KICK] = kick[:step] + flipped + kick[step + 1 :]
    return groove


class _Band:
    """The players of one piece, and the form that they play through."""

    def __init__(
        self,
        style: Style,
        groove: Groove,
        beats: int,
        tonic: int,
        scale: str,
        rng: np.random.Generator,
    ) -> None:
        self.parts: list[Part] = []
        self._style, self._groove, self._beats, self._rng = style, groove, beats, rng
        self._tonic = tonic
        self._figures: dict[str, str] = {}
        self._melodies: dict[str, Melody] = {}
        self._bass_center = int(rng.integers(33, 41))
        self._comping_center = int(rng.integers(56, 68))
        self._spread = rng.random() < 0.35
        self._voices = int(rng.integers(3, 5))
        self._percussion = _pick(rhythm.PERCUSSION, rng)
        self._hire(scale)

    def _hire(self, scale: str) -> None:
        ensemble, time, rng = self._style.ensemble, self._style.rhythm, self._rng
        kit = _pick(ensemble.kits, rng)
        if self._groove:
            self.parts.append(Part("drums", kit, is_drum=True))
        if rng.random() < ensemble.percussion:
            self.parts.append(Part("percussion", kit, is_drum=True))
        drive = float(rng.uniform(*ensemble.drive))
        roles = (
            ("bass", ensemble.bass, ensemble.bassist),
            ("comping", ensemble.comping, 1.0),
            ("comping2", ensemble.comping, ensemble.second_comping),
            ("pad", ensemble.pads, ensemble.pad),
            ("lead", ensemble.leads, ensemble.lead),
            ("counter", ensemble.leads, ensemble.counter_lead),
        )
        for role, programs, chance in roles:
            program = _pick(programs, rng)
            figures = time.bass if role == "bass" else time.comping
            self._figures[role] = "C" + "-" * 15 if role == "pad" else _pick(figures, rng)
            center = int(rng.integers(66, 80)) - (9 if role == "counter" else 0)
            if role in ("lead", "counter"):
                self._melodies[role] = Melody(
                    time.lead_cells,
                    self._beats,
                    scale=scale,
                    tonic=self._tonic,
                    center=center,
                    rng=rng,
                )
            if rng.random() < chance:
                driven = drive if program in _GUITARS else 0.0
                self.parts.append(Part(role, program, drive_db=driven))

    def play(self, needed_beats: float) -> None:
        """Play sections until `needed_beats` have passed."""
        verse, chorus = (self._draw_progression() for _ in range(2))
        if self._rng.random() < 0.4:
            chorus = verse
        section = _SECTIONS[int(self._rng.choice(4, p=_FIRST_SECTION))]
        first_beat = 0.0
        while first_beat < needed_beats:
            bars = self._section_bars(chorus if section == "chorus" else verse, first_beat)
            active = [
                part
                for part in self.parts
                if self._rng.random() >= _SILENT[section].get(part.role, 0.0)
            ]
            self._play_section(bars, active)
            first_beat = bars[-1].first_beat + self._beats
            section = _SECTIONS[int(self._rng.choice(4, p=_NEXT_SECTION[section]))]

    def _draw_progression(self) -> list[tuple[Chord, ...]]:
        harmony = self._style.harmony
        bars = parse_progression(_pick(harmony.progressions, self._rng), self._tonic)
        if self._rng.random() < harmony.sevenths:
            bars = [tuple(chord.with_seventh() for chord in chords) for chords in bars]
        return bars

    def _section_bars(self, progression: list[tuple[Chord, ...]], first_beat: float) -> list[Bar]:
        count = max(len(progression), 4)
        chords = [progression[i % len(progression)] for i in range(count + 1)]
        return [
            Bar(first_beat + i * self._beats, self._beats, chords[i], chords[i + 1][0])
            for i in range(count)
        ]

    def _play_section(self, bars: list[Bar], active: list[Part]) -> None:
        fill = _pick(rhythm.FILLS, self._rng) if self._rng.random() < 0.6 else None
        crash = self._rng.random() < 0.5
        for number, bar in enumerate(bars):
            last = number == len(bars) - 1
            for part in active:
                if part.role == "drums":
                    part.notes += self._drum_bar(bar, fill if last else None)
                    if crash and number == 0:
                        part.notes.append(Note(bar.first_beat, 1.0, rhythm.CRASH, 96))
                elif part.role == "percussion":
                    part.notes += rhythm.strokes(self._percussion, bar.first_beat, range(bar.steps))
                else:
                    part.notes += self._pitched_bar(part.role, bar)

    def _drum_bar(self, bar: Bar, fill: Groove | None) -> list[Note]:
        """One bar of the groove; a fill takes over where it begins."""
        if fill is None or bar.beats != 4:
            return rhythm.strokes(self._groove, bar.first_beat, range(bar.steps))
        begin = min(len(line) - len(line.lstrip(".")) for line in fill.values())
        return rhythm.strokes(self._groove, bar.first_beat, range(begin)) + rhythm.strokes(
            fill, bar.first_beat, range(begin, bar.steps)
        )

    def _pitched_bar(self, role: str, bar: Bar) -> list[Note]:
        if role in self._melodies:
            return self._melodies[role].bar(bar)
        figure = self._figures[role]
        if role == "bass":
            return bass_bar(figure, bar, self._bass_center)
        shift = {"comping": 0, "comping2": 5, "pad": 2}[role]
        return comping_bar(
            figure, bar, self._comping_center + shift, spread=self._spread, voices=self._voices
        )
