"""The loudspeaker against a pretended card in virtual time: it asks for 10 ms every 10 ms and is heard 30 ms later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import DeviceError
from companion.sound.loudness import loudest_level
from companion.voice.playback import HeardCounter
from companion.voice.speaker import CardSpeaker

pytestmark = pytest.mark.looptime

RATE = 16_000
DELAY_S = 0.03
STEP_S = 0.01


class PretendedStream:
    def __init__(self, card: PretendedCard, rate: int, fill: Callable[..., bool], lost: Callable[[Any], None]) -> None:
        self.card, self.rate, self.fill, self.lost = card, rate, fill, lost
        self.name, self.refreshed, self.flowing = "Pretended", False, False

    async def start(self) -> None:
        self.card.starts += 1
        self.flowing = True

    async def close(self) -> None:
        self.flowing = False

    def abandon(self) -> None:
        self.flowing = False

    def gone_message(self) -> str:
        return "the loudspeaker went away"


class PretendedCard:
    """Keeps what was heard, with silence, from its first start on."""

    def __init__(self, rate: int | None = None) -> None:
        self.rate = rate
        self.present = True
        self.asks = True
        self.starts = 0
        self.stream: PretendedStream | None = None
        self.heard: list[np.ndarray[Any, Any]] = []

    async def open_output(
        self, name: str, rate: int, latency_s: float, callback: Callable[..., bool], on_lost: Callable[[Any], None]
    ) -> PretendedStream:
        assert (name, latency_s) == ("default", 0.04)
        if not self.present:
            raise DeviceError("no sound card: there is no loudspeaker")
        self.stream = PretendedStream(self, self.rate or rate, callback, on_lost)
        return self.stream

    async def run(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            stream = self.stream
            if stream is not None and stream.flowing and self.asks:
                buffer = bytearray(b"\x55\x55" * round(stream.rate * STEP_S))
                stream.flowing = stream.fill(memoryview(buffer), DELAY_S)
                self.heard.append(np.frombuffer(bytes(buffer), "<i2"))

    def vanish(self, *, refreshed: bool = False) -> None:
        stream, self.stream = self.stream, None
        assert stream is not None
        stream.flowing, stream.refreshed = False, refreshed
        stream.lost(stream)

    @property
    def sound(self) -> np.ndarray[Any, Any]:
        return np.concatenate(self.heard) if self.heard else np.zeros(0)


@asynccontextmanager
async def loudspeaker(
    card: PretendedCard | None = None, **how: Any
) -> AsyncIterator[tuple[CardSpeaker, PretendedCard]]:
    card = card or PretendedCard()
    speaker = CardSpeaker(card, "default", RATE, **how)  # type: ignore[arg-type]  # it answers as a card does
    async with asyncio.TaskGroup() as group:
        running = group.create_task(card.run())
        yield speaker, card
        await speaker.close()
        running.cancel()


def ramp(samples: int, first: int = 1) -> bytes:
    """Sound in which each sample tells its own number."""
    return (np.arange(first, first + samples) % 30_000 + 1).astype("<i2").tobytes()


def spoken(card: PretendedCard) -> np.ndarray[Any, Any]:
    sound = card.sound
    places = np.flatnonzero(sound)
    return sound[places[0] : places[-1] + 1] if len(places) else sound[:0]


async def test_what_is_written_is_heard_without_a_gap_and_whole() -> None:
    async with loudspeaker() as (speaker, card):
        starts = [await speaker.write(ramp(length, first)) for first, length in ((0, 777), (777, 3), (780, 9000))]
        await speaker.drain()
        assert starts == [0, 777, 780]
        assert spoken(card).tobytes() == ramp(9780, 0)
        assert speaker.position() == 9780


async def test_a_little_silence_comes_first_when_the_card_starts() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(ramp(1600))
        await speaker.drain()
        assert np.flatnonzero(card.sound)[0] >= 0.01 * RATE


async def test_a_prepared_loudspeaker_speaks_at_once() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.prepare()
        await asyncio.sleep(0.5)
        before = len(card.sound)
        await speaker.write(ramp(1600))
        await asyncio.sleep(0.05)
        assert np.flatnonzero(card.sound)[0] == before


async def test_position_is_what_is_heard_not_what_was_handed_over() -> None:
    async with loudspeaker() as (speaker, _):
        await speaker.prepare()
        await asyncio.sleep(0.1)
        await speaker.write(ramp(RATE))
        began = asyncio.get_running_loop().time()
        for _ in range(60):
            await asyncio.sleep(0.0123)
            since = asyncio.get_running_loop().time() - began
            # The card asks within 10 ms, and what it takes is heard 30 ms later.
            assert (since - 0.041) * RATE <= speaker.position() <= max(0, (since - 0.029) * RATE)


async def test_an_underrun_is_silence_that_counts_for_nothing() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(ramp(800))
        await asyncio.sleep(0.5)
        assert speaker.position() == 800
        assert await speaker.write(ramp(800, 801)) == 800
        await speaker.drain()
        assert speaker.position() == 1600
        assert card.sound[card.sound != 0].astype("<i2").tobytes() == ramp(800) + ramp(800, 801)


async def test_writing_waits_while_more_than_a_second_is_queued() -> None:
    async with loudspeaker() as (speaker, _):
        loop = asyncio.get_running_loop()
        began = loop.time()
        await speaker.write(ramp(3 * RATE))
        assert loop.time() - began < 0.01
        await speaker.write(ramp(10))
        assert loop.time() - began == pytest.approx(2.0, abs=0.1)
        await speaker.drain()
        assert loop.time() - began == pytest.approx(3.0, abs=0.1)


async def test_a_flush_fades_out_within_5_ms_and_positions_go_on_from_there() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write((9000 * np.ones(2 * RATE)).astype("<i2").tobytes())
        await asyncio.sleep(0.5)
        handed = len(card.sound)
        position = speaker.flush()
        await speaker.drain()
        after = card.sound[handed:]
        fade = after[: np.flatnonzero(after)[-1] + 1]
        assert 0.003 * RATE <= len(fade) <= 0.005 * RATE
        assert np.all(np.diff(fade.astype(int)) <= 0)
        assert fade[0] < 9000
        assert position == pytest.approx((0.5 - 0.055) * RATE, abs=0.02 * RATE)
        # What the card held and the fade were still heard.
        assert position < speaker.position() <= position + 0.05 * RATE
        start = await speaker.write(ramp(100))
        assert start == speaker.position()
        await speaker.drain()
        assert speaker.position() == start + 100


async def test_a_flush_lets_a_waiting_writer_and_drainer_go() -> None:
    async with loudspeaker() as (speaker, _):
        await speaker.write(ramp(5 * RATE))
        writing = asyncio.ensure_future(speaker.write(ramp(10)))
        draining = asyncio.ensure_future(speaker.drain())
        await asyncio.sleep(0.3)
        assert not writing.done()
        speaker.flush()
        async with asyncio.timeout(0.2):
            start = await writing
            await draining
        assert 0.2 * RATE < start < 0.35 * RATE


async def test_a_loudspeaker_that_was_never_used_can_be_flushed_and_drained() -> None:
    async with loudspeaker() as (speaker, card):
        assert speaker.flush() == 0
        await speaker.drain()
        assert speaker.position() == 0
        assert card.starts == 0


async def test_an_idle_stream_ends_and_is_started_again_by_the_next_word() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(ramp(1600))
        await asyncio.sleep(10)
        assert card.stream is not None
        assert not card.stream.flowing
        silent = len(card.sound)
        assert silent < 4 * RATE
        await speaker.write(ramp(1600, 1601))
        await speaker.drain()
        assert card.starts == 2
        assert spoken(card)[-1600:].tobytes() == ramp(1600, 1601)
        assert speaker.position() == 3200


async def test_the_stream_ends_soon_behind_the_last_word_unless_more_follows() -> None:
    async with loudspeaker() as (speaker, card):
        for first in (1, 1601):
            await speaker.write(ramp(1600, first))
            await speaker.drain()
            await asyncio.sleep(0.1)
        assert card.starts == 1
        silent = len(card.sound)
        await asyncio.sleep(10)
        assert len(card.sound) - silent < 0.2 * RATE


async def test_preparing_keeps_a_stream_awake_that_was_about_to_end() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.prepare()
        await asyncio.sleep(2.9)
        await speaker.prepare()
        await asyncio.sleep(1.0)
        assert card.starts == 1
        assert card.stream is not None
        assert card.stream.flowing


@pytest.mark.parametrize("card_rate", [8_000, 44_100, 48_000])
async def test_another_rate_of_the_card_changes_neither_sound_nor_positions(card_rate: int) -> None:
    async with loudspeaker(PretendedCard(card_rate)) as (speaker, card):
        tone = (9000 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)).astype("<i2").tobytes()
        starts = [await speaker.write(tone[at : at + 6400]) for at in range(0, len(tone), 6400)]
        await asyncio.sleep(0.53)
        assert speaker.position() == pytest.approx(0.48 * RATE, abs=0.02 * RATE)
        await speaker.drain()
        assert starts == [0, 3200, 6400, 9600, 12_800]
        assert speaker.position() == RATE
        begin = np.flatnonzero(np.abs(card.sound) > 50)[0]
        heard = card.sound[begin : begin + card_rate]
        wanted = 9000 * np.sin(2 * np.pi * 500 * np.arange(len(heard)) / card_rate)
        assert np.corrcoef(heard, wanted)[0, 1] > 0.99
        assert await speaker.write(ramp(160)) == RATE
        await asyncio.sleep(0.3)
        end = speaker.flush()
        assert await speaker.write(ramp(160)) >= end


async def test_the_volume_is_the_settings() -> None:
    async with loudspeaker(volume=0.25) as (speaker, card):
        await speaker.write((8000 * np.ones(160)).astype("<i2").tobytes())
        await speaker.drain()
        assert set(spoken(card)) == {2000}


async def test_a_lost_card_ends_writing_and_draining_with_one_sentence_each_and_comes_back() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(ramp(3 * RATE))
        writing = asyncio.ensure_future(speaker.write(ramp(10)))
        draining = asyncio.ensure_future(speaker.drain())
        await asyncio.sleep(0.5)
        card.present = False
        card.vanish()
        done, _ = await asyncio.wait([writing, draining], timeout=0.1)
        assert len(done) == 2
        for each in done:
            with pytest.raises(DeviceError, match="went away"):
                each.result()
        with pytest.raises(DeviceError, match="no loudspeaker"):
            await speaker.prepare()
        card.present = True
        reached = speaker.position()
        await speaker.prepare()
        start = await speaker.write(ramp(160))
        assert start >= reached
        assert start < 0.6 * RATE
        await speaker.drain()
        assert speaker.position() == start + 160


async def test_a_card_lost_behind_ones_back_is_told_once() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(ramp(RATE))
        await asyncio.sleep(0.2)
        card.vanish()
        await asyncio.sleep(0.1)
        with pytest.raises(DeviceError, match="went away"):
            await speaker.drain()
        await speaker.write(ramp(160))
        await speaker.drain()


async def test_a_card_that_stops_asking_is_given_up_and_never_hangs() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(ramp(RATE))
        await asyncio.sleep(0.1)
        card.asks = False
        began = asyncio.get_running_loop().time()
        with pytest.raises(DeviceError, match="went away"):
            await speaker.drain()
        assert asyncio.get_running_loop().time() - began <= 3.0
        card.asks = True
        await speaker.prepare()
        await speaker.write(ramp(160))
        await speaker.drain()


async def test_a_refresh_for_somebody_else_costs_only_what_the_card_held() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(ramp(RATE))
        draining = asyncio.ensure_future(speaker.drain())
        await asyncio.sleep(0.5)
        card.vanish(refreshed=True)
        began = asyncio.get_running_loop().time()
        await draining
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.55, abs=0.05)
        assert speaker.position() == RATE
        assert spoken(card)[-1] == np.frombuffer(ramp(RATE), "<i2")[-1]
        assert card.starts == 2


@given(
    st.lists(st.tuples(st.integers(0, 160), st.floats(-0.01, 0.01), st.floats(0.0, 0.05)), min_size=1, max_size=60),
    st.integers(0, 1000),
)
def test_what_was_heard_never_runs_backwards_nor_ahead_of_what_was_handed(
    calls: list[tuple[int, float, float]], before: int
) -> None:
    heard = HeardCounter(RATE, before)
    now, handed, seen = 100.0, before, before
    for count, jitter, late in calls:
        now += 0.01 + late
        heard.count_call(now, DELAY_S + jitter, 160, 0, handed, count)
        handed += count
        for part in (0.0, 0.004, 0.009):
            at = heard.heard_by(now + part)
            assert seen <= at <= handed
            seen = at
    assert heard.heard_by(now + 10) == handed


LOUD = 8000


def tone(seconds: float) -> bytes:
    return np.full(round(seconds * RATE), LOUD, "<i2").tobytes()


async def test_a_pause_is_silence_and_then_it_goes_on_without_a_lost_sample() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(tone(0.5))
        await asyncio.sleep(0.2)
        speaker.pause()
        await asyncio.sleep(0.05 + DELAY_S)
        at = speaker.position()
        quiet_from = len(card.sound)
        await asyncio.sleep(6.0)
        # Longer than an idle card stays awake.
        assert speaker.position() == at
        assert not card.sound[quiet_from:].any()
        speaker.resume()
        await speaker.drain()
        assert speaker.position() == 0.5 * RATE
        assert card.starts == 1
        # The volume changes evenly: no click.
        begin, end = np.flatnonzero(card.sound)[[0, -1]]
        assert np.abs(np.diff(card.sound[begin : end + 1].astype(int))).max() <= LOUD / 50
        assert (card.sound == LOUD).sum() >= 0.5 * RATE - 2 * 0.01 * RATE


async def test_ducked_it_plays_on_12_db_quieter() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(tone(0.6))
        await asyncio.sleep(0.2)
        speaker.duck()
        await asyncio.sleep(0.1)
        assert set(card.sound[-RATE // 50 :]) == {LOUD // 4}
        speaker.resume()
        await asyncio.sleep(0.05)
        # Softly.
        assert LOUD // 4 < card.sound[-1] < LOUD * 3 // 4
        await asyncio.sleep(0.15)
        assert set(card.sound[-RATE // 50 :]) == {LOUD}
        await speaker.drain()
        assert speaker.position() == 0.6 * RATE


async def test_what_is_said_after_a_ducked_end_is_as_loud_as_ever_from_its_first_sound() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(tone(0.2))
        speaker.duck()
        await speaker.drain()
        speaker.resume()
        await asyncio.sleep(0.1)
        quiet_from = len(card.sound)
        await speaker.write(tone(0.1))
        await speaker.drain()
        assert set(card.sound[quiet_from:]) <= {0, LOUD}


async def test_a_flush_in_a_pause_ends_it_and_nothing_of_it_is_heard() -> None:
    async with loudspeaker() as (speaker, card):
        await speaker.write(tone(0.5))
        await asyncio.sleep(0.2)
        speaker.pause()
        await asyncio.sleep(0.1)
        at, quiet_from = speaker.position(), len(card.sound)
        assert speaker.flush() == at
        await asyncio.sleep(0.1)
        assert not card.sound[quiet_from:].any()
        start = await speaker.write(tone(0.1))
        await speaker.drain()
        assert start >= at
        assert (card.sound[quiet_from:] == LOUD).sum() == 0.1 * RATE


@pytest.mark.parametrize("card_rate", [RATE, 48_000])
@pytest.mark.parametrize("volume", [0.3, 1.0])
async def test_nothing_that_leaves_it_is_louder_than_the_limit_whatever_the_volume(
    card_rate: int, volume: float
) -> None:
    async with loudspeaker(PretendedCard(card_rate)) as (speaker, card):
        speaker.limit(-24.0)
        speaker.volume = volume
        noise = np.random.default_rng(3)
        for level in (0.02, 0.9, 0.05, 0.5):
            await speaker.write((noise.uniform(-level, level, RATE // 2) * 32767).astype("<i2").tobytes())
        await speaker.drain()
        assert -26 < loudest_level(card.sound.tobytes(), card_rate) <= -24
        speaker.limit(None)
        await speaker.write((noise.uniform(-0.9, 0.9, RATE // 2) * 32767).astype("<i2").tobytes())
        await speaker.drain()
        assert loudest_level(card.sound.tobytes(), card_rate) > -20
