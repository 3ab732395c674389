"""The microphone against a sound card that misbehaves as real ones do."""

from __future__ import annotations

import numpy as np
import pytest

from genrekit.artifact.container import Artifact
from genrekit.engines.registry import load_engine
from genrekit.errors import AudioError
from genrekit.live.listener import Listener, Update
from genrekit.live.microphone import (
    QUEUE_S,
    RETRY_S,
    SILENT_DRIVER_S,
    Microphone,
    choose_device,
    rates_to_try,
)
from genrekit.live.smoothing import LiveConfig

from .sound_card import Card, Clock, device, listen, updates


def test_the_rate_that_is_cheapest_for_the_model_comes_first() -> None:
    usb = device(0, "USB")
    assert rates_to_try(22_050, usb)[:4] == (22_050, 44_100, 48_000, 32_000)
    assert Microphone(Card(48_000, 44_100), None, 22_050).sample_rate == 44_100
    assert Microphone(Card(16_000, 48_000), None, 22_050).sample_rate == 48_000


def test_a_card_without_mono_is_recorded_in_stereo_and_averaged() -> None:
    card = Card(48_000, channels=2)
    _, blocks = listen(card, Clock())
    card.play(np.full(10, 0.25))
    np.testing.assert_array_equal(next(blocks).samples, np.full(10, 0.25, np.float32))


def test_a_card_that_refuses_every_rate_is_one_clear_error() -> None:
    with pytest.raises(AudioError, match="USB Audio: refuses every sample rate"):
        Microphone(Card(), None, 22_050)


def test_devices_are_chosen_by_number_name_or_default() -> None:
    found = (device(0, "HDA Intel"), device(3, "USB Audio", default=True), device(4, "USB Audio 2"))
    assert choose_device(found, None).index == 3
    assert choose_device(found, "4").index == 4
    assert choose_device(found, "intel").index == 0
    assert choose_device(found, "USB Audio").index == 3
    for wanted, count in (("usb", 2), ("bluetooth", 0), ("9", 0)):
        with pytest.raises(AudioError, match=f"fits {count} devices.*HDA Intel"):
            choose_device(found, wanted)
    with pytest.raises(AudioError, match="no microphone"):
        choose_device((), None)


def test_an_unplugged_card_is_found_again_by_its_name_at_its_new_rate() -> None:
    card, clock = Card(44_100), Clock()
    microphone, blocks = listen(card, clock)
    card.play(np.zeros(4_410))
    assert not next(blocks).fresh
    card.unplug()
    away = next(blocks)
    assert len(away.samples) == 0
    assert microphone.is_away
    clock.now_s += RETRY_S[0]
    assert len(next(blocks).samples) == 0
    card.plug_in(index=5)
    card.rates = (48_000,)
    clock.now_s += RETRY_S[1]
    card.first_block = np.zeros(4_800)
    back = next(blocks)
    assert (back.fresh, back.sample_rate, len(back.samples)) == (True, 48_000, 4_800)
    assert microphone.losses.reconnects == 1
    card.play(np.zeros(4_800))
    assert not next(blocks).fresh


def test_attempts_to_reopen_become_rarer_but_never_stop() -> None:
    card, clock = Card(44_100), Clock()
    _, blocks = listen(card, clock)
    card.unplug()
    next(blocks)
    start = card.attempts
    for _ in range(36):  # an hour, in steps that are longer than any wait
        clock.now_s += 100.0
        next(blocks)
    assert card.attempts - start == 36
    before = card.attempts
    for _ in range(10):
        clock.now_s += RETRY_S[-1] / 10.5
        next(blocks)
    assert card.attempts == before


def test_a_driver_that_falls_silent_is_taken_for_lost() -> None:
    card, clock = Card(44_100), Clock()
    microphone, blocks = listen(card, clock)
    card.play(np.zeros(4_410))
    next(blocks)
    clock.now_s += SILENT_DRIVER_S + 0.1  # it says that it is alive, and records nothing
    assert len(next(blocks).samples) == 0
    assert microphone.is_away


