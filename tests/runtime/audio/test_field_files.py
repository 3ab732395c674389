"""Files that people have, after reports in the trackers of other projects."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from genrekit.audio.decoding import load_audio
from genrekit.errors import AudioError

RATE = 44_100
SECONDS = 6.0
T = np.arange(int(SECONDS * RATE)) / RATE
# Loud and quiet parts, so that a variable bit rate varies.
SONG = (
    0.4 * np.sin(2 * np.pi * 440.0 * T) * (T % 2.0 > 1.0)
    + 0.01 * np.sin(2 * np.pi * 99 * T)
    + 0.05 * np.random.default_rng(0).standard_normal(len(T)) * (T % 3.0 > 1.5)
)
SONG = SONG.astype(np.float32)


def encode(path: Path, codec: str, container: str, **options: str) -> Path:
    """Encode SONG by FFmpeg's own encoders."""
    with av.open(str(path), "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=RATE, options=options)
        stream.layout = "mono"
        stream.bit_rate = 128_000
        shape = stream.codec_context
        resampler = av.AudioResampler(format=shape.format or "fltp", layout="mono", rate=RATE)
        frame = av.AudioFrame.from_ndarray(SONG[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        fifo = av.AudioFifo()
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            part.pts = None
            fifo.write(part)
        size = shape.frame_size or 1_024
        while (block := fifo.read(size, partial=True)) is not None:
            block.pts = None
            file.mux(stream.encode(block))
        file.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("codec", "container", "report"),
    [
        ("aac", "ipod", "python-soundfile#431"),
        ("aac", "adts", "python-audio-separator#20"),
        ("alac", "ipod", "python-soundfile#431"),
        ("wmav2", "asf", "wma in a library"),
        ("mp2", "mp2", "mp2 from a broadcaster"),
        ("wavpack", "wv", "wavpack in a library"),
        ("aac", "matroska", "the sound track of a film"),
    ],
)
def test_ffmpeg_reads_what_libsndfile_does_not(
    codec: str, container: str, report: str, tmp_path: Path
) -> None:
    audio = load_audio(encode(tmp_path / "song.bin", codec, container))
    assert audio.sample_rate == RATE, report
    assert audio.duration_s == pytest.approx(SECONDS, abs=0.2)
    spectrum = np.abs(np.fft.rfft(audio.samples[: 5 * RATE]))
    assert np.argmax(spectrum) * RATE / (5 * RATE) == pytest.approx(440.0, abs=1.0)


def test_without_the_extra_the_message_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encode(tmp_path / "song.m4a", "aac", "ipod")
    monkeypatch.setattr("genrekit.audio.decoding.has_ffmpeg", lambda: False)
    with pytest.raises(AudioError, match=r"genrekit\[ffmpeg\]"):
        load_audio(path)


def test_a_vbr_mp3_without_a_table_is_read_whole(tmp_path: Path) -> None:
    # libsndfile#1001, sdrtrunk#1377: it stopped at its own estimate.
    path = encode(tmp_path / "vbr.mp3", "libmp3lame", "mp3", write_xing="0", global_quality="590")
    assert load_audio(path).duration_s == pytest.approx(SECONDS, abs=0.1)


def test_joined_mp3s_and_one_behind_other_bytes_are_read_whole(tmp_path: Path) -> None:
    one = encode(tmp_path / "one.mp3", "libmp3lame", "mp3").read_bytes()
    (tmp_path / "two.mp3").write_bytes(one + one)
    assert load_audio(tmp_path / "two.mp3").duration_s == pytest.approx(2 * SECONDS, abs=0.3)
    junk = np.random.default_rng(1).bytes(3_000).replace(b"\xff", b"\x00")
    (tmp_path / "junk.mp3").write_bytes(junk + one)
    assert load_audio(tmp_path / "junk.mp3").duration_s == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize("name", ["hello.m4a", "empty.mp3"])
def test_what_is_no_audio_is_one_line_and_nothing_of_the_librarys(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfb\x90\x64" + b"hello " * 40)
    with pytest.raises(AudioError, match=r"can be read|damaged|no samples"):
        load_audio(tmp_path / name)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("bits", "width"), [(5, 1), (12, 2), (20, 3), (24, 4), (20, 4), (17, 3), (8, 2)]
)
def test_wavs_of_any_width_in_a_wider_container(bits: int, width: int, tmp_path: Path) -> None:
    # HISSTools_Library#9, wavefile#11: the container's width counts, samples stand at its top.
    rng = np.random.default_rng(bits)
    unsigned = width == 1
    top = 8 * width - bits
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    values = rng.integers(low, high, 500) << top
    raw = b"".join(
        (int(v) + (128 if unsigned else 0)).to_bytes(width, "little", signed=not unsigned)
        for v in values
    )
    fmt = struct.pack("<HHIIHH", 1, 1, 8_000, 8_000 * width, width, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(raw)) + raw
    wav = b"RIFF" + struct.pack("<I", len(body)) + body
    path = tmp_path / "song.wav"
    path.write_bytes(wav)
    expected = values / float(1 << 8 * width - 1)
    if (bits, width) in {(12, 2), (20, 3)}:  # what libsndfile reads, too
        np.testing.assert_allclose(soundfile.read(path, dtype="float64")[0], expected, atol=1e-7)
    np.testing.assert_allclose(load_audio(path).samples, expected, atol=1e-7)
