"""The microphone of the machine's sound card, and the ring that carries its sound to the event loop.

The audio thread puts blocks of 32 ms into an `AudioRing`. `CardMicrophone.frames` takes them out on the loop, and
converts them to mono, 16 kHz and the configured gain. Positions count samples at 16 kHz since the first `frames`,
including samples that were lost and the time during which the device was away.

The audio thread must never wait, so it only puts blocks down. Blocks arrive at regular intervals, so the loop looks for
the next one with a timer just after it is due; this costs a third less than being woken by another thread. Only if the
block is late does the loop ask to be woken, and then it is woken once. If the loop lags by more than the ring holds,
the oldest block is dropped. The position of the next block shows the gap, as it does where the card itself lost sound:
that is where both are counted.

There is no lock: waking a thread while the other one holds a lock would cost two more context switches, 30 times a
second. One thread only appends and the other only takes, a deque does both atomically, and each attribute has a single
writer. Only `_waiter` is cleared by both, and waking it twice is harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from companion.config.device import Device
from companion.ears.pace import Pace
from companion.errors import DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame
from companion.sound.card import SoundCard
from companion.sound.pcm import Resampler, apply_gain, mix_to_mono, take_channel
from companion.sound.stream import Stream

_log = logging.getLogger(__name__)

_MARGIN_S = 0.0015
"""How long after a block is due the loop looks for it; arrival jitters by less than 1 ms over PulseAudio."""

_IDLE_MARGIN_S = 0.01
"""The same where blocks are gathered, and nobody waits: on a busy machine some come later than that, and to be woken by
the audio thread costs as much as the work itself."""

_BLOCK_S = 0.032
_RING_BLOCKS = round(10 / _BLOCK_S)
"""Seconds, not fractions: a transcriber may keep the loop from taking sound for as long as its `timeout_s`. What waits
is heard late; what is dropped is never heard."""
_PULL, _JUMP_S = 0.02, 0.5
_SAID_AGAIN_S = 60.0
_IDLE_BATCH = 6
_FIRST_SOUND_S = 2.0
"""How long to wait for a device that starts."""

_SILENT_DEVICE_S = 1.0
"""How long to wait for more sound: a device that vanished often just stops delivering."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of captured sound."""

    pcm: bytes
    start: int
    """Position of its first sample frame since the stream began, at the card's own rate, counting lost frames."""
    frames: int
    came: float = field(default=0.0, compare=False)
    """When it came, on the loop's clock."""


