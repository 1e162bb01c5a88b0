"""From the audio thread to the event loop: a bounded ring of blocks.

The audio thread cannot wait: it lays a block down. Blocks come in a rhythm, so the loop looks for the next one by its
own timer just after it is due, which costs a third less than being woken from another thread; only where the block is
late does it ask to be woken, and is, once. When the loop lags by more than the ring holds, the oldest block is dropped
and counted; the next block's position shows the gap.

There is no lock, since a thread that is woken while the other holds one costs two switches more, 30 times a second.
One thread only appends and one only takes, a deque does both atomically, and each attribute has one writer; `_waiter`,
which both clear, is harmless to wake twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from dataclasses import dataclass

_MARGIN_S = 0.0015
"""How long after it is due a block is looked for; its coming jitters by less than 1 ms over PulseAudio."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of captured sound."""

    pcm: bytes
    start: int
    """Position of its first sample frame since the stream began, at the card's own rate; lost ones are counted."""
    frames: int


class Handoff:
    """A ring of at most `limit` blocks, filled by one thread every `rhythm_s` seconds and emptied by the loop.

    Where there is no rhythm (0) each waking comes from the other thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int, rhythm_s: float = 0.0) -> None:
        self.batch = 1
        """How many blocks to gather before the loop wakes: fewer wakings cost less and bring later news."""
        self._loop = loop
        self._limit = limit
        self._blocks: deque[Block] = deque()
        self._rhythm_s = rhythm_s
        self._came = -math.inf
        self._position = 0
        self._dropped = 0
        self._ended = False
        self._alert = False
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
        self._came = self._loop.time()
        if self._alert and len(self._blocks) >= self.batch:
            self._wake()

    def end(self, _source: object = None) -> None:
        """No more blocks will come from the source. Called by any thread."""
        self._ended = True
        self._wake()

    async def get(self, within_s: float) -> Block | None:
        """The oldest block; None when the stream has ended. Raises `TimeoutError` when one is `within_s` seconds late.

        Called on the loop, by one task at a time.
        """
        while not self._blocks:
            if self._ended:
                return None
            early = self._came + self._rhythm_s * self.batch + _MARGIN_S - self._loop.time()
            self._alert = not self._rhythm_s or early <= 0
            waiter = self._waiter = self._loop.create_future()
            if self._ended or (self._alert and self._blocks):
                continue  # it came before there was a waiter to wake
            alarm = self._loop.call_later(within_s if self._alert else early, _resolve, waiter, False)
            try:
                woken = await waiter
            finally:
                alarm.cancel()
            if self._alert and not woken:
                raise TimeoutError
        return self._blocks.popleft()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, waiter, True)


def _resolve(waiter: asyncio.Future[bool], came: bool) -> None:
    if not waiter.done():
        waiter.set_result(came)