def test_overruns_are_counted_and_a_slow_consumer_loses_the_oldest() -> None:
    card, clock = Card(44_100), Clock()
    microphone, blocks = listen(card, clock)
    for index in range(150):
        card.play(np.full(4_410, index / 1_000), overrun=index % 50 == 0)
        clock.now_s += 0.1
    first = next(blocks)
    assert first.samples[0] == np.float32(0.05)  # 15 s came, 10 s were kept
    assert first.arrived_s == pytest.approx(1_005.0)
    assert microphone.losses.overruns == 3
    assert microphone.losses.dropped_s == pytest.approx(15.0 - QUEUE_S)


def test_unplugging_between_two_songs_leaks_nothing_of_the_first(artifact: Artifact) -> None:
    rng = np.random.default_rng(0)
    songs = [rng.standard_normal(4 * 44_100) * 0.1, np.sin(np.arange(4 * 44_100) / 5.0) * 0.1]
    engine = load_engine(artifact)

    def hear_alone(samples: np.ndarray) -> list[Update]:
        card, clock = Card(44_100), Clock()
        microphone, blocks = listen(card, clock)
        listener = Listener(artifact, engine, LiveConfig(), microphone.losses, clock)
        for block in np.split(samples, 40):
            card.play(block)
        return updates(listener, blocks, 40)

    card, clock = Card(44_100), Clock()
    microphone, blocks = listen(card, clock)
    listener = Listener(artifact, engine, LiveConfig(), microphone.losses, clock)
    found = []
    for song in songs:
        first, *others = np.split(song, 40)
        if card.running:
            card.play(first)
        else:
            card.first_block = first
            card.plug_in()
            clock.now_s += RETRY_S[-1]
        heard = updates(listener, blocks, 1)
        for block in others:
            card.play(block)
        found.append(heard + updates(listener, blocks, 39))
        card.unplug()
        (away,) = updates(listener, blocks, 1)
        assert away.score.state == "away"
        assert updates(listener, blocks, 2) == []  # told once
    for song, heard in zip(songs, found, strict=True):
        assert [u.score for u in heard] == [u.score for u in hear_alone(song)]
        assert heard


def test_damaged_samples_clipping_and_silence_are_told_and_survived(artifact: Artifact) -> None:
    card, clock = Card(22_050), Clock()
    microphone, blocks = listen(card, clock)
    listener = Listener(artifact, load_engine(artifact), LiveConfig(), microphone.losses, clock)
    noise = np.random.default_rng(1).standard_normal(22_050 * 4) * 0.1
    noise[100], noise[200:210] = np.nan, 1.0
    for block in np.split(noise, 40):
        card.play(block)
    (update, *_) = updates(listener, blocks, 40)
    assert (update.damaged_samples, update.clipped_samples) == (1, 10)
    assert update.score.state != "silence"
    assert update.level_db == pytest.approx(-20.0, abs=0.5)
    for _ in range(60):
        card.play(np.zeros(2_205))
    assert updates(listener, blocks, 60)[-1].score.state == "silence"


def test_clock_jumps_give_no_nonsense(artifact: Artifact) -> None:
    card, clock = Card(22_050), Clock()
    microphone, blocks = listen(card, clock)
    listener = Listener(artifact, load_engine(artifact), LiveConfig(), microphone.losses, clock)
    found = []
    for index, jump in enumerate([0.0, 86_400.0, -86_400.0] * 30):
        card.play(np.random.default_rng(index).standard_normal(2_205) * 0.1)
        clock.now_s += jump
        found += updates(listener, blocks, 1)
    assert len(found) >= 4
    assert all(update.latency_ms >= 0.0 and update.cpu_share >= 0.0 for update in found)
    assert microphone.losses.reconnects == 0
