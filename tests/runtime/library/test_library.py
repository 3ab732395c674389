"""Folders of songs: found, classified in processes, written row by row, resumed after a kill."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.prediction import Prediction
from genrekit.commands.main import main
from genrekit.errors import ConfigError, FileError
from genrekit.library.batch import classify_songs
from genrekit.library.finding import find_songs
from genrekit.library.jobs import ModelChoice


def write_song(path: Path, seed: int = 0, seconds: float = 3.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).standard_normal(round(seconds * 22_050))
    soundfile.write(path, 0.1 * noise, 22_050)
    return path


def write_sparse_wav(path: Path, seconds: int, sample_rate: int = 8_000) -> Path:
    """A WAV of silence that takes no room on the disk."""
    size = 2 * seconds * sample_rate
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += (1).to_bytes(2, "little") + (1).to_bytes(2, "little")
    head += sample_rate.to_bytes(4, "little") + (2 * sample_rate).to_bytes(4, "little")
    head += (2).to_bytes(2, "little") + (16).to_bytes(2, "little")
    with path.open("wb") as file:
        file.write(head + b"data" + size.to_bytes(4, "little"))
        file.truncate(44 + size)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three songs, one of them damaged, and what is no song."""
    music = tmp_path / "music"
    write_song(music / "b.wav", 1)
    write_song(music / "deep" / "a.WAV", 2)
    (music / "deep" / "bad.wav").write_bytes(b"")
    (music / "notes.txt").write_text("no song")
    (music / ".hidden.wav").write_bytes(b"")
    (music / "loop").symlink_to(music)
    return music


def test_songs_are_found_in_order_and_links_are_no_way_into_a_loop(folder: Path) -> None:
    assert [path.relative_to(folder).as_posix() for path in find_songs([folder])] == ["b.wav"]
    names = [path.relative_to(folder).as_posix() for path in find_songs([folder], recursive=True)]
    assert names == ["b.wav", "deep/a.WAV", "deep/bad.wav"]
    named = [folder / "notes.txt", folder / "missing"]
    assert list(find_songs(named)) == named


def test_a_folder_without_songs_is_an_error_after_the_songs_of_the_others(folder: Path) -> None:
    empty = folder.parent / "empty"
    (empty / "deep").mkdir(parents=True)
    songs = find_songs([empty, folder])
    assert next(songs) == folder / "b.wav"
    with pytest.raises(FileError, match="empty: no song there; -r descends into subfolders"):
        next(songs)
    with pytest.raises(FileError, match=r"empty: no song there$"):
        next(find_songs([empty], recursive=True))


def test_a_folder_that_cannot_be_listed_is_an_error(folder: Path) -> None:
    songs = find_songs([folder], recursive=True)
    assert next(songs).name == "b.wav"
    shutil.rmtree(folder / "deep")
    with pytest.raises(FileError, match="deep: cannot be listed"):
        next(songs)


def test_processes_give_what_one_process_gives(model_path: Path, folder: Path) -> None:
    choice = ModelChoice(path=model_path)
    songs = list(find_songs([folder], recursive=True))
    classifier = choice.load()
    alone = {o.file: o.result for o in classify_songs(songs, classifier, choice)}
    together = {o.file: o.result for o in classify_songs(songs, classifier, choice, jobs=2)}
    assert alone.keys() == together.keys() == set(songs)
    for song in songs:
        ours, theirs = alone[song], together[song]
        if isinstance(ours, Prediction):
            assert isinstance(theirs, Prediction)
            assert [score.label for score in ours.ranking] == [s.label for s in theirs.ranking]
            # A process may have a BLAS of another number of threads.
            np.testing.assert_allclose(
                [score.probability for score in ours.ranking],
                [score.probability for score in theirs.ranking],
                atol=1e-5,
            )
        else:
            assert ours == theirs
            assert "bad.wav" in ours


@pytest.mark.parametrize("jobs", [0, 257])
def test_a_number_of_processes_out_of_bounds_is_refused(model_path: Path, jobs: int) -> None:
    choice = ModelChoice(path=model_path)
    with pytest.raises(ConfigError, match=r"must be 1\.\.256"):
        classify_songs([], choice.load(), choice, jobs=jobs)


