from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from genrekit.strict_json import decode, encode
from genrekit.train.data.checking import CheckReport, check_folder, describe

from ..conftest import RATE, compose, write_song


@pytest.fixture
def folder(songs: Path, tmp_path: Path) -> Path:
    shutil.copytree(songs, tmp_path / "songs")
    return tmp_path / "songs"


def _kinds(report: CheckReport) -> dict[str, tuple[str, ...]]:
    return {finding.kind: finding.tracks for finding in report.findings}


def test_a_sound_folder_has_no_findings(songs: Path) -> None:
    report = check_folder(songs)
    assert report.findings == ()
    assert [(row.genre, row.tracks) for row in report.genres] == [
        ("clicks", 6),
        ("noise", 6),
        ("tones", 6),
    ]
    assert report.genres[0].seconds == pytest.approx(24.0)
    assert report.sample_rates == {"22050": 18}
    assert report.duration_s == pytest.approx((4.0, 4.0, 4.0))
    assert report.notes == ()  # not GTZAN's genres


def test_an_unreadable_file_is_named_and_the_rest_is_still_checked(folder: Path) -> None:
    (folder / "noise" / "noise.00007.wav").write_bytes(b"not a song")
    (folder / "tones" / "tones.00007.wav").write_bytes(b"")
    report = check_folder(folder)
    unreadable = [f.tracks[0] for f in report.findings if f.kind == "unreadable"]
    assert unreadable == ["noise.00007", "tones.00007"]
    assert report.sample_rates == {"22050": 18}


def test_silence_short_songs_and_odd_rates_are_found(folder: Path) -> None:
    write_song(folder / "noise" / "noise.00010.wav", np.zeros(4 * RATE))
    write_song(folder / "noise" / "noise.00011.wav", compose("noise", 7, seconds=1.0))
    write_song(folder / "noise" / "noise.00012.wav", compose("noise", 8, seconds=8.0), 44_100)
    kinds = _kinds(check_folder(folder))
    assert kinds == {
        "silent": ("noise.00010",),
        "short": ("noise.00011",),
        "rate": ("noise.00012",),
    }


def test_copies_are_found_within_and_across_genres(folder: Path) -> None:
    shutil.copy(folder / "tones" / "tones.00000.wav", folder / "tones" / "tones.00009.wav")
    shutil.copy(folder / "tones" / "tones.00001.wav", folder / "noise" / "noise.00009.wav")
    assert _kinds(check_folder(folder)) == {
        "duplicate": ("tones.00000", "tones.00009"),
        "duplicate across genres": ("noise.00009", "tones.00001"),
    }


def test_a_genre_that_cannot_be_split_is_found(folder: Path) -> None:
    write_song(folder / "polka" / "polka.00000.wav", compose("noise", 99))
    assert _kinds(check_folder(folder)) == {"few tracks": ("polka.00000",)}


def test_the_report_reads_back_and_prints(folder: Path) -> None:
    (folder / "noise" / "noise.00007.wav").write_bytes(b"not a song")
    report = check_folder(folder)
    assert decode(CheckReport, encode(report)) == report
    text = describe(report)
    assert "! unreadable: noise.00007: " in text
    assert text.endswith("1 findings")


def test_real_gtzan_songs_are_sound_and_its_known_faults_are_told(gtzan: Path) -> None:
    report = check_folder(gtzan / "genres_original")
    assert report.findings == ()
    assert sum(row.tracks for row in report.genres) == 60
    assert report.sample_rates == {"22050": 60}
    assert any("jazz.00054 is corrupt" in note for note in report.notes)


def test_gtzan_s_faults_are_not_told_of_composed_music(gtzan: Path, tmp_path: Path) -> None:
    for genre in sorted(path.name for path in (gtzan / "genres_original").iterdir()):
        write_song(tmp_path / genre / f"{genre}.00000.wav", compose("noise", len(genre)))
    assert check_folder(tmp_path).notes
    (tmp_path / "synthetic.json").write_text("{}")
    report = check_folder(tmp_path)
    assert report.synthetic
    assert report.notes == ()
