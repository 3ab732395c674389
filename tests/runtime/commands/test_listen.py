"""`genrekit listen`: the live path equals the file path, and ends cleanly however it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrekit.artifact.container import Artifact
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.prediction import Score
from genrekit.commands.main import main
from genrekit.engines.registry import load_engine
from genrekit.errors import AudioError, ConfigError
from genrekit.live.display import BarView, LineView, choose_view
from genrekit.live.listener import Listener, Update
from genrekit.live.smoothing import LiveConfig, LiveScore
from genrekit.live.sources import ENCODINGS, FileSource, Pacer, PcmSource
from genrekit.live.systemd import ServiceManager


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds at 44.1 kHz: noise, then a chord, then digital silence."""
    rng = np.random.default_rng(0)
    time_s = np.arange(4 * 44_100) / 44_100
    chord = sum(np.sin(2 * np.pi * hz * time_s) for hz in (220.0, 277.2, 329.6)) * 0.1
    samples = np.concatenate([rng.standard_normal(2 * 44_100) * 0.1, chord, np.zeros(4 * 44_100)])
    path = tmp_path_factory.mktemp("live") / "song.wav"
    soundfile.write(path, samples, 44_100, subtype="PCM_16")
    return path


def run(*arguments: object, capsys: pytest.CaptureFixture[str]) -> tuple[list[dict], dict]:
    assert main(["listen", "--json", *map(str, arguments)]) == 0
    *updates, last = map(json.loads, capsys.readouterr().out.splitlines())
    return updates, last["summary"]


