"""Whole files."""

from __future__ import annotations

import os
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from genrekit.errors import FileError
from genrekit.files import read_bounded, unfinished_form, write_whole


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "model.onnx"
    target.write_bytes(b"old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(FileError, match=r"model.onnx: cannot be written: No space left"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_folders_are_made_and_the_mode_follows_the_umask(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b.txt"
    write_whole(target, "ü")
    plain = tmp_path / "plain"
    plain.touch()
    assert target.read_text("utf-8") == "ü"
    assert target.stat().st_mode == plain.stat().st_mode


def test_reading_stops_at_the_bound(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"12345")
    assert read_bounded(target, 5) == b"12345"
    with pytest.raises(FileError, match="larger than the 4 bytes"):
        read_bounded(target, 4)


def test_folders_pipes_and_missing_files_are_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("", "pipe"):
        with pytest.raises(FileError, match="not a regular file"):
            read_bounded(tmp_path / name, 10)
    with pytest.raises(FileError, match="No such file"):
        read_bounded(tmp_path / "missing", 10)


def test_what_a_killed_writer_left_is_written_over(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    unfinished_form(target).write_bytes(b"a longer beginning of something else")
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_name_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"kept")
    unfinished_form(tmp_path / "model.onnx").symlink_to(elsewhere)
    with pytest.raises(FileError, match=r"model.onnx: cannot be written: Too many levels"):
        write_whole(tmp_path / "model.onnx", b"new")
    assert elsewhere.read_bytes() == b"kept"


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_writers_of_one_file_do_not_mix(tmp_path: Path, pool: type[Executor]) -> None:
    target = tmp_path / "shared"
    contents = [bytes([value]) * (1 + 40_000 * (value % 5)) for value in range(60)]
    with pool(4) as writers:
        done = [writers.submit(write_whole, target, content) for content in contents]
        while not all(one.done() for one in done):
            if target.exists():
                assert target.read_bytes() in contents
        for one in done:
            one.result()
    assert target.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [target]
