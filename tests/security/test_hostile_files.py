"""Odd and hostile inputs on the command line: one clear line each, no traceback, no hang."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genrekit.commands.main import main

TONE = (9_000 * np.sin(0.05 * np.arange(4 * 22_050))).astype("<i2").tobytes()


def wav(data: bytes = TONE, *, rate: int = 22_050, channels: int = 1, bits: int = 16) -> bytes:
    """A WAV whose header may say anything; 32 bits are floats."""
    align = channels * bits // 8 & 0xFFFF
    tag = 3 if bits == 32 else 1
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate, 0, align, bits)
    body = b"WAVE" + fmt + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def floats(value: float) -> bytes:
    return wav(np.full(70_000, value, "<f4").tobytes(), bits=32)


def write(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 3 << 30)


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (Path.mkdir, "no song there|not a regular file"),
    "pipe": (os.mkfifo, "not a regular file"),
    "socket": (bind, "not a regular file"),
    "loop": (lambda path: path.symlink_to(path), "Too many levels"),
    "dangling": (lambda path: path.symlink_to("nowhere"), "No such file"),
    "missing": (lambda _: None, "No such file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "memory": (lambda path: path.symlink_to("/proc/self/mem"), "cannot be read"),
    "empty": (write(b""), "empty"),
    "text": (write(b"hello, world\n" * 99), "not audio"),
    "vast": (sparse, "not audio"),
    "deep JSON": (write(b'{"a":' * 200_000), "not audio"),
    "rate 0": (write(wav(rate=0)), "sample rate 0 Hz"),
    "rate 4 GHz": (write(wav(rate=0xFFFF_FFFF)), "sample rate 4294967295 Hz"),
    "no channel": (write(wav(channels=0)), "0 channels"),
    "65535 channels": (write(wav(channels=65_535)), "65535 x 2"),
    "7 bits": (write(wav(bits=7)), "7 bits"),
    "no samples": (write(wav(b"")), "no samples"),
    "not a number": (write(floats(np.nan)), "sample 0 is nan"),
    "infinite": (write(floats(np.inf)), "sample 0 is inf"),
    "vast samples": (write(floats(1e30)), "sample 0 is 1e\\+30"),
    "a\nline": (write(wav(b"")), "no samples"),
    "-dash": (write(wav(b"")), "no samples"),
}
AS_SONG = ("classify {}", "features {} --kind mfcc --out out.npy", "listen --fast --input {}")
AS_MODEL = (
    "classify song.wav --model {}",
    "verify {}",
    "inspect {}",
    "bench {} --force",
    "listen --fast --input song.wav --model {}",
)


def run(template: str, path: Path) -> int:
    return main([word.replace("{}", str(path)) for word in template.split()])


@pytest.mark.parametrize("template", [*AS_SONG, *AS_MODEL])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_one_line(
    name: str,
    template: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make, reason = ODD[name]
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    make(path)
    (tmp_path / "song.wav").write_bytes(wav())
    heard_nothing = template in AS_SONG and template.startswith("listen") and "no samples" in reason
    status = run(template, path)
    error = capsys.readouterr().err
    assert status == (0 if heard_nothing else 1), error
    assert error.startswith("genrekit: ")
    assert error.endswith("\n")
    assert error.count("\n") == 1
    if heard_nothing:
        assert "heard 0:00:00: nothing" in error
    else:
        assert " ".join(str(path).split()) in error
        assert template in AS_MODEL or re.search(reason, error), error
    assert not (tmp_path / "out.npy").exists()


NAMES = ("red \x1b[31m", "title \x1b]0;x\x07", "two\nlines", "csi \x9b2J", "turned \u202egpj")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [wav(), b"no audio"])
def test_a_name_gives_a_terminal_no_orders(
    name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / f"{name}.wav").write_bytes(content)
    main(["classify", str(tmp_path)])
    song = str(tmp_path / f"{name}.wav")
    main(["features", song, "--kind", "rms", "--out", str(tmp_path / "x.npy")])
    said = capsys.readouterr()
    shown = said.out + said.err
    assert name.split()[0] in shown
    assert not set(shown) & set("\x1b\x07\x9b\u202e")
    assert "two\nlines" not in shown


def test_an_empty_name_is_not_the_folder_we_are_in(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["classify", ""])
    assert "a name is empty" in capsys.readouterr().err


def test_a_name_that_is_no_utf8_is_shown_escaped(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wav"))
    path.write_bytes(wav(b""))
    for template in (*AS_SONG[:2], "verify {}"):
        words = [word.replace("{}", str(path)) for word in template.split()]
        result = subprocess.run([sys.executable, "-m", "genrekit", *words], capture_output=True)
        assert result.returncode == 1
        assert result.stderr.count(b"\n") == 1
        assert b"\\udcff.wav: " in result.stderr


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("classify song.wav --out song.wav", "must end in"),
        ("features copy.npy --kind mfcc --out link.npy", "would write over copy.npy"),
        ("bench model.onnx --json model.onnx --force", "would write over model.onnx"),
        ("classify song.wav --out folder.csv", "not a regular file"),
        ("classify song.wav --out pipe.csv", "not a regular file"),
        ("classify song.wav --out copy.jsonl", "no result at byte 0"),
        ("classify song.wav --out copy.csv", "holds something else"),
        ("classify song.wav --out copy.parquet", "not a Parquet file"),
        ("classify song.wav --out /proc/out.csv", "cannot be written"),
        ("features song.wav --kind mfcc --out /proc/out.npy", "cannot be written"),
        ("features song.wav --kind mfcc --out song.wav/out.npy", "cannot be written"),
        ("bench model.onnx --compare deep.json --force", "not JSON"),
        ("bench model.onnx --compare song.wav --force", "not JSON"),
        ("classify song.wav --top -1", "--top -1: must be at least 1"),
        ("listen --input - --rate 22050 --channels 0", "0 channels: must be"),
        ("listen --input - --rate 99999999999999999999", "must be 8000..192000"),
        ("listen --input song.wav --fast --seconds nan", "must be above 0"),
        ("listen --input song.wav --fast --threshold nan", "threshold=nan"),
        ("bench model.onnx --minutes nan --force", "minutes=nan"),
    ],
)
def test_an_output_that_cannot_be_and_a_number_out_of_bounds_are_one_line(
    command: str,
    reason: str,
    model_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.csv").mkdir()
    os.mkfifo("pipe.csv")
    Path("model.onnx").write_bytes(model_path.read_bytes())
    Path("deep.json").write_bytes(b"[" * 1_000_000)
    for name in ("song.wav", "copy.npy", "copy.jsonl", "copy.csv", "copy.parquet"):
        Path(name).write_bytes(wav())
    Path("link.npy").symlink_to("copy.npy")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert main(command.split()) == 1
    error = capsys.readouterr().err
    assert error.startswith("genrekit: ")
    assert reason in error
    assert error.count("\n") == 1
    after = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert after == before
