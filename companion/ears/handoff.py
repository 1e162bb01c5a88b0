"""From the audio thread to the event loop: a bounded ring of blocks.

The audio thread cannot wait. It lays a block down and, only where the loop's side is asleep, wakes it once. When the
loop lags by more than the ring holds, the oldest block is dropped and counted; the next block's position shows the gap.

There is no lock, since a thread that is woken while the other holds one costs two switches more, 30 times a second.
One thread only appends and one only takes, a deque does both atomically, and each attribute has one writer; `_waiter`,
which both clear, is harmless to wake twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of captured sound."""

    pcm: bytes
    start: int
    """Position of its first sample frame since the stream began, at the card's own rate; lost ones are counted."""
    frames: int


class Handoff:
    """A ring of at most `limit` blocks, filled by one thread and emptied by the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int) -> None:
        self.batch = 1
        """How many blocks to gather before the loop is woken: fewer wakings cost less and bring later news."""
        self._loop = loop
        self._limit = limit
        self._blocks: deque[Block] = deque()
        self._position = 0
        self._dropped = 0
        self._ended = False
        self._waiter: asyncio.Future[bool] | None = None

    @property
    def dropped(self) -> int:
        """Sample frames that the ring had no room for since the stream began."""
        return self._dropped

    def put(self, pcm: bytes, frames: int, lost: int = 0) -> None:
        """Lay a block down. Called by the audio thread; never waits.

        `lost` sample frames went missing in the card just before it.
        """
        block = Block(pcm, self._position + lost, frames)
        self._position = block.start + frames
        self._blocks.append(block)
        if len(self._blocks) > self._limit:
            with contextlib.suppress(IndexError):  # the loop has caught up this instant
                self._dropped += self._blocks.popleft().frames
        if len(self._blocks) >= self.batch:
            self._wake()

    def end(self, _source: object = None) -> None:
        """No more blocks will come from the source. Called by any thread."""
        self._ended = True
        self._wake()

    async def get(self, within_s: float) -> Block | None:
        """The oldest block; None when the stream has ended. Raises `TimeoutError` after `within_s` seconds without one.

        Called on the loop, by one task at a time.
        """
        while not self._blocks:
            if self._ended:
                return None
            waiter = self._waiter = self._loop.create_future()
            if not self._blocks and not self._ended:  # else it came before there was a waiter to wake
                alarm = self._loop.call_later(within_s, _resolve, waiter, False)
                try:
                    if not await waiter:
                        raise TimeoutError
                finally:
                    alarm.cancel()
        return self._blocks.popleft()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, waiter, True)


def _resolve(waiter: asyncio.Future[bool], came: bool) -> None:
    if not waiter.done():
        waiter.set_result(came)
