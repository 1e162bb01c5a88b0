"""The microphone of the machine's sound card.

The audio thread lays blocks of 32 ms into a `AudioRing`; `frames` takes them out on the loop and makes them mono, as
loud as configured, and 16 kHz. Positions count samples at 16 kHz since the first `frames`, including those that were
lost and the time in which the device was away.

From the audio thread to the event loop: a bounded ring of blocks.

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
import logging
import math
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from companion.config.device import Device
from companion.errors import DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame
from companion.sound.card import SoundCard
from companion.sound.pcm import Resampler, amplified, mono
from companion.sound.stream import Stream

_MARGIN_S = 0.0015
"""How long after it is due a block is looked for; its coming jitters by less than 1 ms over PulseAudio."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of captured sound."""

    pcm: bytes
    start: int
    """Position of its first sample frame since the stream began, at the card's own rate; lost ones are counted."""
    frames: int


class AudioRing:
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


_BLOCK_S = 0.032
_RING_BLOCKS = 64  # 2 s
_BATCH_AT_REST = 6
_SILENT_S = 2.0
"""A device that vanished often just stops delivering: so long is it waited for."""

_log = logging.getLogger(__name__)


def build(device: Device, card: SoundCard) -> CardMicrophone:
    """The microphone that the device file names."""
    settings = device.ears.microphone
    return CardMicrophone(card, settings.device, settings.gain)


class CardMicrophone:
    """Satisfies `ports.Microphone`."""

    def __init__(self, card: SoundCard, name: str, gain: float) -> None:
        self._card = card
        self._name = name
        self._gain = gain
        self._ring: AudioRing | None = None
        self._batch = 1
        self._stream: Stream | None = None
        self._began: float | None = None
        self._end = 0
        self._dropped = 0
        self.is_open = False
        """Whether sound comes in, or came in a moment ago."""

    @property
    def dropped(self) -> int:
        """Sample frames that the ears could not take in time, since the start."""
        return self._dropped + (self._ring.dropped if self._ring is not None else 0)

    async def frames(self) -> AsyncGenerator[AudioFrame]:
        """See `ports.Microphone.frames`. One caller at a time."""
        loop = asyncio.get_running_loop()
        while True:
            ring = self._ring = AudioRing(loop, _RING_BLOCKS, _BLOCK_S)
            ring.batch = self._batch
            stream = self._stream = await self._card.open_input(
                self._name, EAR_RATE, _BLOCK_S, hear=ring.put, lost=ring.end
            )
            try:
                await stream.start()
                shape = _Shape(stream, self._gain, self._first_position(loop.time()))
                while (block := await ring.get(_SILENT_S)) is not None:
                    self.is_open = True
                    frame = shape.frame(block)
                    if frame.pcm:
                        self._end = frame.end
                        yield frame
            except TimeoutError as error:
                raise DeviceError(stream.gone()) from error
            finally:
                self.is_open = False
                self._ring = None
                self._dropped += ring.dropped
                await stream.close()
                if ring.dropped:
                    _log.warning("the ears lagged: %.1f s of sound were dropped", ring.dropped / stream.rate)
            if self._stream is None:
                return
            if not stream.refreshed:
                raise DeviceError(stream.gone())

    def hurry(self, wanted: bool) -> None:
        """Whether each block is wanted at once (as from the start), or several together.

        A waking costs far more than the work it does (the processor has slept and its caches are cold), so a device at
        rest wakes five times a second instead of thirty. The wake word is noticed up to 0.16 s later; no word is lost.
        """
        self._batch = 1 if wanted else _BATCH_AT_REST
        if self._ring is not None:
            self._ring.batch = self._batch

    async def close(self) -> None:
        """End `frames`."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    def _first_position(self, now: float) -> int:
        if self._began is None:
            self._began = now
        return max(self._end, round((now - self._began) * EAR_RATE))


class _Shape:
    """Makes frames for the ears out of one stream's blocks."""

    def __init__(self, stream: Stream, gain: float, first: int) -> None:
        self._rate = stream.rate
        self._channels = stream.channels
        self._gain = gain
        self._first = first
        self._resampler = None if stream.rate == EAR_RATE else Resampler(stream.rate, EAR_RATE)
        self._due = 0
        self._next = first

    def frame(self, block: Block) -> AudioFrame:
        """Empty where the resampler still holds all of it back."""
        pcm = amplified(mono(block.pcm, self._channels), self._gain)
        if self._resampler is None:
            return AudioFrame(pcm, self._first + block.start)
        if block.start != self._due:
            self._resampler.clear()
            self._next = max(self._next, self._first + block.start * EAR_RATE // self._rate)
        self._due = block.start + len(pcm) // SAMPLE_BYTES
        frame = AudioFrame(self._resampler.feed(pcm), self._next)
        self._next = frame.end
        return frame
