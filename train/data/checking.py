"""Check: what is wrong with a folder of songs, before anything is learned from it."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from genrekit.audio.decoding import BLOCK_FRAMES, open_audio
from genrekit.commands.printable import printable
from genrekit.errors import GenreKitError

from .datasets import Dataset, Track, audio_source, file_sha256, open_dataset
from .gtzan_faults import GTZAN_GENRES, GTZAN_NOTES

SILENT_PEAK = 1e-4  # -80 dB re full scale: nothing that a 16-bit file holds on purpose
SHORTEST_S = 3.0  # one window
MUCH_SHORTER = 0.5  # of the median duration
MANY_SHOWN = 12  # tracks of one finding in the text report

Kind = Literal[
    "unreadable", "silent", "short", "rate", "duplicate", "duplicate across genres", "few tracks"
]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong.

    Parameters
    ----------
    kind : str
    tracks : tuple of str
        Those concerned.
    detail : str
        What was seen, and against what.
    """

    kind: Kind
    tracks: tuple[str, ...]
    detail: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class GenreCount:
    """How much there is of a genre; seconds of the readable tracks."""

    genre: str
    tracks: int
    seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """What a folder holds, and what is wrong with it.

    Parameters
    ----------
    folder : str
    synthetic : bool
        Whether `data synth` made it.
    genres : tuple of GenreCount
    sample_rates : dict of str to int
        Tracks by rate in Hz.
    duration_s : tuple of float, length 3, or None
        Shortest, median and longest; None if nothing can be read.
    findings : tuple of Finding
    notes : tuple of str
        Known faults of the collection that no program can hear.
    """

    folder: str
    synthetic: bool
    genres: tuple[GenreCount, ...]
    sample_rates: dict[str, int]
    duration_s: tuple[float, ...] | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Heard:
    """What decoding a track from end to end showed."""

    sha256: str
    sample_rate: int
    seconds: float
    peak: float


def check_folder(
    folder: Path, on_progress: Callable[[int, int], None] | None = None
) -> CheckReport:
    """Decode every track of a folder from end to end and report what is wrong.

    Parameters
    ----------
    folder : Path
        `<genre>/<track>.wav` and so on.
    on_progress : callable, optional
        Called with tracks done and in all.

    Raises
    ------
    DataError
        If the folder is no dataset at all.
    """
    dataset = open_dataset(audio_source(folder))
    heard: dict[str, _Heard] = {}
    unreadable: list[Finding] = []
    for done, track in enumerate(dataset.tracks, start=1):
        try:
            heard[track.id] = _listen(track)
        except (GenreKitError, OSError) as error:
            finding = Finding(kind="unreadable", tracks=(track.id,), detail=str(error))
            unreadable.append(finding)
        if on_progress:
            on_progress(done, len(dataset.tracks))
    findings = [*unreadable, *_oddities(heard), *_duplicates(dataset, heard), *_rare(dataset)]
    seconds = sorted(sound.seconds for sound in heard.values())
    return CheckReport(
        folder=str(folder),
        synthetic=dataset.source.synthetic,
        genres=_count(dataset, heard),
        sample_rates={
            str(rate): count
            for rate, count in sorted(Counter(s.sample_rate for s in heard.values()).items())
        },
        duration_s=(seconds[0], float(np.median(seconds)), seconds[-1]) if seconds else None,
        findings=tuple(findings),
        notes=GTZAN_NOTES if _looks_like_gtzan(dataset) else (),
    )