def test_a_file_is_heard_as_it_is_classified(
    artifact: Artifact, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offline = GenreClassifier(artifact).classify(song)
    updates, summary = run(
        "--model", artifact.path, "--input", song, "--fast", "--silence-db", "-200", capsys=capsys
    )
    assert len(updates) == len(offline.segments)
    assert summary["heard_s"] == pytest.approx(10.0)
    # The first window stands alone: its smoothed probability is its own.
    assert updates[0]["ranking"][0]["label"] == offline.segments[0].label
    assert updates[0]["ranking"][0]["probability"] == pytest.approx(
        offline.segments[0].probability, abs=1e-5
    )
    assert set(updates[0]) == {
        "time", "position_s", "state", "label", "probability", "ranking", "level_db", "latency_ms",
        "cpu_share", "overruns", "dropped_s", "reconnects", "damaged_samples", "clipped_samples",
        "failed_windows",
    }  # fmt: skip


def test_every_window_has_the_probabilities_of_the_file_path(
    artifact: Artifact, song: Path
) -> None:
    """Unsmoothed: the listener and the classifier agree window for window."""
    engine = load_engine(artifact)
    source = FileSource(song)
    config = LiveConfig(smoothing_s=0.0, silence_db=-200.0)
    listener = Listener(artifact, engine, config, source.losses)
    updates = [update for block in source.blocks() for update in listener.hear(block)]
    updates += listener.finish()
    source.close()
    segments = GenreClassifier(artifact).classify(song).segments
    assert len(updates) == len(segments)
    for update, segment in zip(updates, segments, strict=True):
        best = update.score.ranking[0]
        assert best.label == segment.label
        assert best.probability == pytest.approx(segment.probability, abs=1e-5)


def test_the_end_of_the_song_is_silence(
    artifact: Artifact, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    updates, summary = run("--model", artifact.path, "--input", song, "--fast", capsys=capsys)
    assert updates[0]["state"] in ("genre", "unsure")
    assert updates[-1]["state"] == "silence"
    assert updates[-1]["label"] is None
    assert summary["windows"]["silence"] >= 1


def test_raw_pcm_on_standard_input_is_heard_like_the_file(
    artifact: Artifact, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected, _ = run("--model", artifact.path, "--input", song, "--fast", capsys=capsys)
    samples, _ = soundfile.read(song, dtype="int16")
    stereo = np.repeat(samples[:, None], 2, axis=1)
    command = [
        *(sys.executable, "-m", "genrekit", "listen", "--json", "--fast"),
        *("--model", str(artifact.path), "--input", "-", "--rate", "44100", "--channels", "2"),
    ]
    # A frame cut in half at the end is left out.
    result = subprocess.run(command, input=stereo.tobytes() + b"\0", capture_output=True)
    assert result.returncode == 0, result.stderr
    *updates, _ = map(json.loads, result.stdout.splitlines())
    assert [update["ranking"] for update in updates] == [
        [
            {"label": score["label"], "probability": pytest.approx(score["probability"], abs=1e-5)}
            for score in update["ranking"]
        ]
        for update in expected
    ]


@pytest.mark.parametrize(
    ("encoding", "subtype", "endian"),
    [
        ("u8", "PCM_U8", "LITTLE"),
        ("mulaw", "ULAW", "LITTLE"),
        ("s16le", "PCM_16", "LITTLE"),
        ("s16be", "PCM_16", "BIG"),
        ("s24le", "PCM_24", "LITTLE"),
        ("s32le", "PCM_32", "LITTLE"),
        ("f32le", "FLOAT", "LITTLE"),
    ],
)
def test_every_encoding_is_read_as_libsndfile_writes_it(
    encoding: str, subtype: str, endian: str, tmp_path: Path
) -> None:
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, 20_000)
    path = tmp_path / "x.raw"
    soundfile.write(path, samples, 8_000, subtype=subtype, endian=endian, format="RAW")
    expected, _ = soundfile.read(
        path, channels=1, samplerate=8_000, subtype=subtype, endian=endian, format="RAW",
        dtype="float32",
    )  # fmt: skip
    source = PcmSource(io.BytesIO(path.read_bytes()), 8_000, encoding=encoding)
    found = np.concatenate([block.samples for block in source.blocks()])
    np.testing.assert_array_equal(found, expected)
    assert encoding in ENCODINGS


def test_an_audio_file_on_standard_input_is_told_apart(song: Path) -> None:
    with song.open("rb") as file, pytest.raises(AudioError, match="an audio file, not raw PCM"):
        list(PcmSource(file, 44_100).blocks())
    with pytest.raises(ConfigError, match="must be one of"):
        PcmSource(io.BytesIO(), 44_100, encoding="s20")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--input", "{song}", "--rate", "44100"],
        ["--input", "-"],
        ["--fast"],
        ["--input", "{song}", "--device", "usb"],
        ["--input", "{song}", "--seconds", "0"],
        ["--input", "{song}", "--threshold", "2"],
        ["--input", "-", "--rate", "1"],
        ["--input", "/nonexistent.wav"],
    ],
)
def test_what_does_not_go_together_is_one_line(
    arguments: list[str], model_path: Path, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.format(song=song) for word in arguments]
    assert main(["listen", "--model", str(model_path), *words]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_seconds_end_it(model_path: Path, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, summary = run(
        "--model", model_path, "--input", song, "--fast", "--seconds", 4, capsys=capsys
    )
    assert summary["heard_s"] == pytest.approx(4.0, abs=0.11)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_summary(number: int, model_path: Path, song: Path) -> None:
    command = [sys.executable, "-m", "genrekit", "listen", "--json", "--model"]
    with subprocess.Popen(
        [*command, str(model_path), "--input", str(song)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "ranking" in json.loads(process.stdout.readline())
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert err == ""
    assert json.loads(out.splitlines()[-1])["summary"]["heard_s"] > 3.0


def test_a_file_is_played_in_real_time_and_a_stall_causes_no_rush() -> None:
    now_s = 50.0
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now_s
        slept.append(seconds)
        now_s += seconds

    pacer = Pacer(clock=lambda: now_s, sleep=sleep)
    for _ in range(10):
        now_s += 0.03  # work
        pacer.wait(0.1)
    assert now_s == pytest.approx(50.03 + 1.0)
    now_s += 60.0  # the process was stopped for a minute
    slept.clear()
    pacer.wait(0.1)
    assert slept == [pytest.approx(0.1)]


def update_of(label: str | None, position_s: float = 75.0) -> Update:
    ranking = (Score("blues", 0.7), Score("classical", 0.2), Score("disco", 0.1))
    state = "unsure" if label is None else "genre"
    return Update(
        position_s=position_s,
        score=LiveScore(state=state, label=label, ranking=ranking),
        level_db=-20.0,
        latency_ms=12.0,
        cpu_share=0.04,
        overruns=2,
        dropped_s=0.3,
        reconnects=0,
        damaged_samples=0,
        clipped_samples=0,
        failed_windows=0,
    )


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_bars_grow_to_the_right_and_are_drawn_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    labels = ("blues", "classical", "disco")
    screen = Terminal()
    assert isinstance(choose_view(labels, screen), BarView)
    view = BarView(labels, screen, size=lambda: (60, 24))
    view.show(update_of("blues"))
    lines = view.render(update_of("blues"))
    assert lines[0] == "blues 70%"
    assert lines[2].startswith("blues ")
    assert lines[2].endswith("▆  70%")
    assert "2 overruns" in view.render(update_of("blues"))[-1] or len(lines[-1]) == 59
    view.show(update_of(None))
    assert view.render(update_of(None))[2].endswith("▆▆  70%")
    assert screen.getvalue().count(f"\x1b[{len(lines)}A") == 1
    view.close()
    assert screen.getvalue().endswith("\x1b[?25h")


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (4_000, 2)])
def test_bars_fit_any_window(size: tuple[int, int]) -> None:
    labels = tuple(f"genre {index}" for index in range(40))
    view = BarView(labels, Terminal(), size=lambda: size)
    ranking = tuple(Score(label, 1 / 40) for label in labels)
    for _ in range(600):
        update = update_of(None)
        object.__setattr__(update.score, "ranking", ranking)
        view.show(update)
    lines = view.render(update)
    assert len(lines) <= max(4, size[1])
    assert max(map(len, lines)) < size[0]


def test_a_terminal_without_blocks_gets_ascii_and_a_pipe_gets_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OldTerminal(Terminal):
        encoding = "ascii"

    view = BarView(("blues", "classical", "disco"), OldTerminal(), size=lambda: (60, 24))
    view.show(update_of("blues"))
    "".join(view.render(update_of("blues"))).encode("ascii")
    pipe = io.StringIO()
    lines = choose_view(("blues",), pipe)
    assert isinstance(lines, LineView)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(choose_view(("blues",), Terminal()), LineView)
    for label in ("blues", "blues", None, None, "blues"):
        lines.show(update_of(label))
    assert pipe.getvalue().splitlines() == [
        "0:01:15  blues 70%", "0:01:15  unsure", "0:01:15  blues 70%",
    ]  # fmt: skip


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_as_it_asks(
    abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"genrekit-{os.getpid()}" if abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if abstract else name)
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(f"\0{name}" if abstract else name)
        channel.settimeout(5)
        now_s = time.monotonic()
        manager = ServiceManager(clock=lambda: now_s)
        manager.ready()
        for _ in range(100):
            manager.alive()
            now_s += 0.1
        channel.setblocking(False)
        told = []
        while True:
            try:
                told.append(channel.recv(100))
            except BlockingIOError:
                break
    assert told == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    manager.ready()  # nobody listens any more: no error
