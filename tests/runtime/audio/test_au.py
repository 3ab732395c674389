from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from genrekit.audio.au import is_au, read_au_layout
from genrekit.audio.pcm import PcmLayout, PcmReader
from genrekit.errors import AudioError

RAMP = np.arange(-500, 500, dtype=">i2")
EXPECTED = (RAMP / 32_768).astype(np.float32)


def au(
    samples: bytes = RAMP.tobytes(),
    *,
    offset: int = 24,
    size: int | None = None,
    code: int = 3,
    rate: int = 22_050,
    channels: int = 1,
) -> bytes:
    stated = len(samples) if size is None else size
    header = b".snd" + struct.pack(">5I", offset, stated, code, rate, channels)
    return header + samples


def layout_of(data: bytes) -> PcmLayout:
    layout = read_au_layout(io.BytesIO(data))
    assert layout is not None
    return layout


def samples_of(data: bytes) -> np.ndarray:
    with PcmReader(io.BytesIO(data), layout_of(data), "test.au") as reader:
        return reader.read(1 << 20)


@pytest.mark.parametrize(
    "subtype", ["ULAW", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_files_of_libsndfile_read_as_libsndfile_reads_them(subtype: str, channels: int) -> None:
    frames = np.random.default_rng(0).uniform(-1, 1, (501, channels))
    file = io.BytesIO()
    soundfile.write(file, frames, 22_050, subtype, format="AU")
    data = file.getvalue()
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    layout = layout_of(data)
    assert (layout.sample_rate, layout.channels, layout.frames) == (22_050, channels, 501)
    np.testing.assert_allclose(samples_of(data), expected.mean(axis=1), rtol=0, atol=1e-7)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF])
def test_unknown_or_overlong_size_reads_to_the_end_of_the_file(size: int) -> None:
    np.testing.assert_array_equal(samples_of(au(size=size)), EXPECTED)


def test_annotation_before_the_samples_is_passed_over() -> None:
    data = au(b"recorded on a Sun\0\0\0" + RAMP.tobytes(), offset=44, size=2 * len(RAMP))
    np.testing.assert_array_equal(samples_of(data), EXPECTED)


def test_stated_size_ends_the_samples() -> None:
    np.testing.assert_array_equal(samples_of(au(size=200)), EXPECTED[:100])


def test_truncated_file_gives_the_whole_frames_there_are() -> None:
    np.testing.assert_array_equal(samples_of(au()[:-999]), EXPECTED[:500])


def test_header_that_promises_4_gb_allocates_nothing() -> None:
    tracemalloc.start()
    samples = samples_of(au(b"", size=0xFFFF_FFFE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(samples) == 0
    assert peak < 100_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (au()[:23], "header of 23 bytes: must be 24"),
        (au(offset=0), r"data offset 0: must be 24..2024"),
        (au(offset=2**32 - 1), "data offset 4294967295: must be 24..2024"),
        (au(rate=0), "sample rate 0 Hz: must be 8000..192000"),
        (au(rate=2**32 - 1), "sample rate 4294967295 Hz"),
        (au(channels=0), "0 channels: must be 1..256"),
        (au(channels=2**32 - 1), "4294967295 channels: must be 1..256"),
    ],
)
def test_broken_header_is_refused_with_value_and_bound(data: bytes, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        read_au_layout(io.BytesIO(data))


@pytest.mark.parametrize("code", [0, 8, 23, 27, 2**32 - 1])
def test_other_encodings_are_left_to_others(code: int) -> None:
    assert read_au_layout(io.BytesIO(au(code=code))) is None


def test_magic_is_four_letters() -> None:
    assert is_au(au()[:12])
    assert not is_au(b"dns.\0\0\0\x18")


_notable = st.sampled_from([0, 1, 3, 6, 7, 24, 25, 8_000, 2**31, 2**32 - 1])
_words = _notable | st.integers(0, 2**32 - 1)


@given(samples=st.binary(max_size=80), words=st.tuples(*[_words] * 5), cut=st.integers(0, 100))
def test_almost_valid_files_end_in_a_layout_within_the_file_or_in_an_error(
    samples: bytes, words: tuple[int, ...], cut: int
) -> None:
    offset, size, code, rate, channels = words
    data = au(samples, offset=offset, size=size, code=code, rate=rate, channels=channels)
    data = data[: max(4, len(data) - cut)]
    try:
        layout = read_au_layout(io.BytesIO(data))
    except AudioError:
        return
    if layout is not None:
        assert layout.data_offset + layout.frames * layout.frame_bytes <= len(data)
