"""Any sequence of faults on the live path: counted, survived, and forgotten afterwards."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrekit.artifact.container import Artifact
from genrekit.engines.registry import load_engine
from genrekit.live.listener import Listener, Update
from genrekit.live.microphone import QUEUE_S, RETRY_S, Microphone
from genrekit.live.smoothing import LiveConfig

from .sound_card import Card, Clock, updates

RATES = (8_000, 22_050, 44_100, 48_000)
SONG = np.random.default_rng(7).standard_normal(4 * 44_100).astype(np.float32) * 0.1

sizes = st.sampled_from([1, 7, 441, 2_205, 8_820])
sounds = st.sampled_from(["noise", "silence", "clipped", "nan", "infinite", "huge", "denormal"])
played = st.tuples(st.just("play"), sounds, sizes, st.booleans())
faults = st.one_of(
    played,
    played,
    st.tuples(st.just("unplug")),
    st.tuples(st.just("plug in"), st.integers(0, 3), st.sampled_from(RATES)),
    st.tuples(st.just("refuse every rate")),
    st.tuples(st.just("clock"), st.floats(0, 1e6)),  # a monotonic clock never goes back
    st.tuples(st.just("stall"), st.integers(2, 12)),  # seconds
    st.tuples(st.just("driver hangs")),
)


class RunningClock(Clock):
    """A clock that goes on while it is looked at: what waits for time to pass comes to an end."""

    def __call__(self) -> float:
        self.now_s += 0.3
        return self.now_s


@dataclass
class Delivered:
    """What the card has handed over."""

    overruns: int = 0
    damaged: int = 0
    clipped: int = 0


def _sound(kind: str, size: int) -> np.ndarray:
    noise = np.random.default_rng(size).standard_normal(size).astype(np.float32) * 0.1
    values = {"silence": 0.0, "clipped": 1.0, "nan": np.nan, "infinite": np.inf}
    values |= {"huge": 1e30, "denormal": 1e-42}
    return np.full(size, values[kind], np.float32) if kind in values else noise


def _do(fault: tuple, card: Card, clock: Clock, delivered: Delivered) -> None:  # type: ignore[type-arg]  # of many shapes
    match fault:
        case ("play", kind, size, overrun) if card.running:
            sound = _sound(kind, size)
            card.play(sound, overrun=overrun)
            delivered.overruns += overrun
            delivered.damaged += size * (kind in ("nan", "infinite", "huge"))
            delivered.clipped += size * (kind == "clipped")
        case ("unplug",):
            card.unplug()
        case ("plug in", index, rate) if not card.running:
            card.rates = (rate,)
            card.plug_in(index)
        case ("refuse every rate",) if not card.running:
            card.rates = ()
        case ("clock", seconds):
            clock.now_s += seconds
        case ("stall", seconds) if card.running:
            for _ in range(10 * seconds):
                card.play(_sound("noise", card.sample_rate // 10))
                clock.now_s += 0.1
        case ("driver hangs",):
            clock.now_s += 3.0


def _is_sane(update: Update) -> bool:
    numbers = (update.position_s, update.latency_ms, update.cpu_share, update.dropped_s)
    shares = [score.probability for score in update.score.ranking]
    return (
        all(math.isfinite(number) and number >= 0.0 for number in numbers)
        and not math.isnan(update.level_db)
        and (not shares or math.isclose(sum(shares), 1.0, rel_tol=1e-6))
    )


@pytest.fixture(autouse=True, scope="module")
def _no_waiting() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genrekit.live.microphone.BLOCK_S", 0.001)
        yield


@settings(max_examples=150)
@given(sequence=st.lists(faults, max_size=14))
def test_faults_in_any_order_are_counted_survived_and_forgotten(
    sequence: list[tuple],  # type: ignore[type-arg]  # of many shapes
    artifact: Artifact,
) -> None:
    engine = load_engine(artifact)
    card, clock, delivered = Card(44_100), RunningClock(), Delivered()
    microphone = Microphone(card, None, 22_050, clock)
    blocks = microphone.blocks()
    listener = Listener(artifact, engine, LiveConfig(), microphone.losses, clock)
    found: list[Update] = []
    reconnects = microphone.losses.reconnects
    for fault in sequence:
        _do(fault, card, clock, delivered)
        found += updates(listener, blocks, 1)
        assert microphone.losses.reconnects >= reconnects
        reconnects = microphone.losses.reconnects
        waiting = sum(len(samples) for samples, _ in microphone._queue)
        assert waiting <= QUEUE_S * microphone.sample_rate
    assert all(_is_sane(update) for update in found)
    assert [u.position_s for u in found] == sorted(u.position_s for u in found)
    assert microphone.losses.overruns == delivered.overruns
    # A slow consumer loses the oldest blocks, and with them what was wrong in them.
    if found:
        assert found[-1].damaged_samples <= delivered.damaged
        assert found[-1].clipped_samples <= delivered.clipped

    # The card is lost once more and comes back sound: as if nothing had ever happened.
    card.unplug()
    for _ in range(200):  # as many blocks may wait
        found += updates(listener, blocks, 1)
        if microphone.is_away:
            break
    assert microphone.is_away
    first, *others = np.split(SONG, 40)
    card.rates, card.first_block = (44_100,), first
    card.plug_in()
    clock.now_s += RETRY_S[-1] + 2e6
    heard = updates(listener, blocks, 1)
    for block in others:
        card.play(block)
    heard += updates(listener, blocks, 39)
    assert [update.score for update in heard] == _alone(artifact)
    assert microphone.losses.reconnects >= 1


def _alone(artifact: Artifact) -> list[object]:
    card, clock = Card(44_100), Clock()
    microphone = Microphone(card, None, 22_050, clock)
    listener = Listener(artifact, load_engine(artifact), LiveConfig(), microphone.losses, clock)
    for block in np.split(SONG, 40):
        card.play(block)
    return [
        update.score
        for block in itertools.islice(microphone.blocks(), 40)
        for update in listener.hear(block)
    ]
