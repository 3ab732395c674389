"""A long file takes the memory of a short one."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from genrekit.benchmarks.speed.long_file import MAX_PEAK_BYTES, measure, write_silence
from genrekit.errors import ConfigError, EngineError


def test_the_silence_is_a_wav_that_takes_no_room(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    write_silence(path, 3_600, 44_100)
    info = soundfile.info(path)
    assert (info.frames, info.samplerate, info.channels) == (3_600 * 44_100, 44_100, 1)
    assert (info.format, info.subtype) == ("WAV", "PCM_16")
    assert path.stat().st_blocks * 512 < 100_000
    with pytest.raises(ConfigError, match=r"holds up to 13\.5 h"):
        write_silence(path, 14 * 3_600, 44_100)


def test_peak_memory_is_bounded(model_path: Path) -> None:
    # All samples at once would be 159 MB as float32 at the model's 22 050 Hz.
    found = measure(model_path, 0.5, 8_000)
    assert found.peak_bytes <= MAX_PEAK_BYTES
    assert found.audio_s == 1_800.0
    assert found.windows > 1_000


def test_a_model_that_does_not_load_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"missing\.onnx"):
        measure(tmp_path / "missing.onnx", 0.01, 8_000)