def kill_readers(song: Path, stop: threading.Event) -> None:
    """Kill every child that has `song` open, as the kernel does when memory runs out."""
    while not stop.wait(0.005):
        for child in children():
            try:
                links = [link.readlink() for link in Path(f"/proc/{child}/fd").iterdir()]
                if song in links:
                    os.kill(child, signal.SIGKILL)
            except OSError:  # gone meanwhile
                continue


def children() -> Iterator[int]:
    """Yield this process's children, whichever of its threads started them."""
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
            yield from map(int, (task / "children").read_text().split())


def test_a_song_that_kills_its_process_is_one_error_and_costs_no_other(
    model_path: Path, folder: Path
) -> None:
    killer = write_sparse_wav(folder / "killer.wav", 1_200)
    songs = [folder / "b.wav", killer, folder / "deep" / "a.WAV"]
    choice = ModelChoice(path=model_path)
    stop = threading.Event()
    thread = threading.Thread(target=kill_readers, args=(killer, stop))
    thread.start()
    try:
        outcomes = {
            outcome.file: outcome.result
            for outcome in classify_songs(songs, choice.load(), choice, jobs=2)
        }
    finally:
        stop.set()
        thread.join()
    assert outcomes.keys() == set(songs)
    assert "killed the process" in str(outcomes[killer])
    assert isinstance(outcomes[songs[0]], Prediction)
    assert isinstance(outcomes[songs[2]], Prediction)


def classify(*arguments: object) -> int:
    return main(["classify", *map(str, arguments)])


