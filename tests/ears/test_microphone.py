"""How the microphone takes what a card holds: in time, in step with the card, and what it makes of losses."""

from __future__ import annotations

import asyncio
import itertools
import re
from contextlib import aclosing

import pytest

from companion.ears.microphone import CardMicrophone
from companion.errors import DeviceError
from companion.events import AudioFrame

pytestmark = pytest.mark.looptime
BLOCK_S = 0.032


class PretendedCard:
    """On virtual time: hears blocks of 32 ms at its own pace, one pace for each time it is opened.

    Satisfies as much of `SoundCard` and of `Stream` as a microphone uses. Each sample is the number of its block.
    """

    rate, channels, refreshed, name = 16_000, 1, False, "Pretended"

    def __init__(self, *paces: float, first_s: float = 0.0) -> None:
        self.paces = list(paces) or [1.0]
        self.first_s = first_s
        self.openings = self.looks = self.heard = self.taken = 0
        self.silent_from_s = float("inf")
        self.closed = False
        self.busy_until_s = 0.0
        """As if nobody looked until then."""
        self.loses_s = 0.0
        """What it has lost by then, the oldest."""

    async def open_input(self, _name: str, _rate: int, _block_s: float, _channel: int | None) -> PretendedCard:
        return self

    async def start(self) -> None:
        self.every_s = BLOCK_S / self.paces[min(self.openings, len(self.paces) - 1)]
        self.openings, self.closed = self.openings + 1, False
        self.began = asyncio.get_running_loop().time() + self.first_s
        self.taken = 0

    def read(self, least: int) -> tuple[bytes, bool]:
        self.looks += 1
        if self.closed:
            raise DeviceError(self.gone_message())
        time = min(asyncio.get_running_loop().time(), self.silent_from_s)
        if time < self.busy_until_s:
            return b"", False
        there = int((time - self.began) / self.every_s + 1e-6)
        lost, self.loses_s = round(self.loses_s / BLOCK_S), 0.0
        first, self.taken = self.taken + lost, max(there, self.taken)
        if (there - first) * 512 < least:
            return b"", False
        return b"".join(number.to_bytes(2, "little") * 512 for number in range(first, there)), lost > 0

    async def close(self) -> None:
        self.closed = True

    def gone_message(self) -> str:
        return "the microphone went away"


def microphone_of(card: PretendedCard, told: list[float] | None = None) -> CardMicrophone:
    on_loss = (lambda _: None) if told is None else told.append
    return CardMicrophone(card, "default", 1.0, on_loss)  # type: ignore[arg-type]  # it answers as a card does


async def heard_in(card: PretendedCard, seconds: float) -> list[AudioFrame]:
    loop, heard = asyncio.get_running_loop(), []
    began = loop.time()
    async with aclosing(microphone_of(card).frames()) as frames:
        async for frame in frames:
            heard.append(frame)
            if loop.time() - began > seconds:
                return heard
    raise AssertionError("it ended")


@pytest.mark.parametrize("pace", [0.999, 1.0, 1.001])
async def test_blocks_are_taken_within_two_milliseconds_and_seldom_looked_for_in_vain(pace: float) -> None:
    card, loop, lags = PretendedCard(pace, first_s=0.0137), asyncio.get_running_loop(), []
    async with aclosing(microphone_of(card).frames()) as frames:
        async for frame in frames:
            lags.append(loop.time() - card.began - frame.end / 512 * card.every_s)
            if len(lags) == 500:
                break
    assert max(lags) < 0.0025
    assert card.looks < 1.25 * 500


async def test_while_idle_it_looks_five_times_a_second_and_is_in_step_at_once_when_it_wakes() -> None:
    card, loop = PretendedCard(1.003, first_s=0.011), asyncio.get_running_loop()
    microphone = microphone_of(card)
    microphone.set_low_latency(False)
    async with aclosing(microphone.frames()) as frames:
        positions, before = [(await anext(frames)).end], card.looks
        while loop.time() - card.began < 10:
            frame = await anext(frames)
            assert frame.start == positions[-1]
            assert loop.time() - card.began - frame.end / 512 * card.every_s < BLOCK_S + 0.001
            positions.append(frame.end)
        assert len(positions) == pytest.approx(10 / 0.192, rel=0.05)
        assert card.looks - before < 1.05 * len(positions)
        await asyncio.sleep(0.05)
        microphone.set_low_latency(True)
        await anext(frames)
        for _ in range(30):
            frame = await anext(frames)
            assert loop.time() - card.began - frame.end / 512 * card.every_s < 0.0025


