from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from genrekit.audio.decoding import Audio, load_audio, open_audio
from genrekit.audio.resampling import resample
from genrekit.errors import AudioError, DependencyError, FileError, GenreKitError

# librosa.load imports audioread, which imports modules that Python 3.13 removed.
librosa_warns = pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)':DeprecationWarning")


def chord(seconds: float = 2.0, rate: int = 44_100, channels: int = 2) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    voices = [0.3 * np.sin(2 * np.pi * hz * t) for hz in (220.0, 277.2, 329.6)[:channels]]
    return np.stack(voices, axis=1)


def load_or_error(path: Path, rate: int | None = None) -> np.ndarray | GenreKitError:
    try:
        return load_audio(path, rate).samples
    except GenreKitError as error:
        return error


def write_wav(path: Path, data_bytes: int, *, rate: int = 22_050, bits: int = 16) -> None:
    """Write a mono header and a sparse body of zeros."""
    width = bits // 8
    header = struct.pack("<4sI4s", b"RIFF", 36 + data_bytes, b"WAVE")
    header += struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * width, width, bits)
    header += struct.pack("<4sI", b"data", data_bytes)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + data_bytes)


@librosa_warns
def test_every_gtzan_wav_decodes_exactly_as_librosa_does(gtzan: Path) -> None:
    paths = sorted((gtzan / "genres_original").glob("*/*.wav"))
    assert len(paths) == 60
    for path in paths:
        expected, rate = librosa.load(path, sr=None)
        audio = load_audio(path)
        assert audio.sample_rate == rate == 22_050
        np.testing.assert_array_equal(audio.samples, expected, err_msg=path.name)