def describe(report: CheckReport) -> str:
    """Write a report for people."""
    total = sum(row.tracks for row in report.genres)
    lines = [f"{report.folder}: {total} tracks{', synthetic' if report.synthetic else ''}"]
    lines += [
        f"  {row.genre:<14.14}{row.tracks:>6} tracks{row.seconds / 60:>9.1f} min"
        for row in report.genres
    ]
    rates = ", ".join(f"{rate} Hz x {count}" for rate, count in report.sample_rates.items())
    lines.append(f"  sample rates: {rates or 'none could be read'}")
    if report.duration_s:
        low, median, high = report.duration_s
        lines.append(f"  durations: {low:.2f} to {high:.2f} s, median {median:.2f} s")
    for finding in report.findings:
        shown = ", ".join(finding.tracks[:MANY_SHOWN])
        more = len(finding.tracks) - MANY_SHOWN
        names = f"{shown} and {more} more" if more > 0 else shown
        lines.append(f"! {finding.kind}: {names}: {finding.detail}")
    lines += [f"note: {note}" for note in report.notes]
    lines.append(f"{len(report.findings)} findings" if report.findings else "nothing found")
    return "\n".join(map(printable, lines))


def _listen(track: Track) -> _Heard:
    frames, peak = 0, 0.0
    with open_audio(track.path) as reader:
        while len(block := reader.read(BLOCK_FRAMES)):
            frames += len(block)
            peak = max(peak, float(np.abs(block).max()))
        rate = reader.sample_rate
    return _Heard(file_sha256(track.path), rate, frames / rate, peak)


def _oddities(heard: Mapping[str, _Heard]) -> list[Finding]:
    findings = []
    if silent := tuple(name for name, sound in heard.items() if sound.peak < SILENT_PEAK):
        detail = f"no sample above {SILENT_PEAK} of full scale"
        findings.append(Finding(kind="silent", tracks=silent, detail=detail))
    if not heard:
        return findings
    least = max(SHORTEST_S, MUCH_SHORTER * float(np.median([s.seconds for s in heard.values()])))
    if short := tuple(name for name, sound in heard.items() if sound.seconds < least):
        findings.append(Finding(kind="short", tracks=short, detail=f"less than {least:.1f} s"))
    rates = Counter(sound.sample_rate for sound in heard.values())
    common = rates.most_common(1)[0][0]
    if odd := tuple(name for name, sound in heard.items() if sound.sample_rate != common):
        detail = f"not at {common} Hz as the others; resampled when used"
        findings.append(Finding(kind="rate", tracks=odd, detail=detail))
    return findings


def _duplicates(dataset: Dataset, heard: Mapping[str, _Heard]) -> list[Finding]:
    genre_of = {track.id: track.genre for track in dataset.tracks}
    copies: dict[str, list[str]] = defaultdict(list)
    for name, sound in heard.items():
        copies[sound.sha256].append(name)
    findings = []
    for names in copies.values():
        if len(names) < 2:
            continue
        across = len({genre_of[name] for name in names}) > 1
        kind: Kind = "duplicate across genres" if across else "duplicate"
        detail = "the same bytes; " + (
            "at most one label is right" if across else "kept on one side of every split"
        )
        findings.append(Finding(kind=kind, tracks=tuple(names), detail=detail))
    return findings


def _rare(dataset: Dataset) -> list[Finding]:
    counts = Counter(track.genre for track in dataset.tracks)
    rare = [genre for genre in dataset.labels if counts[genre] < 3]
    return [
        Finding(
            kind="few tracks",
            tracks=tuple(track.id for track in dataset.tracks if track.genre == genre),
            detail=f"{genre} has {counts[genre]}; training, validation and test need 3",
        )
        for genre in rare
    ]


def _count(dataset: Dataset, heard: Mapping[str, _Heard]) -> tuple[GenreCount, ...]:
    rows = []
    for genre in dataset.labels:
        names = [track.id for track in dataset.tracks if track.genre == genre]
        seconds = sum(heard[name].seconds for name in names if name in heard)
        rows.append(GenreCount(genre=genre, tracks=len(names), seconds=seconds))
    return tuple(rows)


def _looks_like_gtzan(dataset: Dataset) -> bool:
    named = all(track.id.startswith(f"{track.genre}.0") for track in dataset.tracks)
    return named and dataset.labels == GTZAN_GENRES and not dataset.source.synthetic
