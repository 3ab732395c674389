from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from genrekit.errors import FileError
from genrekit.files import is_unfinished, unfinished_form, write_whole
from genrekit.locks import locked_folder

HOLDER = """
import sys, time
from genrekit.locks import locked_folder
with locked_folder(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "run"
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(FileError, match=r"run: another genrekit is working in it"),
            locked_folder(folder),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
    with locked_folder(folder):
        pass
    assert list(folder.iterdir()) == []


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = [
        tmp_path / name for name in ("a.unfinished", ".hidden", ".a.unfinished.wav", "jazz/b.wav")
    ]
    for path in kept:
        write_whole(path, "kept")
    for place in (tmp_path, tmp_path / "jazz"):
        unfinished_form(place / "line\nbreak.wav").touch()
        unfinished_form(place / "b.wav").touch()
    with locked_folder(tmp_path):
        assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


def test_the_temporary_name_is_known_as_such() -> None:
    assert is_unfinished(unfinished_form(Path("folder/model.onnx")).name)
    assert not is_unfinished("model.onnx.unfinished")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(FileError, match=r"run: cannot be written: Not a directory"),
        locked_folder(tmp_path / "file" / "run"),
    ):
        pass
