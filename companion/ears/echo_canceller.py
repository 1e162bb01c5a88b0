"""Echo cancellation with WebRTC's audio processing (livekit 1.2: Apache-2.0, wheels for 64-bit Arm; in this process).

The canceller gets what is played and what is heard in step, 10 ms at a time, on the loop: 0.06 ms of work each on a
desktop processor. The library takes 27 MB and has 4 threads, which sleep. While nothing was played for `REST_S`, sound
goes through as it is.
"""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator
from typing import Any

from companion.ears.endpointing import Framer
from companion.errors import EngineUnavailable
from companion.events import EAR_RATE, AudioFrame
from companion.ports import Microphone
from companion.sound.played import PlayedSound

STEP = EAR_RATE // 100
REST_S = 1.0
_EARLY_S = 0.005
"""What is played is told so much too early: the canceller expects an echo after its sound, never before it."""
_JUMP = round(0.015 * EAR_RATE)
"""Where the times of both devices are further apart than this, something was lost, or their clocks drifted."""

NOT_INSTALLED = '"apm" needs the package livekit: install it (pip install "companion[apm]"), or write "guard"'


def check() -> None:
    """Raise `EngineUnavailable` where the library is not installed."""
    if importlib.util.find_spec("livekit") is None:
        raise EngineUnavailable(NOT_INSTALLED)


class CancellingMicrophone:
    """A microphone that does not hear what is played. Satisfies `ports.Microphone`."""

    def __init__(self, microphone: Microphone, played: PlayedSound) -> None:
        """Raises `EngineUnavailable`."""
        self._library = _Library()
        self._microphone = microphone
        self._played = played
        self._place = 0
        """Of the sample of what is played that comes next. A seam would cost the canceller what it has learned."""
        self._framer = Framer(STEP)

    async def frames(self) -> AsyncGenerator[AudioFrame]:
        """See `ports.Microphone.frames`."""
        async for sound in self._microphone.frames():
            if not sound.pcm:
                # Muted: whoever listens goes on all the same.
                yield sound
            elif steps := self._framer.frames(sound):
                yield AudioFrame(b"".join(self._cancelled(step) for step in steps), steps[0].start)

    def time_of(self, position: int) -> float:
        """See `ports.Microphone.time_of`."""
        return self._microphone.time_of(position)

    async def close(self) -> None:
        """See `ports.Microphone.close`."""
        await self._microphone.close()

    def _cancelled(self, step: AudioFrame) -> bytes:
        at = self._microphone.time_of(step.start) + _EARLY_S
        if at - self._played.end() > REST_S:
            return step.pcm
        place = self._played.place(at)
        if abs(place - self._place) > _JUMP:
            self._place = place
        played = self._played.sound(self._place, STEP)
        self._place += STEP
        return self._library.cancelled(step.pcm, played.astype("<i2").tobytes())


class _Library:
    def __init__(self) -> None:
        check()
        try:
            from livekit import rtc
            from livekit.rtc.apm import AudioProcessingModule

            self._frame = rtc.AudioFrame
            # No noise suppression: recognisers are trained with noise, not with what that leaves of speech.
            self._apm: Any = AudioProcessingModule(echo_cancellation=True)
        except (ImportError, OSError) as error:
            raise EngineUnavailable(f"{NOT_INSTALLED} ({error})") from error

    def cancelled(self, heard: bytes, played: bytes) -> bytes:
        """What was heard without the echo of what was played; both are 10 ms."""
        self._apm.process_reverse_stream(self._frame(played, EAR_RATE, 1, STEP))
        self._apm.set_stream_delay_ms(round(1000 * _EARLY_S))
        frame = self._frame(heard, EAR_RATE, 1, STEP)
        self._apm.process_stream(frame)
        return bytes(frame.data)