@pytest.mark.parametrize("late_s", [0.02, 0.5, 9.9])
async def test_what_came_while_nobody_asked_is_all_there_in_order(late_s: float) -> None:
    card = PretendedCard()
    async with aclosing(microphone_of(card).frames()) as frames:
        before = await anext(frames)
        await asyncio.sleep(late_s)
        heard = [await anext(frames) for _ in range(int(late_s / BLOCK_S) + 3)]
    assert all(one.end == next_one.start for one, next_one in itertools.pairwise([before, *heard]))
    assert all(frame.pcm[:2] == (frame.start // 512).to_bytes(2, "little") for frame in heard)


async def test_ten_seconds_are_kept_and_what_is_lost_beyond_is_told(caplog: pytest.LogCaptureFixture) -> None:
    card, told = PretendedCard(), []  # type: tuple[PretendedCard, list[float]]
    microphone = microphone_of(card, told)
    async with aclosing(microphone.frames()) as frames:

        async def gap(seconds: float) -> float:
            """Seconds lost when nobody asked for so long."""
            before, ended = microphone.lost_s, asyncio.get_running_loop().time() + seconds
            await asyncio.sleep(seconds)
            while (await anext(frames)).end / 16_000 < ended - card.began - BLOCK_S:
                pass
            return microphone.lost_s - before

        await anext(frames)
        assert await gap(9.9) == 0
        assert await gap(13.2) == pytest.approx(3.2, abs=0.07)
        assert await gap(10.3) == pytest.approx(0.3, abs=0.07)  # counted, and told with the next minute
    assert told == [pytest.approx(3.2, abs=0.07)]
    assert caplog.text.count("of sound were lost") == 1


async def test_sound_that_the_card_lost_shows_as_a_gap_and_is_counted() -> None:
    card, told = PretendedCard(), []  # type: tuple[PretendedCard, list[float]]
    microphone = microphone_of(card, told)
    async with aclosing(microphone.frames()) as frames:
        before = [await anext(frames) for _ in range(3)][-1]
        card.busy_until_s, card.loses_s = asyncio.get_running_loop().time() + 0.6, 0.128
        after = await anext(frames)
    assert after.start - before.end == pytest.approx(0.128 * 16_000, abs=BLOCK_S * 16_000)
    assert microphone.lost_s == pytest.approx(0.128, abs=BLOCK_S)
    assert told == [microphone.lost_s]


async def test_a_microphone_that_falls_silent_is_given_up_after_a_second() -> None:
    card, loop = PretendedCard(), asyncio.get_running_loop()
    async with aclosing(microphone_of(card).frames()) as frames:
        await anext(frames)
        began = card.silent_from_s = loop.time()
        with pytest.raises(DeviceError, match="went away"):
            await anext(frames)
    assert loop.time() - began == pytest.approx(1.0, abs=0.05)


async def test_whoever_closes_it_ends_its_frames() -> None:
    card = PretendedCard()
    microphone = microphone_of(card)
    async with aclosing(microphone.frames()) as frames:
        await anext(frames)
        await microphone.close()
        assert [frame async for frame in frames] == []


async def test_a_device_that_starts_may_take_twice_as_long() -> None:
    card, loop = PretendedCard(first_s=1.8), asyncio.get_running_loop()
    async with aclosing(microphone_of(card).frames()) as frames:
        await anext(frames)
    card, began = PretendedCard(first_s=3.0), loop.time()
    with pytest.raises(DeviceError, match="went away"):
        async with aclosing(microphone_of(card).frames()) as frames:
            await anext(frames)
    assert loop.time() - began == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("pace", [0.975, 1.05])
async def test_a_card_that_delivers_at_a_wrong_rate_is_opened_again_and_told_once(
    pace: float, caplog: pytest.LogCaptureFixture
) -> None:
    card = PretendedCard(pace, 1.0)
    heard = await heard_in(card, 60)
    assert card.openings == 2
    assert all(before.end <= after.start for before, after in itertools.pairwise(heard))
    [told] = [record.getMessage() for record in caplog.records if "instead of 16000" in record.getMessage()]
    assert int(re.search(r"delivers (\d+)", told)[1]) == pytest.approx(16_000 * pace, rel=0.005)  # type: ignore[index]


async def test_a_card_that_stays_wrong_is_heard_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    card = PretendedCard(0.975)
    heard = await heard_in(card, 60)
    assert heard[-1].end / 16_000 == pytest.approx(60 * 0.975, rel=0.01)
    assert card.openings == 2
    assert len([record for record in caplog.records if "instead of" in record.getMessage()]) == 1


@pytest.mark.parametrize("pace", [1.0, 0.99, 1.01])
async def test_a_card_whose_clock_is_a_little_off_is_left_alone(pace: float) -> None:
    card = PretendedCard(pace)
    await heard_in(card, 60)
    assert card.openings == 1
