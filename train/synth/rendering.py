"""Rendering: a piece played on pretty_midi's General MIDI SoundFont, part by part.

The synthesizer plays every note at one level whatever its velocity, so a part is rendered in
layers of like velocity, each at its own gain; a rendered part is brought to its place in the
mix by its loudness, since the SoundFont's instruments differ by 20 dB.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import symusic
from scipy import signal

from genrekit.arrays import Float32

from .composition import Piece, compose_piece
from .ensemble import Part
from .genres.table import GENRES
from .mastering import draw_mastering, master

LEVELS_DB = {  # where a role lies in the mix
    "drums": 0.0,
    "percussion": -11.0,
    "bass": -2.0,
    "comping": -5.0,
    "comping2": -7.0,
    "pad": -10.0,
    "lead": -2.5,
    "counter": -7.0,
}
_LAYER = 16  # MIDI velocities per layer
_QUALITY = 2  # interpolation of the samples; higher is slower and sounds alike
_TICKS_PER_QUARTER = 480
_BLOCK = 1_024  # samples of one loudness measurement
_REFERENCE_RMS = 0.1
_CABINET_HZ = 4_500.0  # a guitar loudspeaker's upper end


def soundfont_path() -> Path:
    """Where pretty_midi keeps its SoundFont."""
    return Path(pretty_midi.__file__).with_name("TimGM6mb.sf2")


@functools.cache
def soundfont_sha256() -> str:
    """Return the hash of the SoundFont: another one would make other sounds."""
    return hashlib.sha256(soundfont_path().read_bytes()).hexdigest()


def open_synthesizer(sample_rate: int) -> Any:
    """Open the SoundFont anew, for one track.

    What a synthesizer has played before changes, slightly, how it plays on, so that no two
    tracks share one. It costs a millisecond: only the samples in use are read.
    """
    return symusic.Synthesizer(str(soundfont_path()), sample_rate, _QUALITY)


def _track(part: Part, notes: dict[str, Any]) -> Any:
    track = symusic.core.TrackSecond(part.role, part.program, part.is_drum)
    track.notes = symusic.core.NoteSecondList.from_numpy(
        notes["time"], notes["duration"], notes["pitch"], notes["velocity"]
    )
    return track


def _human_touch(genre: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, GENRES.index(genre), 1])


def compose(genre: str, seed: int, duration_s: float = 30.0) -> Any:
    """Compose a track as a score in seconds, one track per player.

    Parameters
    ----------
    genre : str
        One of `genres.GENRES`.
    seed : int
        The same seed gives the same score.
    duration_s : float
        Length of the excerpt.

    Returns
    -------
    symusic.Score
        With the tempo as its first event and a player's role as the track's name.
    """
    piece = compose_piece(genre, seed, duration_s)
    rng = _human_touch(genre, seed)
    score = symusic.core.ScoreSecond(_TICKS_PER_QUARTER)
    score.tempos.append(symusic.core.TempoSecond(0.0, qpm=piece.timing.tempo_bpm))
    for part in piece.parts:
        score.tracks.append(_track(part, piece.played(part, rng)))
    return score


def render_track(
    genre: str, seed: int, duration_s: float = 30.0, sample_rate: int = 22_050
) -> Float32:
    """Compose, play, mix and master a track.

    Returns
    -------
    float32, shape (round(duration_s * sample_rate),)
        Mono samples in -1..1.
    """
    piece = compose_piece(genre, seed, duration_s)
    touch, choices = (
        _human_touch(genre, seed),
        np.random.default_rng([seed, GENRES.index(genre), 2]),
    )
    mix = np.zeros(round(duration_s * sample_rate), np.float32)
    synthesizer = open_synthesizer(sample_rate)
    for part in piece.parts:
        notes = piece.played(part, touch)
        stem = play_part(synthesizer, part, notes, sample_rate, samples=len(mix))
        mix += np.float32(_level(piece, part, choices)) * stem
    return master(mix, sample_rate, draw_mastering(piece.sound, choices), choices)


def _level(piece: Piece, part: Part, rng: np.random.Generator) -> float:
    """Gain of a part in the mix, as this track's engineer hears it."""
    sound = piece.sound
    taste_db = {
        "drums": sound.drums_db,
        "bass": sound.bass_db,
        "comping": sound.comping_db,
        "comping2": sound.comping_db,
        "lead": sound.lead_db,
    }.get(part.role, 0.0)
    return float(10.0 ** ((LEVELS_DB[part.role] + taste_db + rng.normal(0.0, 1.5)) / 20.0))


def play_part(
    synthesizer: Any, part: Part, notes: dict[str, Any], sample_rate: int, *, samples: int
) -> Float32:
    """Render one part at the reference loudness.

    Parameters
    ----------
    synthesizer : symusic.Synthesizer
        At `sample_rate`, and not used for another track.
    part : Part
        Who plays.
    notes : dict
        What `Piece.played` returned.
    sample_rate : int
        In Hz.
    samples : int
        Length of the result; what sounds longer is cut.

    Returns
    -------
    float32, shape (samples,)
        Loud passages have an RMS of 0.1.
    """
    stem = np.zeros(samples, np.float32)
    layers = notes["velocity"] // _LAYER
    for layer in np.unique(layers):
        chosen = {name: values[layers == layer] for name, values in notes.items()}
        score = symusic.core.ScoreSecond(_TICKS_PER_QUARTER)
        score.tracks.append(_track(part, chosen))
        sounds = np.asarray(synthesizer.render(score, False))[0, :samples]
        velocity = (float(layer) + 0.5) * _LAYER
        stem[: len(sounds)] += sounds * np.float32((velocity / 127.0) ** 2)
    if part.drive_db > 0:
        stem = _overdrive(_at_reference(stem), part.drive_db, sample_rate)
    return _at_reference(stem)


def _at_reference(stem: Float32) -> Float32:
    """Scale a part so that its loud passages have the reference RMS."""
    blocks = stem[: len(stem) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    loud = float(np.quantile(np.sqrt(np.mean(blocks**2, axis=1)), 0.9)) if len(blocks) else 0.0
    if loud < 1e-5:  # a part that plays one short note
        loud = float(np.max(np.abs(stem), initial=1e-5))
    return stem * np.float32(_REFERENCE_RMS / loud)


def _overdrive(stem: Float32, drive_db: float, sample_rate: int) -> Float32:
    """Clip as a valve amplifier does, and let the cabinet take the top off."""
    clipped = np.tanh(stem * np.float32(10.0 ** (drive_db / 20.0) / (3 * _REFERENCE_RMS)))
    cutoff = min(_CABINET_HZ, 0.45 * sample_rate)
    cabinet = signal.butter(2, cutoff, fs=sample_rate, output="sos")
    return np.asarray(signal.sosfilt(cabinet, clipped), np.float32)
