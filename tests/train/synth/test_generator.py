from __future__ import annotations

import json
import os
import wave
from pathlib import Path

import pytest

from genrekit.errors import ConfigError, DataError, FileError
from genrekit.files import unfinished_form
from genrekit.locks import locked_folder
from genrekit.train.data.datasets import SYNTHETIC_MARK
from genrekit.train.synth.generator import (
    GENERATOR_VERSION,
    track_path,
    track_seed,
    write_synthetic,
)
from genrekit.train.synth.genres.table import GENRES
from genrekit.train.synth.rendering import render_track

DURATION_S = 2.0


def write(out: Path, tracks: int = 1, seed: int = 3, jobs: int = 1) -> None:
    write_synthetic(out, tracks_per_genre=tracks, seed=seed, duration_s=DURATION_S, jobs=jobs)


def contents(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()
    }


def test_the_layout_is_that_of_gtzan(tmp_path: Path) -> None:
    write(tmp_path / "set")
    names = {f"{genre}/{genre}.00000.wav" for genre in GENRES} | {SYNTHETIC_MARK}
    assert set(contents(tmp_path / "set")) == names
    with wave.open(str(tmp_path / "set/jazz/jazz.00000.wav")) as file:
        assert file.getparams()[:4] == (1, 2, 22_050, 44_100)


def test_samples_are_the_rendered_track(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    write(tmp_path)
    read, _ = soundfile.read(tmp_path / "reggae/reggae.00000.wav", dtype="float64")
    rendered = render_track("reggae", track_seed(3, "reggae", 0), DURATION_S)
    assert abs(read * 32_768 / 32_767 - rendered).max() <= 0.51 / 32_767


def test_bytes_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    write(tmp_path / "one", tracks=2, jobs=1)
    write(tmp_path / "two", tracks=2, jobs=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_two_processes_do_not_fill_one_folder(tmp_path: Path) -> None:
    with locked_folder(tmp_path), pytest.raises(FileError, match="another genrekit is working"):
        write(tmp_path)
    assert contents(tmp_path) == {}


def test_a_set_killed_at_its_first_file_is_begun_again(tmp_path: Path) -> None:
    unfinished_form(tmp_path / SYNTHETIC_MARK).write_text("{")
    write(tmp_path)
    assert len(contents(tmp_path)) == len(GENRES) + 1


def test_a_set_grows_and_keeps_its_tracks(tmp_path: Path) -> None:
    write(tmp_path, tracks=1)
    before = contents(tmp_path)
    for path in tmp_path.rglob("*.wav"):
        os.utime(path, (1, 1))
    write(tmp_path, tracks=2)
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + len(GENRES)
    assert all(track_path(tmp_path, genre, 0).stat().st_mtime == 1 for genre in GENRES)


def test_a_missing_or_truncated_track_is_made_again(tmp_path: Path) -> None:
    write(tmp_path)
    before = contents(tmp_path)
    track_path(tmp_path, "blues", 0).unlink()
    path = track_path(tmp_path, "metal", 0)
    path.write_bytes(path.read_bytes()[:1_000])
    write(tmp_path)
    assert contents(tmp_path) == before


def test_progress_counts_what_is_there_already(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write(tmp_path)
    track_path(tmp_path, "pop", 0).unlink()
    write_synthetic(
        tmp_path,
        tracks_per_genre=1,
        seed=3,
        duration_s=DURATION_S,
        jobs=1,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(10, 10)]


def test_the_manifest_says_that_the_set_is_synthetic(tmp_path: Path) -> None:
    write(tmp_path)
    manifest = json.loads((tmp_path / SYNTHETIC_MARK).read_text())
    assert manifest["synthetic"] is True
    assert manifest["seed"] == 3
    assert manifest["generator_version"] == GENERATOR_VERSION
    assert manifest["genres"] == list(GENRES)


def test_another_seed_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(DataError, match="made with seed=3; name a new folder"):
        write(tmp_path, seed=4)
    assert contents(tmp_path) == before


def test_another_generators_set_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / SYNTHETIC_MARK
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"generator_version": 0}))
    with pytest.raises(DataError, match="generator_version=0"):
        write(tmp_path)
    path.write_text("{")
    with pytest.raises(DataError, match="not JSON"):
        write(tmp_path)


def test_a_folder_of_other_music_is_refused(tmp_path: Path) -> None:
    (tmp_path / "blues").mkdir()
    with pytest.raises(DataError, match="other files"):
        write(tmp_path)


@pytest.mark.parametrize(
    ("tracks", "seed", "jobs", "message"),
    [
        (0, 0, 1, "tracks_per_genre=0"),
        (100_001, 0, 1, "100000"),
        (1, -1, 1, "seed=-1"),
        (1, 0, 0, "jobs=0"),
    ],
)
def test_numbers_out_of_bounds_are_refused(
    tmp_path: Path, tracks: int, seed: int, jobs: int, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        write(tmp_path / "set", tracks=tracks, seed=seed, jobs=jobs)
    assert not (tmp_path / "set").exists()


def test_a_duration_out_of_bounds_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"duration_s=0\.1"):
        write_synthetic(tmp_path / "set", tracks_per_genre=1, seed=0, duration_s=0.1)
    assert not (tmp_path / "set").exists()


def test_a_track_depends_on_seed_genre_and_number_alone() -> None:
    seeds = {track_seed(s, g, i) for s in range(5) for g in GENRES for i in range(20)}
    assert len(seeds) == 5 * len(GENRES) * 20
    assert track_seed(0, "blues", 0) == track_seed(0, "blues", 0)
