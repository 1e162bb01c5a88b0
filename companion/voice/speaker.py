"""The loudspeaker of the machine's sound card.

Speech waits in a `Playback`, from which the audio thread takes it. The stream ends by itself behind the last word, or
after some seconds without speech, because an idle one costs processor time. `prepare` or `write` starts it again, with
a little silence first so that no word is cut. If the card refuses the voice's rate, speech is resampled; positions are
always in the voice's rate.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from companion.config.device import Device
from companion.config.policy import Audience, policy_of
from companion.errors import DeviceError
from companion.events import SAMPLE_BYTES
from companion.sound.card import SoundCard
from companion.sound.loudness import LoudnessLimit
from companion.sound.pcm import Resampler, apply_gain
from companion.sound.played import PlayedSound
from companion.sound.stream import Stream
from companion.voice.playback import AHEAD_S, DUCKED, Playback

_STALLED_S = 2.0
"""How long to wait for a device that asks for no more sound: many do not report it when they are unplugged."""


def build(
    device: Device, card: SoundCard, rate: int, played: PlayedSound | None = None, audience: Audience = "adult"
) -> CardSpeaker:
    """The loudspeaker that the device file names, for a voice of `rate` samples a second. Call it on the event loop.

    `audience`: that of the persona, whose policy bounds how loud it is.
    """
    settings = device.voice.speaker
    built = CardSpeaker(card, settings.device, rate, settings.latency_ms / 1000, settings.volume, played)
    built.limit(most_level(device, audience))
    return built


def most_level(device: Device, audience: Audience) -> float | None:
    """The loudest level that the policy allows (`companion.sound.loudness`); None: no limit, or not calibrated."""
    most, full = policy_of(device.policy, audience).sound.loudest_db, device.voice.speaker.loudness_db
    return None if most is None or full is None else most - full


class CardSpeaker:
    """Satisfies `ports.Speaker`. Everything here runs on the event loop; the audio thread meets only the `Playback`."""

    def __init__(
        self,
        card: SoundCard,
        name: str,
        rate: int,
        latency_s: float = 0.04,
        volume: float = 1.0,
        played: PlayedSound | None = None,
    ) -> None:
        """`played` learns what the card is given, on the loop's time."""
        self.rate = rate
        self._played = played
        self._card = card
        self._name = name
        self._latency_s = latency_s
        self.volume = volume
        """0 to 1. Applies to what is written from now on."""
        self._loop = asyncio.get_running_loop()
        self._stream: Stream | None = None
        self._starting = asyncio.Lock()
        self._waiters: set[asyncio.Future[None]] = set()
        self._failure: DeviceError | None = None
        self._limit: LoudnessLimit | None = None
        self._written = 0
        self._furthest = 0
        self._use_rate(rate)

    def limit(self, most: float | None) -> None:
        """From now on nothing is louder than this level, whatever the volume is; None for no limit."""
        self._limit = None if most is None else LoudnessLimit(self.rate, most)

    async def prepare(self) -> None:
        """See `ports.Speaker.prepare`."""
        self._failure = None
        await self._ensure_running()

    async def write(self, pcm: bytes) -> int:
        """See `ports.Speaker.write`."""
        self._raise_failure()
        if self._stream is None:
            await self._ensure_running()  # only an open stream tells at which rate to queue
        await self._wait_until(lambda: self._playback.queued <= AHEAD_S * self._playback.rate)
        start = self._written
        sound = apply_gain(pcm, self.volume)
        if self._limit is not None:
            sound = self._limit.quiet_enough(sound)
        self._playback.append(sound if self._resampler is None else self._resampler.feed(sound))
        self._written += len(pcm) // SAMPLE_BYTES
        if pcm:
            await self._ensure_running()
        return start

    def position(self) -> int:
        """See `ports.Speaker.position`."""
        counted, position = self._mark
        heard = position + (self._playback.heard() - counted) * self.rate // self._playback.rate
        # Never backwards: counts at two rates are rounded differently.
        self._furthest = max(self._furthest, min(self._written, heard))
        return self._furthest

    async def drain(self) -> None:
        """See `ports.Speaker.drain`."""
        self._raise_failure()
        if self._resampler is not None:
            self._playback.append(self._resampler.finish())
            self._mark = (self._playback.end, self._written)
        await self._wait_until(lambda: self._playback.queued == 0)
        while (left := self._playback.unheard_s()) > 0:  # noqa: ASYNC110  # the card gives no event for this
            await asyncio.sleep(left + 0.001)
        self._playback.rest()
        self._raise_failure()

    def pause(self) -> None:
        """See `ports.Speaker.pause`. What the card holds is still heard, then a fade of 5 ms."""
        self._playback.set_volume(0.0)

    def duck(self) -> None:
        """See `ports.Speaker.duck`."""
        self._playback.set_volume(DUCKED)

    def resume(self) -> None:
        """See `ports.Speaker.resume`."""
        self._playback.set_volume(1.0)

    def flush(self) -> int:
        """See `ports.Speaker.flush`. What the card holds is still heard, then a fade of 5 ms."""
        position = self.position()
        self._playback.cut()
        self._continue_from_end()
        return position

    async def close(self) -> None:
        """Let go of the device."""
        stream, self._stream = self._stream, None
        self._playback.mark_stopped()
        if stream is not None:
            await stream.close()

    def _use_rate(self, rate: int) -> None:
        """Start a queue at the card's rate."""
        self._playback = Playback(rate, self._loop.time, self._on_low, self._played)
        self._resampler = None if rate == self.rate else Resampler(self.rate, rate)
        self._mark = (0, self._written)  # a number of card samples, and the stream position that it stands for

    async def _ensure_running(self) -> None:
        """Open the stream if there is none, and start it if it has stopped."""
        async with self._starting:
            if self._stream is None:
                self._stream = await self._open()
            if self._playback.resume():
                try:
                    await self._stream.start()
                except (DeviceError, asyncio.CancelledError):
                    self._playback.mark_stopped()
                    raise

    async def _open(self) -> Stream:
        stream = await self._card.open_output(
            self._name,
            self.rate,
            self._latency_s,
            callback=lambda *call: self._playback.fill(*call),
            on_lost=self._on_lost,
        )
        if stream.rate != self._playback.rate:
            # What is left over from a card with another rate is dropped.
            self._drop_queued()
            self._use_rate(stream.rate)
        return stream

    async def _wait_until(self, met: Callable[[], bool]) -> None:
        """Return when `met()` is true. Raises `DeviceError` if the device goes away or no longer asks for sound."""
        while not met():
            await self._ensure_running()
            waiter = self._loop.create_future()
            self._waiters.add(waiter)
            try:
                async with asyncio.timeout(_STALLED_S / 2):
                    await waiter
            except TimeoutError as error:
                stream = self._stream
                if stream is not None and self._playback.since_last_fill_s() >= _STALLED_S:
                    self._end_stream(stream)
                    self._failure = None
                    stream.abandon()
                    raise DeviceError(stream.gone_message()) from error
            finally:
                self._waiters.discard(waiter)

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _on_lost(self, stream: Stream) -> None:
        """Called in any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_stream, stream)

    def _end_stream(self, stream: Stream) -> None:
        """Note that the stream ended by itself. If the card was only refreshed, whoever waits opens it again."""
        if stream is not self._stream:
            return
        self._stream = None
        self._playback.mark_stopped()
        if stream.refreshed:
            self._wake_waiters()
            return
        failure = DeviceError(stream.gone_message())
        waiters = [waiter for waiter in self._waiters if not waiter.done()]
        for waiter in waiters:
            waiter.set_exception(failure)
        self._failure = None if waiters else failure
        self._drop_queued()

    def _drop_queued(self) -> None:
        self._playback.cut(fade_s=0)
        self._continue_from_end()

    def _continue_from_end(self) -> None:
        """After the queue was cut: positions go on after what the card has been given."""
        if self._resampler is not None:
            self._resampler.clear()
        counted, position = self._mark
        end = self._playback.end
        left = position + math.ceil((end - counted) * self.rate / self._playback.rate)
        self._written = max(self._furthest, min(self._written, left))
        self._mark = (end, self._written)
        self._wake_waiters()

    def _on_low(self) -> None:
        """Called in the audio thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_waiters)

    def _wake_waiters(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
