"""Whole files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from genrekit.runtime.errors import FileError
from genrekit.runtime.files import read_bounded, write_whole


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
