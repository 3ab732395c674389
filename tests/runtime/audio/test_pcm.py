from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from genrekit.audio.pcm import (
    BLOCK_BYTES,
    Encoding,
    PcmLayout,
    PcmReader,
    check_magnitude,
    check_sample_rate,
    downmix,
)
from genrekit.errors import AudioError

# Our encoding beside libsndfile's name for it.
ENCODINGS = [
    (Encoding("unsigned", 1, "<"), "PCM_U8", "LITTLE"),
    (Encoding("signed", 1, ">"), "PCM_S8", "BIG"),
    (Encoding("signed", 2, "<"), "PCM_16", "LITTLE"),
    (Encoding("signed", 2, ">"), "PCM_16", "BIG"),
    (Encoding("signed", 3, "<"), "PCM_24", "LITTLE"),
    (Encoding("signed", 3, ">"), "PCM_24", "BIG"),
    (Encoding("signed", 4, "<"), "PCM_32", "LITTLE"),
    (Encoding("signed", 4, ">"), "PCM_32", "BIG"),
    (Encoding("float", 4, "<"), "FLOAT", "LITTLE"),
    (Encoding("float", 4, ">"), "FLOAT", "BIG"),
    (Encoding("float", 8, "<"), "DOUBLE", "LITTLE"),
    (Encoding("float", 8, ">"), "DOUBLE", "BIG"),
    (Encoding("mulaw", 1, ">"), "ULAW", "FILE"),
]


@pytest.mark.parametrize(("encoding", "subtype", "endian"), ENCODINGS)
def test_every_encoding_decodes_as_libsndfile_does(
    encoding: Encoding, subtype: str, endian: str
) -> None:
    if encoding.kind == "float":
        data = np.random.default_rng(0).normal(0, 0.3, 24_000)
        data = data.astype(f"{encoding.order}f{encoding.width}").tobytes()
    else:  # every byte value, at every place in a sample
        data = bytes(range(256)) * 12 + np.random.default_rng(0).bytes(24_000)
    expected, _ = soundfile.read(
        io.BytesIO(data),
        dtype="float32",
        format="RAW",
        subtype=subtype,
        endian=endian,
        samplerate=8_000,
        channels=1,
    )
    np.testing.assert_array_equal(encoding.decode(data), expected)


def test_downmix_is_the_mean_of_the_channels() -> None:
    frames = np.random.default_rng(1).normal(0, 0.3, (100, 7)).astype(np.float32)
    np.testing.assert_allclose(downmix(frames), frames.mean(axis=1, dtype=np.float64), atol=1e-7)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e10, -1e10])
def test_sample_that_no_feature_is_defined_for_is_named(value: float) -> None:
    frames = np.zeros((50, 2), np.float32)
    frames[7, 1] = value
    with pytest.raises(AudioError, match=f"sample 107 is {np.float32(value):g}".replace("+", ".")):
        check_magnitude(frames, 100)


def test_integer_scaled_float_samples_are_let_through() -> None:
    check_magnitude(np.array([-(2.0**31), 2.0**31], np.float32), 0)


@pytest.mark.parametrize("rate", [0, 7_999, 192_001, 4_294_967_295])
def test_sample_rate_out_of_bounds_is_refused_with_its_bounds(rate: int) -> None:
    with pytest.raises(AudioError, match=rf"sample rate {rate} Hz: must be 8000..192000"):
        check_sample_rate(rate)


@pytest.mark.parametrize("channels", [0, 257, 65_535])
def test_absurd_channel_count_is_refused_with_its_bounds(channels: int) -> None:
    with pytest.raises(AudioError, match=rf"{channels} channels: must be 1..256"):
        PcmLayout(44_100, channels, Encoding("signed", 2, "<"), 44, 10)


def test_reader_gives_what_is_left_of_a_file_that_shrinks() -> None:
    n = BLOCK_BYTES  # two blocks of 16-bit samples
    stored = np.random.default_rng(2).integers(-32_768, 32_768, n).astype("<i2")
    file = io.BytesIO(stored.tobytes())
    with PcmReader(file, PcmLayout(8_000, 1, Encoding("signed", 2, "<"), 0, n), "x.wav") as reader:
        file.truncate(2 * 150_001 + 1)  # ends in the middle of a sample
        samples = reader.read(n)
        np.testing.assert_array_equal(samples, stored[:150_001] / np.float32(32_768))
        assert len(reader.read(1)) == 0
