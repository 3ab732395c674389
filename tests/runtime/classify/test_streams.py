"""Streaming equals offline, for any chunks."""

from __future__ import annotations

import dataclasses
import itertools

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrekit.arrays import Float32
from genrekit.artifact.card import Card
from genrekit.classify.streams import CardStream, FrameStream
from genrekit.errors import AudioError, ConfigError
from genrekit.features.config import FeatureConfig, Padding
from genrekit.features.kinds import extract

PADDINGS: tuple[Padding, ...] = ("zero", "reflect", "none")
chunk_sizes = st.lists(st.integers(1, 100_000), min_size=1, max_size=30)


def noise(n_samples: int, seed: int = 0) -> Float32:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(n_samples)).astype(np.float32)


def in_chunks(samples: Float32, sizes: list[int]) -> list[Float32]:
    """Cut by the sizes in turn, over and over."""
    edges = [0]
    while edges[-1] < len(samples):
        edges.append(edges[-1] + sizes[(len(edges) - 1) % len(sizes)])
    return [samples[a:b] for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("kind", ["log_mel", "mfcc", "mel_of_db", "log_power"])
@settings(max_examples=15, deadline=None)
@given(sizes=chunk_sizes, n_samples=st.integers(1_100, 60_000))
def test_frames_in_any_chunks_equal_the_whole_clips(
    kind: str, padding: Padding, sizes: list[int], n_samples: int
) -> None:
    config = FeatureConfig(padding=padding, top_db=None, n_mels=40)
    samples = noise(n_samples)
    stream = FrameStream(kind, config)
    parts = [stream.push(chunk) for chunk in in_chunks(samples, sizes)] + [stream.flush()]
    frames = np.concatenate(parts)
    if padding == "none" and n_samples < config.n_fft:
        assert len(frames) == 0
        return
    whole = np.concatenate([stream.push(samples), stream.flush()])
    np.testing.assert_array_equal(frames, whole)
    np.testing.assert_allclose(frames, extract(kind, samples, config), atol=2e-3)


def test_streamed_mfcc_is_librosas() -> None:
    samples = noise(50_000)
    stream = FrameStream("mfcc", FeatureConfig(top_db=None))
    frames = np.concatenate(
        [stream.push(samples[:12_345]), stream.push(samples[12_345:]), stream.flush()]
    )
    mel = librosa.feature.melspectrogram(y=samples, sr=22_050)
    level = librosa.power_to_db(mel, top_db=None)
    np.testing.assert_allclose(frames, librosa.feature.mfcc(S=level, n_mfcc=13).T, atol=1e-3)


def test_a_flushed_stream_starts_anew() -> None:
    stream = FrameStream("log_mel", FeatureConfig(top_db=None))
    first = np.concatenate([stream.push(noise(30_000)), stream.flush()])
    second = np.concatenate([stream.push(noise(30_000)), stream.flush()])
    np.testing.assert_array_equal(first, second)


def test_reflect_padding_needs_half_a_frame() -> None:
    stream = FrameStream("log_mel", FeatureConfig(top_db=None, padding="reflect"))
    stream.push(noise(1_024))
    with pytest.raises(AudioError, match="reflect padding needs 1025 samples, the clip has 1024"):
        stream.flush()


@settings(max_examples=20, deadline=None)
@given(sizes=chunk_sizes, n_samples=st.integers(1, 300_000))
def test_windows_in_any_chunks_equal_the_whole_clips(
    card: Card, sizes: list[int], n_samples: int
) -> None:
    samples = noise(n_samples)
    whole, parts = CardStream(card), CardStream(card)
    expected = whole.push(samples) + whole.flush()
    windows = []
    for chunk in in_chunks(samples, sizes):
        windows += parts.push(chunk)
    windows += parts.flush()
    assert len(windows) == len(expected) >= 1
    for window, other in zip(windows, expected, strict=True):
        np.testing.assert_array_equal(window["x"], other["x"])


def test_windows_are_slices_of_the_clips_frames(card: Card) -> None:
    samples = noise(10 * 22_050)
    stream = CardStream(card)
    windows = stream.push(samples) + stream.flush()
    frames = extract("log_mel", samples, card.features)
    hop = round(1.5 * 22_050 / 512)
    starts = range(0, len(frames) - 130 + 1, hop)
    assert len(windows) == len(starts)
    for start, window in zip(starts, windows, strict=True):
        part = frames[start : start + 130]
        np.testing.assert_allclose(window["x"][0], (part.T - part.mean()) / part.std(), atol=1e-3)


def test_a_hop_longer_than_a_window_is_kept_between_pushes(card: Card) -> None:
    features = dataclasses.replace(card.features, padding="none", n_fft=10_000, hop_length=10_000)
    frames = features.n_frames(66_150)
    shape = dataclasses.replace(card.inputs[0], shape=(1, features.n_mels, frames))
    windowing = dataclasses.replace(card.windowing, hop_s=3.0)
    sparse = dataclasses.replace(card, features=features, inputs=(shape,), windowing=windowing)
    assert frames < round(66_150 / 10_000)
    samples = noise(12 * 22_050)
    whole, parts = CardStream(sparse), CardStream(sparse)
    expected = whole.push(samples) + whole.flush()
    windows = [window for chunk in in_chunks(samples, [1_000]) for window in parts.push(chunk)]
    windows += parts.flush()
    assert len(windows) == len(expected)
    for window, other in zip(windows, expected, strict=True):
        np.testing.assert_allclose(window["x"], other["x"], atol=1e-3)


def test_a_feature_below_a_maximum_is_computed_from_each_windows_samples(card: Card) -> None:
    relative = dataclasses.replace(card, features=dataclasses.replace(card.features, top_db=40.0))
    samples = np.concatenate([noise(66_150), 0.001 * noise(66_150)])
    stream = CardStream(relative)
    windows = stream.push(samples) + stream.flush()
    assert len(windows) == 3
    level = extract("log_mel", samples[66_150:], relative.features)
    np.testing.assert_allclose(
        windows[2]["x"][0], (level.T - level.mean()) / level.std(), atol=1e-3
    )


def test_a_short_clip_is_wrapped_or_filled_with_silence(card: Card) -> None:
    samples = noise(10_000)
    for rule in ("wrap", "zero"):
        windowing = dataclasses.replace(card.windowing, short=rule)
        short = CardStream(dataclasses.replace(card, windowing=windowing))
        (window,) = short.push(samples) + short.flush()
        padded = np.tile(samples, 7)[:66150] if rule == "wrap" else np.pad(samples, (0, 56150))
        full = CardStream(card)
        (expected,) = full.push(padded) + full.flush()
        np.testing.assert_allclose(window["x"], expected["x"], atol=1e-4)


def test_no_samples_are_an_error(card: Card) -> None:
    with pytest.raises(AudioError, match="no samples"):
        CardStream(card).flush()


def test_windows_that_do_not_fit_the_input_are_refused(card: Card) -> None:
    windowing = dataclasses.replace(card.windowing, window_s=4.0)
    with pytest.raises(ConfigError, match=r"130 frames, but a window of 4\.0 s gives 173"):
        CardStream(dataclasses.replace(card, windowing=windowing))
