from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from genrekit.audio.pcm import PcmLayout, PcmReader
from genrekit.audio.wav import GUID_TAIL, MAX_CHUNKS, is_wav, read_wav_layout
from genrekit.errors import AudioError

RAMP = np.arange(-500, 500, dtype="<i2")
EXPECTED = RAMP / np.float32(32_768)


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    stated = len(body) if size is None else size
    return struct.pack("<4sI", name, stated) + body + b"\0" * (len(body) % 2)


def fmt(
    *, tag: int = 1, channels: int = 1, rate: int = 22_050, bits: int = 16, align: int | None = None
) -> bytes:
    block = channels * bits // 8 if align is None else align
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, 0, block & 0xFFFF, bits))


def riff(*chunks: bytes, magic: bytes = b"RIFF", size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return struct.pack("<4sI", magic, len(body) if size is None else size) + body


def layout_of(data: bytes) -> PcmLayout:
    layout = read_wav_layout(io.BytesIO(data))
    assert layout is not None
    return layout


def samples_of(data: bytes) -> np.ndarray:
    with PcmReader(io.BytesIO(data), layout_of(data), "test.wav") as reader:
        return reader.read(1 << 20)


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_files_of_libsndfile_read_as_libsndfile_reads_them(
    container: str, subtype: str, channels: int
) -> None:
    frames = np.random.default_rng(0).uniform(-1, 1, (501, channels))
    file = io.BytesIO()
    soundfile.write(file, frames, 48_000, subtype, format=container)
    data = file.getvalue()
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    layout = layout_of(data)
    assert (layout.sample_rate, layout.channels, layout.frames) == (48_000, channels, 501)
    np.testing.assert_allclose(samples_of(data), expected.mean(axis=1), rtol=0, atol=1e-7)


def test_mu_law_reads_as_libsndfile_reads_it() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.linspace(-1, 1, 999), 8_000, "ULAW", format="WAV")
    expected, _ = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")
    np.testing.assert_array_equal(samples_of(file.getvalue()), expected)


@pytest.mark.parametrize(
    "chunks",
    [
        (fmt(), chunk(b"data", RAMP.tobytes()), chunk(b"LIST", b"after")),
        (chunk(b"JUNK", b"odd"), fmt(), chunk(b"LIST", b""), chunk(b"data", RAMP.tobytes())),
        (
            chunk(b"bext", bytes(603)),
            chunk(b"\xff\xfe\0\0", b"1"),
            fmt(),
            chunk(b"data", RAMP.tobytes()),
        ),
        (chunk(b"fmt ", fmt()[8:] + b"\0\0"), chunk(b"data", RAMP.tobytes())),
    ],
    ids=["after", "odd before", "odd binary before", "18-byte fmt"],
)
def test_other_chunks_are_passed_over(chunks: tuple[bytes, ...]) -> None:
    np.testing.assert_array_equal(samples_of(riff(*chunks)), EXPECTED)


@pytest.mark.parametrize("data_size", [0, 0xFFFF_FFFF])
@pytest.mark.parametrize("riff_size", [0, 36, 0xFFFF_FFFF])
def test_streaming_header_reads_to_the_end_of_the_file(data_size: int, riff_size: int) -> None:
    data = riff(fmt(), chunk(b"data", RAMP.tobytes(), data_size), size=riff_size)
    np.testing.assert_array_equal(samples_of(data), EXPECTED)


def test_empty_data_chunk_of_a_finished_file_is_empty_whatever_follows() -> None:
    assert layout_of(riff(fmt(), chunk(b"data", b""), chunk(b"LIST", bytes(100)))).frames == 0


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
def test_64_bit_data_size_is_taken_from_ds64(magic: bytes) -> None:
    sizes = struct.pack("<QQQI", 0, 2 * len(RAMP), len(RAMP), 0)
    data = riff(
        chunk(b"ds64", sizes),
        fmt(),
        chunk(b"data", RAMP.tobytes(), 0xFFFF_FFFF),
        chunk(b"LIST", bytes(50)),
        magic=magic,
        size=0xFFFF_FFFF,
    )
    np.testing.assert_array_equal(samples_of(data), EXPECTED)


