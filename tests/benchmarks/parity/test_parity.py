from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from genrekit.benchmarks.parity.comparison import SEGMENTS, TABLE, WHOLE, judge, main, read_table
from genrekit.benchmarks.parity.librosa_reference import Deviation, absolute, on_grid, relative
from genrekit.errors import DataError

GENRES = ("classical", "metal")  # the quietest and the loudest


@pytest.fixture
def folder(gtzan: Path, tmp_path: Path) -> Path:
    for genre in GENRES:
        name = f"{genre}.00001.wav"
        (tmp_path / name).symlink_to(gtzan / "genres_original" / genre / name)
    return tmp_path


@pytest.mark.slow
def test_table_of_real_tracks_keeps_every_bound(
    gtzan: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = folder / "rows.json"
    table = gtzan / "features_30_sec.csv"
    arguments = [str(folder), "--table", str(table), "--json", str(report), "--jobs", "2"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "25 of 25 bounds are kept." in out
    assert "FAIL" not in out
    counts = {
        (row["feature"], row["against"]): row["n_clips"] for row in json.loads(report.read_text())
    }
    assert counts["MFCC (13)", WHOLE] == counts["tempo in 57", TABLE] == 2
    assert counts["spectral rolloff", SEGMENTS] == 20


def test_a_broken_bound_fails() -> None:
    assert judge(("RMS", WHOLE), [Deviation(worst=9e-5)]).passed
    assert not judge(("RMS", WHOLE), [Deviation(worst=0.0), Deviation(worst=2e-4)]).passed


def test_rolloff_is_bounded_by_distance_and_by_share() -> None:
    def passed(*, worst: float, wrong: int) -> bool:
        clip = Deviation(worst=worst, wrong=wrong, count=10_000)
        return judge(("spectral rolloff", WHOLE), [clip]).passed

    assert passed(worst=1.0, wrong=1)
    assert not passed(worst=1.0, wrong=2)
    assert not passed(worst=2.0, wrong=1)


def test_tempo_may_differ_for_one_track_in_sixty() -> None:
    equal, other = Deviation(worst=0.0), Deviation(worst=0.5, wrong=1)
    assert judge(("tempo", WHOLE), [equal] * 59 + [other]).passed
    assert not judge(("tempo", WHOLE), [equal] * 58 + [other] * 2).passed


def test_deviations_are_measured_as_named() -> None:
    assert absolute([1.0, 2.0], [1.0, 2.5]).worst == 0.5
    assert relative([1.0, 2.0], [1.0, 2.5]).worst == pytest.approx(0.2)
    assert relative([0.0], [0.0]).worst == 0.0
    assert on_grid([0.0, 10.0, 30.0], [0.0, 20.0, 10.0], 10.0) == Deviation(
        worst=2.0, wrong=2, count=3
    )
    with pytest.raises(DataError, match="not finite"):
        absolute([np.nan], [1.0])
    with pytest.raises(DataError, match=r"shape \(2,\): librosa gives \(1,\)"):
        absolute([1.0, 2.0], [1.0])


def test_folder_without_songs_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"parity: {tmp_path}: no .wav files below it\n"


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["filename", "tempo"], ["a.wav", "120"]])
    with pytest.raises(DataError, match="not Kaggle's table"):
        read_table(path)