class AudioRing:
    """A ring of at most `limit` blocks, filled by one thread every `interval_s` seconds and emptied by the loop.

    With an interval of 0 the loop is always woken by the other thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int, interval_s: float = 0.0) -> None:
        self.batch = 1
        """How many blocks to gather before the loop wakes up. More blocks cost less, but are noticed later."""
        self._loop = loop
        self._limit = limit
        self._blocks: deque[Block] = deque()
        self._interval_s = interval_s
        self._last_put = -math.inf
        self._position = 0
        self._ended = False
        self._wake_requested = False
        self._waiter: asyncio.Future[bool] | None = None

    def put(self, pcm: bytes, frames: int, lost: int = 0) -> None:
        """Add a block. Called by the audio thread; never waits.

        `lost` is the number of sample frames that the card lost just before it.
        """
        self._last_put = self._loop.time()
        block = Block(pcm, self._position + lost, frames, self._last_put)
        self._position = block.start + frames
        self._blocks.append(block)
        if len(self._blocks) > self._limit:
            with contextlib.suppress(IndexError):  # the loop has just taken the last block
                self._blocks.popleft()
        if self._wake_requested and len(self._blocks) >= self.batch:
            self._wake()

    def end(self, _source: object = None) -> None:
        """End the stream: no more blocks will come. Called from any thread."""
        self._ended = True
        self._wake()

    async def get(self, timeout_s: float) -> Block | None:
        """The oldest block, or None when the stream has ended. Raises `TimeoutError` if it is `timeout_s` late.

        Called on the loop, by one task at a time.
        """
        while not self._blocks:
            if self._ended:
                return None
            margin_s = _MARGIN_S if self.batch == 1 else _IDLE_MARGIN_S
            early = self._last_put + self._interval_s * self.batch + margin_s - self._loop.time()
            self._wake_requested = not self._interval_s or early <= 0
            waiter = self._waiter = self._loop.create_future()
            if self._ended or (self._wake_requested and self._blocks):
                continue  # the block came before there was a waiter to wake
            alarm = self._loop.call_later(timeout_s if self._wake_requested else early, _resolve, waiter, False)
            try:
                woken = await waiter
            finally:
                alarm.cancel()
            if self._wake_requested and not woken:
                raise TimeoutError
        return self._blocks.popleft()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, waiter, True)


def _resolve(waiter: asyncio.Future[bool], came: bool) -> None:
    if not waiter.done():
        waiter.set_result(came)


def build(device: Device, card: SoundCard, on_loss: Callable[[float], None] = lambda _: None) -> CardMicrophone:
    """Build the microphone that the device file names."""
    settings = device.ears.microphone
    return CardMicrophone(card, settings.device, settings.gain, on_loss, settings.channel)


class CardMicrophone:
    """Satisfies `ports.Microphone`."""

    def __init__(
        self,
        card: SoundCard,
        name: str,
        gain: float,
        on_loss: Callable[[float], None] = lambda _: None,
        channel: str = "auto",
    ) -> None:
        """`on_loss` is told the seconds of sound that were lost, at most once a minute.

        `channel`: see `MicrophoneSettings`.
        """
        self._channel = channel
        self._card = card
        self._name = name
        self._gain = gain
        self._on_loss = on_loss
        self._ring: AudioRing | None = None
        self._batch = 1
        self._stream: Stream | None = None
        self._began: float | None = None
        self._end = 0
        self._zero = math.inf
        """When position 0 would have come in, on the loop's clock; the card's own clock drifts away from that."""
        self.lost_s = 0.0
        """Seconds of sound that were lost since the start, by the card or because the loop lagged."""
        self._lost_unsaid_s = 0.0
        self._lost_said = -math.inf
        self._wrong_rate_said = False
        self.is_open = False
        """Whether the device is open and has delivered sound."""

    async def frames(self) -> AsyncGenerator[AudioFrame]:
        """See `ports.Microphone.frames`. One caller at a time."""
        loop = asyncio.get_running_loop()
        while True:
            ring = self._ring = AudioRing(loop, _RING_BLOCKS, _BLOCK_S)
            ring.batch = self._batch
            stream = self._stream = await self._card.open_input(
                *(self._name, EAR_RATE, _BLOCK_S, ring.put, ring.end),
                channel=int(self._channel) if self._channel.isdecimal() else None,
            )
            try:
                await stream.start()
                converter = _FrameConverter(stream, self._channel, self._gain, self._first_position(loop.time()))
                due, pace = 0, Pace(stream.rate)
                while (block := await ring.get(_SILENT_DEVICE_S if self.is_open else _FIRST_SOUND_S)) is not None:
                    self.is_open = True
                    if self._is_off_pace(pace.wrong_rate(block.start + block.frames, block.came), stream):
                        break
                    self._note_gap((block.start - due) / stream.rate, loop.time())
                    due = block.start + block.frames
                    frame = converter.convert(block)
                    if frame.pcm:
                        self._end = frame.end
                        self._note_time(block.came - frame.end / EAR_RATE)
                        yield frame
            except TimeoutError as error:
                raise DeviceError(stream.gone_message()) from error
            finally:
                self.is_open = False
                self._ring = None
                await stream.close()
            if self._stream is None:
                return
            if not stream.refreshed and block is None:
                raise DeviceError(stream.gone_message())

    def set_low_latency(self, enabled: bool) -> None:
        """Deliver each block at once (the default), or several blocks together to save power.

        Waking up costs far more than the work itself, because the processor has slept and its caches are cold. So an
        idle device wakes up five times a second instead of thirty. The wake word is noticed up to 0.16 s later; no
        word is lost.
        """
        self._batch = 1 if enabled else _IDLE_BATCH
        if self._ring is not None:
            self._ring.batch = self._batch

    def time_of(self, position: int) -> float:
        """See `ports.Microphone.time_of`; on the loop's clock."""
        return self._zero + position / EAR_RATE

    async def close(self) -> None:
        """End `frames`."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    def _is_off_pace(self, wrong_rate: int | None, stream: Stream) -> bool:
        """Whether to open the device again because it delivers at a wrong rate. Tried, and said, once."""
        if wrong_rate is None or self._wrong_rate_said:
            return False
        self._wrong_rate_said = True
        _log.warning(
            "the microphone %r delivers %d samples a second instead of %d, which makes words hard to understand; it is "
            "opened again, once; should it go on, use another USB port, card or rate",
            *(stream.name, wrong_rate, stream.rate),
        )
        return True

    def _note_time(self, measured: float) -> None:
        """A block may come late, so later ones are believed slowly."""
        later = measured - self._zero
        self._zero = self._zero + _PULL * later if 0 < later < _JUMP_S else measured

    def _note_gap(self, lost_s: float, now: float) -> None:
        """Count lost sound, and say so: the first time at once, then at most once a minute."""
        self.lost_s += lost_s
        self._lost_unsaid_s += lost_s
        if self._lost_unsaid_s and now - self._lost_said >= _SAID_AGAIN_S:
            _log.warning(
                "%.1f s of sound were lost: this processor was too busy to listen; end other programs, or choose a "
                "lighter transcriber or voice",
                self._lost_unsaid_s,
            )
            self._on_loss(self._lost_unsaid_s)
            self._lost_unsaid_s, self._lost_said = 0.0, now

    def _first_position(self, now: float) -> int:
        if self._began is None:
            self._began = now
        return max(self._end, round((now - self._began) * EAR_RATE))


def _chosen(channel: str, channels: int) -> int | None:
    """The number of the channel that the setting means, from 1; None for the mean of all."""
    if channel == "auto":
        return 1 if channels > 2 else None
    return None if channel == "mix" else int(channel)


class _FrameConverter:
    """Converts the blocks of one stream to frames for the ears."""

    def __init__(self, stream: Stream, channel: str, gain: float, first: int) -> None:
        self._rate = stream.rate
        self._channels = stream.channels
        self._channel = _chosen(channel, stream.channels)
        self._gain = gain
        self._first = first
        self._resampler = None if stream.rate == EAR_RATE else Resampler(stream.rate, EAR_RATE)
        self._due = 0
        self._next = first

    def convert(self, block: Block) -> AudioFrame:
        """The frame for a block; empty if the resampler still holds back all of it."""
        if self._channel is None:
            pcm = mix_to_mono(block.pcm, self._channels)
        else:
            pcm = take_channel(block.pcm, self._channels, self._channel)
        pcm = apply_gain(pcm, self._gain)
        if self._resampler is None:
            return AudioFrame(pcm, self._first + block.start)
        if block.start != self._due:
            self._resampler.clear()
            self._next = max(self._next, self._first + block.start * EAR_RATE // self._rate)
        self._due = block.start + len(pcm) // SAMPLE_BYTES
        frame = AudioFrame(self._resampler.feed(pcm), self._next)
        self._next = frame.end
        return frame