def test_truncated_file_gives_the_whole_frames_there_are() -> None:
    stereo = RAMP.reshape(-1, 2)
    data = riff(fmt(channels=2), chunk(b"data", stereo.tobytes()))[:-999]
    expected = stereo[: (2000 - 999) // 4].mean(axis=1) / np.float32(32_768)
    np.testing.assert_array_equal(samples_of(data), expected)


def test_header_that_promises_4_gb_allocates_nothing() -> None:
    data = riff(fmt(), chunk(b"data", b"", 0xFFFF_FFFE), size=0xFFFF_FFF0)
    assert len(data) == 44
    tracemalloc.start()
    samples = samples_of(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(samples) == 0
    assert peak < 100_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (riff(fmt()), "no data chunk in 36 bytes"),
        (riff(chunk(b"junk", b"", 0xFFFF_FFF0)), "no data chunk"),
        (riff(), "no data chunk in 12 bytes"),
        (riff(chunk(b"data", b"12")), "no fmt chunk before the data"),
        (
            riff(chunk(b"fmt ", bytes(14)), chunk(b"data", b"")),
            "chunk of 14 bytes.*at least 16",
        ),
        (riff(*[chunk(b"junk", b"")] * MAX_CHUNKS, fmt()), "first 1000 chunks"),
        (riff(fmt(rate=7_999), chunk(b"data", b"")), "rate 7999 Hz: must be 8000..192000"),
        (riff(fmt(rate=2**32 - 1), chunk(b"data", b"")), "rate 4294967295 Hz"),
        (riff(fmt(channels=0), chunk(b"data", b"")), "0 channels: must be 1..256"),
        (riff(fmt(channels=30_000), chunk(b"data", b"")), "30000 channels: must be 1..256"),
        (
            riff(fmt(channels=2, align=3), chunk(b"data", b"")),
            r"block align 3: must be .* = 2 x 2",
        ),
        (
            riff(fmt(bits=33, align=2), chunk(b"data", b"")),
            "33 bits per sample: must be 1..32",
        ),
        (riff(fmt(tag=3, bits=16), chunk(b"data", b"")), "16 bits per sample: must be 32 or 64"),
        (
            riff(fmt(tag=0xFFFE), chunk(b"data", b"")),
            "extensible fmt .* 16 bytes: must be 40",
        ),
    ],
)
def test_broken_header_is_refused_with_value_and_bound(data: bytes, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        read_wav_layout(io.BytesIO(data))


def test_channel_count_whose_block_align_overflows_is_refused() -> None:
    with pytest.raises(AudioError, match="block align"):
        read_wav_layout(io.BytesIO(riff(fmt(channels=65_535), chunk(b"data", b""))))


@pytest.mark.parametrize("tag", [2, 6, 0x11, 0x55])
def test_compressed_samples_are_left_to_others(tag: int) -> None:
    data = riff(fmt(tag=tag, bits=4), chunk(b"data", b"abcd"))
    assert read_wav_layout(io.BytesIO(data)) is None


def test_extensible_format_of_a_foreign_family_is_left_to_others() -> None:
    body = fmt(tag=0xFFFE)[8:] + struct.pack("<HHIH", 22, 16, 0, 1)
    assert layout_of(riff(chunk(b"fmt ", body + GUID_TAIL), chunk(b"data", b""))).frames == 0
    foreign = chunk(b"fmt ", body + GUID_TAIL[::-1])
    assert read_wav_layout(io.BytesIO(riff(foreign, chunk(b"data", b"")))) is None


def test_magic_is_the_container_and_its_kind() -> None:
    assert is_wav(riff()[:12])
    assert is_wav(riff(magic=b"RF64")[:12])
    assert not is_wav(b"RIFF\0\0\0\0AVI ")
    assert not is_wav(b"RIFF")


# Pieces of valid files and their near relatives, in any order and cut anywhere.
_numbers = st.sampled_from([0, 1, 2, 3, 16, 24, 255, 0x7FFF, 0xFFFE, 0xFFFF])
_pieces = st.one_of(
    st.builds(
        lambda tag, channels, rate, bits, align: fmt(
            tag=tag, channels=channels, rate=rate, bits=bits, align=align
        ),
        st.sampled_from([1, 3, 7, 0xFFFE]) | _numbers,
        _numbers,
        st.sampled_from([0, 8_000, 44_100, 2**32 - 1]),
        st.sampled_from([8, 16, 24, 32, 64]) | _numbers,
        st.none() | _numbers,
    ),
    st.builds(
        chunk,
        st.sampled_from([b"fmt ", b"data", b"ds64", b"LIST"]),
        st.binary(max_size=60),
        st.none() | st.sampled_from([0, 1, 16, 0x7FFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFF]),
    ),
)


@given(
    pieces=st.lists(_pieces, max_size=6),
    magic=st.sampled_from([b"RIFF", b"RF64", b"BW64"]),
    size=st.none() | st.integers(0, 2**32 - 1),
    cut=st.integers(0, 60),
)
def test_almost_valid_files_end_in_a_layout_within_the_file_or_in_an_error(
    pieces: list[bytes], magic: bytes, size: int | None, cut: int
) -> None:
    data = riff(*pieces, magic=magic, size=size)
    data = data[: max(12, len(data) - cut)]
    try:
        layout = read_wav_layout(io.BytesIO(data))
    except AudioError:
        return
    if layout is not None:
        assert layout.data_offset + layout.frames * layout.frame_bytes <= len(data)
        assert 1 <= layout.channels <= 256
