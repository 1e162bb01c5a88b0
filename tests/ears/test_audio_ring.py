"""The hand-off from the audio thread to the loop: order, loss that shows, and being woken from another thread."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.ears.microphone import AudioRing, Block


def ring(limit: int = 64) -> AudioRing:
    return AudioRing(asyncio.get_running_loop(), limit)


async def test_blocks_come_out_in_the_order_they_were_heard() -> None:
    audio_ring = ring()
    audio_ring.put(b"aa", 1)
    audio_ring.put(b"bbcc", 2)
    assert await audio_ring.get(1) == Block(b"aa", 0, 1)
    assert await audio_ring.get(1) == Block(b"bbcc", 1, 2)


async def test_a_block_from_another_thread_wakes_the_waiting_loop() -> None:
    audio_ring = ring()
    waiting = asyncio.ensure_future(audio_ring.get(5))
    await asyncio.sleep(0)
    thread = threading.Thread(target=audio_ring.put, args=(b"xx", 1))
    thread.start()
    assert await waiting == Block(b"xx", 0, 1)
    thread.join()


async def test_many_blocks_from_another_thread_all_arrive() -> None:
    audio_ring = ring(10_000)

    def talk() -> None:
        for number in range(5_000):
            audio_ring.put(number.to_bytes(2, "little"), 1)
        audio_ring.end()

    thread = threading.Thread(target=talk)
    thread.start()
    heard = []
    while (block := await audio_ring.get(5)) is not None:
        heard.append((block.start, int.from_bytes(block.pcm, "little")))
    thread.join()
    assert heard == [(number, number) for number in range(5_000)]


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 50)), max_size=40), st.integers(1, 8))
def test_every_sample_is_heard_or_shows_as_a_gap(blocks: list[tuple[int, int]], limit: int) -> None:
    async def go() -> None:
        audio_ring = ring(limit)
        for frames, lost in blocks:
            audio_ring.put(bytes(2 * frames), frames, lost)
        audio_ring.end()
        came = []
        while (block := await audio_ring.get(1)) is not None:
            came.append(block)
        assert [block.frames for block in came] == [frames for frames, _ in blocks[-limit:]]
        total = sum(frames + lost for frames, lost in blocks)
        assert not came or came[-1].start + came[-1].frames == total
        ends = [0, *(block.start + block.frames for block in came)]
        assert all(block.start >= end for block, end in zip(came, ends, strict=False))

    asyncio.run(go())


async def test_the_oldest_block_is_dropped_and_the_gap_is_visible() -> None:
    audio_ring = ring(2)
    for name in (b"a", b"b", b"c"):
        audio_ring.put(name * 20, 10)
    assert await audio_ring.get(1) == Block(b"b" * 20, 10, 10)


async def test_the_end_comes_after_what_was_heard_before_it() -> None:
    audio_ring = ring()
    audio_ring.put(b"zz", 1)
    audio_ring.end()
    assert await audio_ring.get(1) == Block(b"zz", 0, 1)
    assert await audio_ring.get(1) is None
    assert await audio_ring.get(1) is None


@pytest.mark.looptime
async def test_a_silent_device_times_out() -> None:
    audio_ring = ring()
    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await audio_ring.get(2.0)
    assert asyncio.get_running_loop().time() - began == pytest.approx(2.0)
    audio_ring.put(b"zz", 1)
    assert await audio_ring.get(2.0) == Block(b"zz", 0, 1)


async def test_in_batches_the_loop_sleeps_until_enough_has_come() -> None:
    audio_ring = ring()
    audio_ring.batch = 2
    waiting = asyncio.ensure_future(audio_ring.get(5))
    await asyncio.sleep(0)
    audio_ring.put(b"aa", 1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    audio_ring.put(b"bb", 1)
    assert await waiting == Block(b"aa", 0, 1)
    assert await audio_ring.get(5) == Block(b"bb", 1, 1)


@pytest.mark.looptime
@pytest.mark.parametrize("batch", [1, 2])
async def test_regular_blocks_are_found_just_after_they_are_due(batch: int) -> None:
    loop = asyncio.get_running_loop()
    audio_ring = AudioRing(loop, 64, interval_s=0.032)
    audio_ring.batch = batch
    lags = []

    async def talk() -> None:
        for number in range(20):
            audio_ring.put(number.to_bytes(2, "little"), 1)
            await asyncio.sleep(0.032)
        audio_ring.end()

    async with asyncio.TaskGroup() as group:
        group.create_task(talk())
        while (block := await audio_ring.get(2.0)) is not None:
            lags.append(loop.time() - 0.032 * block.start)
    assert len(lags) == 20
    assert max(lags) < (0.002 if batch == 1 else 0.011) + 0.032 * (batch - 1)


@pytest.mark.looptime
async def test_a_late_block_still_wakes_the_loop_and_a_missing_one_times_out() -> None:
    loop = asyncio.get_running_loop()
    audio_ring = AudioRing(loop, 64, interval_s=0.032)
    audio_ring.put(b"aa", 1)
    await audio_ring.get(2.0)
    loop.call_later(1.0, audio_ring.put, b"bb", 1)
    began = loop.time()
    assert await audio_ring.get(2.0) == Block(b"bb", 1, 1)
    assert loop.time() - began == pytest.approx(1.0)
    with pytest.raises(TimeoutError):
        await audio_ring.get(2.0)
    assert loop.time() - began == pytest.approx(3.0, abs=0.05)


@pytest.mark.looptime
async def test_the_end_is_noticed_at_once_even_before_the_next_block_is_due() -> None:
    loop = asyncio.get_running_loop()
    audio_ring = AudioRing(loop, 64, interval_s=10.0)
    audio_ring.put(b"aa", 1)
    await audio_ring.get(2.0)
    loop.call_later(0.5, audio_ring.end)
    assert await audio_ring.get(2.0) is None
    assert loop.time() == pytest.approx(0.5, abs=0.01)
