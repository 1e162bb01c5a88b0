"""The microphone of the machine's sound card.

The card keeps what it hears. A `Reader` takes it by the event loop's timer and puts it aside; `CardMicrophone.frames`
converts it to mono, 16 kHz and the configured gain. Positions count samples at 16 kHz since the first `frames`,
including samples that were lost and the time during which the device was away.

Waking up costs far more than the work itself, because the processor has slept and its caches are cold. So no other
thread is woken for a block. While words are listened for, the loop looks just after the next block is due, so that none
waits; an idle device takes six at once. If nobody asks for sound for longer than `_KEPT_S`, the oldest is dropped. The
position of the next block shows the gap, as it does where the card itself lost sound: that is where both are counted.
"""

from __future__ import annotations

import asyncio
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

_BLOCK_S = 0.032
_IDLE_S = 6 * _BLOCK_S
"""How often an idle device takes what there is. The card keeps more than twice that (`companion.sound.card`)."""

_EARLIER_S = 0.0003
_AGAIN_S = 0.002
"""Each look for a block is a little earlier than the last one, until one comes too early and is made again: so looks
stay within 2 ms behind the card, whose clock nobody knows."""

_KEPT_S = 10.0
"""Seconds, not fractions: a transcriber may keep the ears from taking sound for as long as its `timeout_s`. What waits
is heard late; what is dropped is never heard."""
_PULL, _JUMP_S = 0.02, 0.5
_SAID_AGAIN_S = 60.0
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


class Reader:
    """Takes the sound of an open stream, from now on until `close`, and keeps it until somebody asks for it."""

    def __init__(self, stream: Stream, interval_s: float) -> None:
        """It looks each `interval_s` seconds."""
        self._loop = asyncio.get_running_loop()
        self._stream = stream
        self._least = round(_BLOCK_S * stream.rate)
        self._blocks: deque[Block] = deque()
        self._end = 0
        """Position after the last block."""
        self._came = self._due = self._loop.time()
        self._in_step = False
        """Whether the last look came just before a block did, or was in step already."""
        self._patience_s = _FIRST_SOUND_S
        self._failure: DeviceError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._interval_s = interval_s
        self._timer: asyncio.Handle = self._loop.call_soon(self._look)

    def set_interval(self, seconds: float) -> None:
        """Look so often from now on, and now."""
        self._interval_s, self._in_step = seconds, False
        self._timer.cancel()
        self._timer = self._loop.call_soon(self._look)

    async def get(self) -> Block:
        """The oldest block. Raises `DeviceError` when no more will come. Called by one task at a time."""
        while not self._blocks:
            if self._failure is not None:
                raise self._failure
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._blocks.popleft()

    def close(self) -> None:
        """Take no more."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        try:
            pcm, lost = self._stream.read(self._least)
            if not pcm and now - self._came > self._patience_s:
                raise DeviceError(self._stream.gone_message())
        except DeviceError as error:
            self._failure = error
            self._wake()
            return
        if pcm:
            self._put(pcm, now, lost=lost)
        if self._interval_s > _BLOCK_S and pcm:
            self._due = now + self._interval_s
        elif self._in_step and pcm:
            self._due = max(self._due + self._interval_s - _EARLIER_S, now)
        else:
            self._due, self._in_step = now + _AGAIN_S, not pcm
        self._timer = self._loop.call_at(self._due, self._look)

    def _put(self, pcm: bytes, now: float, *, lost: bool) -> None:
        frames = len(pcm) // SAMPLE_BYTES // self._stream.channels
        rate = self._stream.rate
        # The card does not tell how much it lost; what there was has been taken each time.
        missing = max(0, round((now - self._came) * rate) - frames) if lost else 0
        block = Block(pcm, self._end + missing, frames, now)
        self._end = block.start + frames
        self._came, self._patience_s = now, _SILENT_DEVICE_S
        self._blocks.append(block)
        while self._end - self._blocks[0].start > _KEPT_S * rate:
            self._blocks.popleft()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def build(device: Device, card: SoundCard, on_loss: Callable[[float], None] = lambda _: None) -> CardMicrophone:
    """Build the microphone that the device file names."""
    settings = device.ears.microphone
    return CardMicrophone(card, settings.device, settings.gain, on_loss, settings.channel)


_MUTED_S = 0.1
"""How often it is looked for a control while the device is closed."""


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
        self._reader: Reader | None = None
        self._interval_s = _BLOCK_S
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
        self._muted = False

    async def frames(self) -> AsyncGenerator[AudioFrame]:
        """See `ports.Microphone.frames`. One caller at a time. Muted, the device is closed, and frames are empty."""
        loop = asyncio.get_running_loop()
        channel = int(self._channel) if self._channel.isdecimal() else None
        while True:
            while self._muted:
                self._end = self._first_position(loop.time())
                yield AudioFrame(b"", self._end)
                await asyncio.sleep(_MUTED_S)
            stream = self._stream = await self._card.open_input(self._name, EAR_RATE, _BLOCK_S, channel)
            try:
                await stream.start()
                reader = self._reader = Reader(stream, self._interval_s)
                converter = _FrameConverter(stream, self._channel, self._gain, self._first_position(loop.time()))
                due, pace = 0, Pace(stream.rate)
                while True:
                    block = await reader.get()
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
                    if self._muted:
                        break
            except DeviceError:
                if self._stream is None:
                    return
                if not stream.refreshed:
                    raise
            finally:
                self.is_open = False
                if self._reader is not None:
                    self._reader.close()
                self._reader = None
                await stream.close()

    def set_muted(self, muted: bool) -> None:
        """Close the device, so that no sound comes in at all; or open it again."""
        self._muted = muted

    @property
    def link(self) -> str:
        """How it is, in a word."""
        if self._muted and not self.is_open:
            return "closed"
        return "well" if self.is_open else "away"

    def set_low_latency(self, enabled: bool) -> None:
        """Deliver each block at once (the default), or several together to save power.

        So an idle device wakes up five times a second instead of thirty. The wake word is noticed up to 0.16 s later;
        no word is lost.
        """
        self._interval_s = _BLOCK_S if enabled else _IDLE_S
        if self._reader is not None:
            self._reader.set_interval(self._interval_s)

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
