"""Recording and playing for the sound checks, with the product's own microphone and loudspeaker.

All on the event loop. Times are the loop's, in seconds; positions are samples at `EAR_RATE` since the first sample.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial

from companion.doctor.check import UnitUnderTest, run_in_thread
from companion.doctor.sound_measures import Samples, samples_of
from companion.ears import microphone
from companion.errors import DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame
from companion.service.control import send_request
from companion.service.control_protocol import PressButton
from companion.sound.card import SoundCard
from companion.sound.played import PlayedSound
from companion.voice import speaker


class Recording:
    """What the microphone has recorded so far."""

    def __init__(self) -> None:
        self.lost = 0
        """Samples that did not arrive; they are replaced by silence."""
        self._pcm = bytearray()
        self._first: int | None = None
        self._time_of: Callable[[int], float] | None = None
        self._lag = math.inf
        self._latest = -math.inf
        self._taken = 0

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self._pcm) / SAMPLE_BYTES / EAR_RATE

    @property
    def late_s(self) -> float:
        """How much later than the most punctual frame the latest one arrived: what a busy processor does to sound."""
        return self._latest - self._lag if self._pcm else 0.0

    def add(self, frame: AudioFrame, now: float) -> None:
        """Append a frame that arrived at `now`."""
        if self._first is None:
            self._first = frame.start
        gap = max(0, frame.start - self._first - len(self._pcm) // SAMPLE_BYTES)
        self.lost += gap
        self._pcm += bytes(gap * SAMPLE_BYTES) + frame.pcm
        # A busy loop delays frames, so the most punctual one gives the best estimate of the start.
        self._lag = min(self._lag, now - self.seconds)
        self._latest = max(self._latest, now - self.seconds)

    def position(self, time: float) -> int:
        """The sample that was recorded at `time`."""
        return max(0, round((time - self._lag) * EAR_RATE))

    def clocked_by(self, time_of: Callable[[int], float]) -> None:
        """Let the microphone itself tell when its samples came in: as the ears know it."""
        self._time_of = time_of

    def time_of(self, position: int) -> float:
        """When this sample came in, on the clock of what is played."""
        assert self._time_of is not None
        assert self._first is not None
        return self._time_of(self._first + position)

    def sound(self, start: int = 0, end: int | None = None) -> Samples:
        """The samples between two positions."""
        return samples_of(bytes(self._pcm))[start:end]

    def take_new(self) -> AudioFrame:
        """What was recorded since the last call."""
        start = self._taken
        self._taken = len(self._pcm)
        return AudioFrame(bytes(self._pcm[start:]), start // SAMPLE_BYTES)


async def record(
    unit: UnitUnderTest,
    card: SoundCard,
    meanwhile: Callable[[Recording], Awaitable[None]],
    gain: float | None = None,
) -> Recording:
    """Record while `meanwhile` runs, which starts with the first frame. Raises `DeviceError`.

    `gain` replaces the device file's.
    """
    if gain is not None:
        unit = unit.with_gain(gain)
    ears = microphone.build(unit.device, card)
    recording, begun = Recording(), asyncio.Event()
    recording.clocked_by(ears.time_of)
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
        raise unit.with_daemon_hint(failure)
    return recording


@asynccontextmanager
async def loudspeaker(
    unit: UnitUnderTest, card: SoundCard, played: PlayedSound | None = None
) -> AsyncIterator[speaker.CardSpeaker]:
    """The unit's loudspeaker at `EAR_RATE`, opened and ready. `played` learns what it plays. Raises `DeviceError`."""
    mouth = speaker.build(unit.device, card, EAR_RATE, played)
    try:
        await mouth.prepare()
        yield mouth
    except DeviceError as error:
        raise unit.with_daemon_hint(error) from error
    finally:
        await mouth.close()


@asynccontextmanager
async def sound_card(unit: UnitUnderTest) -> AsyncIterator[SoundCard]:
    """The sound card for one check. A running companion is muted meanwhile, so that it does not answer.

    Raises `CompanionError` where it cannot be muted.
    """
    mute = unit.daemon is not None and not unit.daemon.get("muted")
    if mute:
        await run_in_thread(partial(send_request, PressButton("mute"), unit.socket))
    card = SoundCard()
    try:
        yield card
        await card.close()
    finally:
        card.close_unused()
        if mute:
            await run_in_thread(partial(send_request, PressButton("unmute"), unit.socket))