@librosa_warns
@pytest.mark.parametrize(
    ("extension", "subtype"),
    [("flac", "PCM_16"), ("flac", "PCM_24"), ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III")],
)
def test_compressed_file_reads_as_librosa_reads_it(
    tmp_path: Path, extension: str, subtype: str
) -> None:
    path = tmp_path / f"song.{extension}"
    soundfile.write(path, chord(), 44_100, subtype)
    expected, _ = librosa.load(path, sr=None, mono=True)
    audio = load_audio(path)
    assert audio.sample_rate == 44_100
    np.testing.assert_allclose(audio.samples, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("extension", ["wav", "au", "flac", "mp3"])
@pytest.mark.parametrize("name", ["song", "song.raw", "song.txt", "song.ogg"])
def test_content_decides_the_format_not_the_name(tmp_path: Path, extension: str, name: str) -> None:
    written = tmp_path / f"original.{extension}"
    soundfile.write(written, chord(), 44_100)
    expected = load_audio(written).samples
    renamed = written.rename(tmp_path / name)
    np.testing.assert_array_equal(load_audio(renamed).samples, expected)


def test_compressed_wav_goes_to_soundfile(tmp_path: Path) -> None:
    path = tmp_path / "adpcm.wav"
    soundfile.write(path, chord(), 44_100, "IMA_ADPCM")
    expected, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(load_audio(path).samples, expected.mean(axis=1), atol=1e-7)


@given(
    sizes=st.lists(st.integers(1, 40_000), min_size=1, max_size=6),
    extension=st.sampled_from(["wav", "flac", "mp3", "ogg"]),
)
def test_blocks_of_any_size_join_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], extension: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"blocks.{extension}"
    if not path.exists():
        soundfile.write(path, chord(), 44_100)
    stereo, _ = soundfile.read(path, dtype="float32")
    whole = stereo.mean(axis=1)
    blocks = []
    with open_audio(path) as reader:
        for size in sizes:
            blocks.append(reader.read(size))
            assert len(blocks[-1]) == min(size, len(whole) - sum(map(len, blocks[:-1])))
        blocks.append(reader.read(1 << 20))
        assert len(reader.read(10)) == 0
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_length_is_known_beforehand_where_no_header_has_to_be_believed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", chord(), 44_100)
    soundfile.write(tmp_path / "a.flac", chord(), 44_100)
    with open_audio(tmp_path / "a.wav") as wav, open_audio(tmp_path / "a.flac") as flac:
        assert (wav.sample_rate, wav.frames) == (44_100, 88_200)
        assert (flac.sample_rate, flac.frames) == (44_100, None)


def test_loading_at_another_rate_is_the_one_shot_resampling(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, chord(5.0), 44_100)
    audio = load_audio(path, 22_050)
    assert (audio.sample_rate, len(audio.samples), audio.duration_s) == (22_050, 110_250, 5.0)
    expected = resample(load_audio(path).samples, 44_100, 22_050)
    np.testing.assert_array_equal(audio.samples, expected)


@pytest.mark.parametrize("extension", ["wav", "au", "w64"])
def test_file_without_samples_opens_and_does_not_load(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"empty.{extension}"
    soundfile.write(path, np.zeros((0, 2)), 44_100)
    with open_audio(path) as reader:
        assert len(reader.read(100)) == 0
    with pytest.raises(AudioError, match=rf"empty\.{extension}: no samples"):
        load_audio(path, 22_050)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("extension", ["wav", "au", "w64"])
def test_sample_that_is_not_finite_is_refused_by_file_and_place(
    tmp_path: Path, value: float, extension: str
) -> None:
    path = tmp_path / f"odd.{extension}"
    samples = np.zeros(1_000)
    samples[700] = value
    soundfile.write(path, samples, 44_100, "DOUBLE")
    with pytest.raises(AudioError, match=rf"odd\.{extension}: .*sample 700 is -?(nan|inf)"):
        load_audio(path)


def test_missing_file_folder_and_pipe_are_one_line_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no\.wav: cannot be read: No such file"):
        open_audio(tmp_path / "no.wav")
    with pytest.raises(FileError, match=f"{tmp_path.name}: not a regular file"):
        open_audio(tmp_path)
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(FileError, match=r"pipe\.wav: not a regular file"):
        open_audio(tmp_path / "pipe.wav")
    with pytest.raises(FileError, match="cannot be read"):
        open_audio("nul\0.wav")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"RIFF", "not audio that can be read"),
        (b"RIFF\0\0\0\0WAVE", "no data chunk"),
        (b".snd", "header of 4 bytes"),
        (b"just a text, no song at all", "not audio that can be read"),
    ],
)
def test_file_that_is_not_audio_is_one_line_with_the_path(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "thing.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=rf"thing\.wav: {message}") as caught:
        open_audio(path)
    assert "\n" not in str(caught.value)


def test_rate_out_of_bounds_is_refused_through_soundfile_too(tmp_path: Path) -> None:
    path = tmp_path / "slow.flac"
    soundfile.write(path, np.zeros(100), 4_000)
    with pytest.raises(AudioError, match=r"slow\.flac: sample rate 4000 Hz: must be 8000..192000"):
        open_audio(path)


def test_flac_without_soundfile_names_the_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "song.flac"
    soundfile.write(path, chord(0.1), 44_100)
    monkeypatch.setitem(sys.modules, "soundfile", None)  # how Python marks it as not importable
    monkeypatch.setattr("genrekit.audio.decoding.has_ffmpeg", lambda: False)
    with pytest.raises(DependencyError, match=r'song\.flac: .*pip install "genrekit\[audio\]"'):
        open_audio(path)


@pytest.mark.parametrize("extension", ["flac", "ogg", "mp3"])
def test_cut_off_compressed_file_gives_its_beginning_or_a_clear_error(
    tmp_path: Path, extension: str
) -> None:
    path = tmp_path / f"cut.{extension}"
    soundfile.write(path, chord(), 44_100)
    whole = load_audio(path).samples
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    part = load_or_error(path)  # libsndfile gives up on some codecs, reads on in others
    if isinstance(part, GenreKitError):
        assert re.search(rf"cut\.{extension}: (damaged after|no samples)", str(part))
        return
    assert 0 < len(part) < len(whole)
    # The last packet may be cut as well: what is before it is untouched.
    n = len(part) - 10_000
    np.testing.assert_allclose(part[:n], whole[:n], rtol=0, atol=1e-6)


_SEEDS: dict[str, bytes] = {}


def seed(folder: Path, extension: str, subtype: str) -> bytes:
    key = f"{extension}-{subtype}"
    if key not in _SEEDS:
        path = folder / f"seed.{extension}"
        soundfile.write(path, chord(0.01, 8_000), 8_000, subtype)
        _SEEDS[key] = path.read_bytes()
    return _SEEDS[key]


@given(
    kind=st.sampled_from([("wav", "PCM_16"), ("wav", "FLOAT"), ("au", "PCM_24"), ("au", "ULAW")]),
    edits=st.lists(st.tuples(st.integers(0, 63), st.integers(0, 255)), max_size=5),
    cut=st.integers(0, 700),
)
def test_damaged_file_ends_in_finite_samples_or_one_line(
    tmp_path_factory: pytest.TempPathFactory,
    kind: tuple[str, str],
    edits: list[tuple[int, int]],
    cut: int,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    data = bytearray(seed(folder, *kind))
    for place, value in edits:
        data[place] = value
    path = folder / "damaged"
    path.write_bytes(data[: max(1, len(data) - cut)])
    outcome = load_or_error(path, 22_050)
    if isinstance(outcome, GenreKitError):
        assert str(outcome).startswith(str(path))
        assert "\n" not in str(outcome)
    else:
        assert np.isfinite(outcome).all()


def test_ten_hours_are_read_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    write_wav(path, 10 * 3_600 * 16_000, rate=16_000, bits=8)
    script = """
        import pathlib, re, sys
        from genrekit.audio.decoding import open_audio
        from genrekit.audio.resampling import Resampler
        frames = 0
        with open_audio(sys.argv[1]) as reader:
            resampler = Resampler(reader.sample_rate, 8_000)
            while len(block := reader.read(65_536)):
                frames += len(resampler.push(block))
        frames += len(resampler.flush())
        status = pathlib.Path("/proc/self/status").read_text()
        print(frames, re.search(r"VmHWM:\\s*(\\d+) kB", status)[1])
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    frames, peak_kib = map(int, run.stdout.split())
    assert frames == 10 * 3_600 * 8_000
    assert peak_kib < 80 * 1024


def test_absurdly_long_file_is_not_loaded_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genrekit.audio.decoding.MAX_LOADED_FRAMES", 100_000)
    path = tmp_path / "long.wav"
    write_wav(path, 2 * 100_001)
    with pytest.raises(AudioError, match=r"long\.wav: more than 100000 samples; .*open_audio"):
        load_audio(path)


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros(10), 22_050, r"float64 of shape \(10,\)"),
        (np.zeros((10, 2), np.float32), 22_050, r"shape \(10, 2\)"),
        (np.full(10, np.nan, np.float32), 22_050, "sample 0 is nan"),
        (np.zeros(10, np.float32), 4_000, "4000 Hz"),
    ],
)
def test_clip_that_features_are_not_defined_for_is_refused(
    samples: np.ndarray, rate: int, message: str
) -> None:
    with pytest.raises(AudioError, match=message):
        Audio(samples, rate)