def test_csv_has_a_row_per_song_and_a_column_per_genre(
    model_path: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "genres.csv"
    assert classify(folder, "-r", "--model", model_path, "--out", out) == 1
    assert "3 songs written, 1 of them with an error" in capsys.readouterr().err
    with out.open(newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    good = rows[str(folder / "b.wav")]
    expected = GenreClassifier.load(model_path).classify(folder / "b.wav")
    assert good["label"] == expected.label
    for score in expected.ranking:
        assert float(good[f"p_{score.label}"]) == pytest.approx(score.probability, abs=1e-6)
    assert good["error"] == ""
    bad = rows[str(folder / "deep" / "bad.wav")]
    assert "bad.wav" in bad["error"]
    assert bad["label"] == ""


def test_jsonl_has_the_lines_of_json_output(
    model_path: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "genres.jsonl"
    assert classify(folder, "-r", "--model", model_path, "--out", out) == 1
    capsys.readouterr()
    assert classify(folder, "-r", "--model", model_path, "--json") == 1
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    written = [json.loads(line) for line in out.read_text().splitlines()]
    for row in printed + written:
        row.pop("latency_ms", None)
    assert written == printed


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_killed_run_goes_on_where_it_stopped(
    suffix: str, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    songs = [
        write_song(tmp_path / "songs" / f'{index:02}, "x"\n.wav', index) for index in range(12)
    ]
    out, whole = tmp_path / f"killed.{suffix}", tmp_path / f"whole.{suffix}"
    command = [sys.executable, "-m", "genrekit", "classify", str(tmp_path / "songs")]
    options = ["--model", str(model_path), "--out"]
    with subprocess.Popen([*command, *options, str(out)], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not out.exists() or out.read_bytes().count(b"linear.onnx") < 3:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.kill()
    kept = out.read_bytes()
    rows_kept = kept.count(b"linear.onnx")
    assert rows_kept >= 3
    # The kill came between two rows; tear the next one, in the middle of a name.
    with out.open("ab") as file:
        torn = b'{"file": "/half' if suffix == "jsonl" else b'"/half of, a\r\nna'
        file.write(torn + 20_000 * b"x")
    assert classify(tmp_path / "songs", *options, out) == 0
    assert f"{rows_kept} were there" in capsys.readouterr().err or rows_kept == len(songs)
    assert out.read_bytes().startswith(kept)
    assert b"xxx" not in out.read_bytes()
    assert classify(tmp_path / "songs", *options, whole) == 0
    again = out.read_bytes()
    assert classify(tmp_path / "songs", *options, out) == 0
    assert out.read_bytes() == again

    def files(path: Path) -> list[str]:
        with path.open(newline="") as file:
            if suffix == "csv":
                return [row["file"] for row in csv.DictReader(file)]
            return [json.loads(line)["file"] for line in file]

    assert files(out) == files(whole) == [str(song) for song in songs]


def test_two_runs_do_not_write_to_one_file(
    model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    write_sparse_wav(music / "long.wav", 36_000)
    song = write_song(tmp_path / "song.wav")
    out = tmp_path / "genres.csv"
    command = [sys.executable, "-m", "genrekit", "classify", str(music)]
    with subprocess.Popen([*command, "--model", str(model_path), "--out", str(out)]) as process:
        try:
            while not (out.exists() and out.stat().st_size):
                time.sleep(0.01)
                assert process.poll() is None
            assert classify(song, "--model", model_path, "--out", out) == 1
            assert "another genrekit is writing to it" in capsys.readouterr().err
        finally:
            process.kill()
    # The lock went with the process: nothing stale is left.
    assert classify(song, "--model", model_path, "--out", out) == 0


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("genres.csv", b"name,age\nx,3\n", "something else than results"),
        ("genres.jsonl", b"[1, 2]\n", "no 'file'"),
        ("genres.jsonl", b"hello\n", "not JSON"),
        ("genres.jsonl", b'{"file": "a.wav", "model": "other.onnx"}\n', "of the model other.onnx"),
        ("genres.txt", b"", "must end in .csv, .jsonl or .parquet"),
    ],
)
def test_a_file_of_something_else_is_left_alone(
    name: str,
    content: bytes,
    reason: str,
    model_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / name
    out.write_bytes(content)
    song = write_song(tmp_path / "song.wav")
    assert classify(song, "--model", model_path, "--out", out) == 1
    assert reason in capsys.readouterr().err
    assert out.read_bytes() == content


def test_out_must_be_a_regular_file(
    model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    song = write_song(tmp_path / "song.wav")
    assert classify(song, "--model", model_path, "--out", tmp_path / "pipe.csv") == 1
    assert "not a regular file" in capsys.readouterr().err


def test_a_file_name_that_is_no_utf8_is_kept(
    model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = write_song(tmp_path / "song.wav")
    odd = song.rename(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")))
    assert classify(odd, "--model", model_path) == 0
    assert "\\udce9" in capsys.readouterr().out
    out = tmp_path / "genres.csv"
    assert classify(odd, "--model", model_path, "--out", out) == 0
    assert b"/caf\xe9.wav" in out.read_bytes()
    size = out.stat().st_size
    assert classify(odd, "--model", model_path, "--out", out) == 0
    assert out.stat().st_size == size


def test_without_a_model_the_packaged_one_is_taken_or_its_lack_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from genrekit.artifact.packaged import choose_model

    song = write_song(tmp_path / "song.wav")
    assert classify(song, "--json") == 0
    assert json.loads(capsys.readouterr().out)["model"] == str(choose_model(None))
    assert classify(song, "--json", "--model", "tiny") == 0
    assert json.loads(capsys.readouterr().out)["model"] == str(choose_model("tiny"))
    monkeypatch.setattr("genrekit.artifact.packaged.packaged_models", dict)
    assert classify(song) == 1
    assert "name one with --model" in capsys.readouterr().err


def test_parquet_holds_what_csv_holds_and_grows(
    model_path: Path, folder: Path, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    out, table = tmp_path / "genres.parquet", tmp_path / "genres.csv"
    assert classify(folder, "--model", model_path, "--out", out) == 0
    assert classify(folder, "-r", "--model", model_path, "--out", out) == 1
    assert classify(folder, "-r", "--model", model_path, "--out", table) == 1
    with table.open(newline="") as file:
        expected = list(csv.DictReader(file))
    rows = parquet.read_table(out).to_pylist()
    assert [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in rows
    ] == expected
    assert [path.name for path in tmp_path.glob("*journal*")] == []
