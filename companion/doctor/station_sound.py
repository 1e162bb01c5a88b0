"""Hearing and playing at the station, with the product's own microphone and loudspeaker.

All on the event loop. Times are the loop's, in seconds; positions are samples at `EAR_RATE` since the first one heard.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial

from companion.doctor.examination import blocking
from companion.doctor.sound_measures import Samples, samples
from companion.doctor.station import Station
from companion.ears import microphone
from companion.errors import DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame
from companion.service.control import ask
from companion.service.control_protocol import Press
from companion.sound.card import SoundCard
from companion.voice import speaker


class Recording:
    """What the microphone has heard so far."""

    def __init__(self) -> None:
        self.lost = 0
        """Samples that did not arrive; silence stands in their place."""
        self._pcm = bytearray()
        self._first: int | None = None
        self._lag = math.inf
        self._taken = 0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self._pcm) / SAMPLE_BYTES / EAR_RATE

    def add(self, frame: AudioFrame, now: float) -> None:
        """Take a frame that came at `now`."""
        if self._first is None:
            self._first = frame.start
        gap = max(0, frame.start - self._first - len(self._pcm) // SAMPLE_BYTES)
        self.lost += gap
        self._pcm += bytes(gap * SAMPLE_BYTES) + frame.pcm
        # Frames come late by what the loop was busy with; the most punctual one tells the time best.
        self._lag = min(self._lag, now - self.seconds)

    def position(self, time: float) -> int:
        """Which sample came at that time."""
        return max(0, round((time - self._lag) * EAR_RATE))

    def sound(self, start: int = 0, end: int | None = None) -> Samples:
        """What was heard between two positions."""
        return samples(bytes(self._pcm))[start:end]

    def fresh(self) -> AudioFrame:
        """What came since this was last asked."""
        start = self._taken
        self._taken = len(self._pcm)
        return AudioFrame(bytes(self._pcm[start:]), start // SAMPLE_BYTES)


async def hear(
    station: Station, card: SoundCard, meanwhile: Callable[[Recording], Awaitable[None]], gain: float | None = None
) -> Recording:
    """Listen until `meanwhile`, which begins with the first sound, has ended. Raises `DeviceError`.

    `gain` takes the place of the device file's.
    """
    if gain is not None:
        station = station.with_gain(gain)
    ears = microphone.build(station.device, card)
    recording, begun = Recording(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def listen() -> None:
        async with aclosing(ears.frames()) as frames:
            async for frame in frames:
                recording.add(frame, loop.time())
                begun.set()

    failure: DeviceError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listen())
            await begun.wait()
            await meanwhile(recording)
            listening.cancel()
    except* DeviceError as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        assert isinstance(first, DeviceError)
        failure = first
    if failure is not None:
        raise station.blamed(failure)
    return recording


@asynccontextmanager
async def loudspeaker(station: Station, card: SoundCard) -> AsyncIterator[speaker.CardSpeaker]:
    """The unit's loudspeaker at `EAR_RATE`, awake. Raises `DeviceError`."""
    mouth = speaker.build(station.device, card, EAR_RATE)
    try:
        await mouth.prepare()
        yield mouth
    except DeviceError as error:
        raise station.blamed(error) from error
    finally:
        await mouth.close()


@asynccontextmanager
async def sound_card(station: Station) -> AsyncIterator[SoundCard]:
    """The card for one check; a running companion is muted meanwhile, so that it neither answers nor talks.

    Raises `CompanionError` where that one cannot be muted.
    """
    mute = station.daemon is not None and not station.daemon.get("muted")
    if mute:
        await blocking(partial(ask, Press("mute"), station.socket))
    card = SoundCard()
    try:
        yield card
        await card.close()
    finally:
        card.close_unused()
        if mute:
            await blocking(partial(ask, Press("unmute"), station.socket))
