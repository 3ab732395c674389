"""A band: the players of one piece, and what each plays in a bar."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from . import grooves
from .accompaniment import Bar, bass_bar, comping_bar
from .genres.style import Style
from .grooves import Groove, Note
from .melody import Melody

T = TypeVar("T")

_GUITARS = range(26, 31)  # General MIDI programs that go through an amplifier
_HELD = "C---------------"


def pick(options: Sequence[T], rng: np.random.Generator) -> T:
    """Draw one of `options`, each as likely."""
    return options[int(rng.integers(len(options)))]


@dataclasses.dataclass(slots=True)
class Part:
    """A player: what it is, how it is amplified, and its notes in beats."""

    role: str
    program: int  # General MIDI; a drum kit where `is_drum`
    is_drum: bool = False
    drive_db: float = 0.0
    notes: list[Note] = dataclasses.field(default_factory=list)


def beats_per_bar(groove: Groove) -> int:
    """Beats in a groove's bar: its shortest pattern tells."""
    return min(len(line) for line in groove.values()) // grooves.STEPS_PER_BEAT


def draw_groove(style: Style, rng: np.random.Generator) -> Groove:
    """Pick a groove and let the drummer vary it: other cymbals, a moved kick, a ghost."""
    groove = dict(grooves.GROOVES[pick(style.rhythm.grooves, rng)])
    for drum, players in (
        (grooves.CLOSED_HAT, grooves.HAT_PLAYERS),
        (grooves.SNARE, grooves.BACKBEAT_PLAYERS),
    ):
        player = pick(players, rng)
        if drum in groove and player not in groove:
            groove[player] = groove.pop(drum)
    if grooves.KICK in groove and rng.random() < 0.5:
        kick = groove[grooves.KICK]
        step = 2 * int(rng.integers(1, len(kick) // 2))
        flipped = "o" if kick[step] == "." else "."
        groove[grooves.KICK] = kick[:step] + flipped + kick[step + 1 :]
    return groove


class Band:
    """The players of one piece, drawn once.

    Parameters
    ----------
    style : Style
        Whom to hire, and what they know.
    groove : dict
        The drummer's pattern; empty where there are no drums.
    beats : int
        Beats in a bar.
    tonic, scale : int, str
        The melody's key: a pitch class and a name in `harmony.SCALES`.
    rng : numpy.random.Generator
        Source of every choice.
    """

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
        self._percussion = pick(grooves.PERCUSSION, rng)
        self._hire(scale)

    def _hire(self, scale: str) -> None:
        ensemble, time, rng = self._style.ensemble, self._style.rhythm, self._rng
        kit = pick(ensemble.kits, rng)
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
            program = pick(programs, rng)
            figures = time.bass if role == "bass" else time.comping
            self._figures[role] = _HELD if role == "pad" else pick(figures, rng)
            center = int(rng.integers(*ensemble.lead_register)) - (9 if role == "counter" else 0)
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

    def play(self, bars: Sequence[Bar], active: Sequence[Part]) -> None:
        """Let the `active` players play a section, which may end in a fill."""
        fill = pick(grooves.FILLS, self._rng) if self._rng.random() < 0.6 else None
        crash = self._rng.random() < 0.5
        for number, bar in enumerate(bars):
            last = number == len(bars) - 1
            for part in active:
                if part.role == "drums":
                    part.notes += self._drum_bar(bar, fill if last else None)
                    if crash and number == 0:
                        part.notes.append(Note(bar.first_beat, 1.0, grooves.CRASH, 96))
                elif part.role == "percussion":
                    part.notes += grooves.strokes(
                        self._percussion, bar.first_beat, range(bar.steps)
                    )
                else:
                    part.notes += self._pitched_bar(part.role, bar)

    def _drum_bar(self, bar: Bar, fill: Groove | None) -> list[Note]:
        """One bar of the groove; a fill takes over where it begins."""
        if fill is None or bar.beats != 4:
            return grooves.strokes(self._groove, bar.first_beat, range(bar.steps))
        begin = min(len(line) - len(line.lstrip(".")) for line in fill.values())
        return grooves.strokes(self._groove, bar.first_beat, range(begin)) + grooves.strokes(
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
