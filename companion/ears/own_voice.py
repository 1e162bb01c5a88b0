"""The device's own voice in its ears: whether a frame of the microphone holds more than that.

It brings together what was played, by the time at which it is heard, and what comes in. While nothing was played
lately it costs a comparison, and everything is a person.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from companion.ears.echo_guard import REMEMBERED_S, EchoGuard
from companion.ears.kept_echo import KeptEcho
from companion.events import EAR_RATE, AudioFrame
from companion.sound.played import PlayedSound


class OwnVoice:
    """One for one microphone and loudspeaker. Fed with every frame, in order."""

    def __init__(
        self,
        played: PlayedSound,
        time_of: Callable[[int], float],
        kept: KeptEcho | None = None,
        for_s: float = math.inf,
    ) -> None:
        """`time_of`: when a sample of the microphone came in, on the clock of what is played.

        It begins with what is `kept`, and what it learns is kept there. After `for_s` seconds of sound that was played
        everything is a person: a canceller needs it no more.
        """
        self._left = for_s * EAR_RATE
        """Samples with sound until then."""
        self._kept = kept
        self._played = played
        self._time_of = time_of
        self._guard: EchoGuard | None = None
        self._next = 0
        """Position after the last frame that the guard knows."""

    def is_person(self, frame: AudioFrame) -> bool:
        """See `Listener`."""
        at = self._time_of(frame.start)
        if self._left <= 0 or at - self._played.end() > REMEMBERED_S:
            return True
        samples = frame.end - frame.start
        if self._guard is None or self._guard.samples != samples:
            self._guard = EchoGuard(samples) if self._kept is None else self._kept.new_guard(samples)
        longest = round(REMEMBERED_S * EAR_RATE)
        if not 0 <= frame.start - self._next <= longest:
            # Nothing was played until now, or nobody listened.
            self._guard.forget_played()
            self._next = frame.start - longest // samples * samples
        while self._next < frame.start:
            self._guard.play(self._played.heard(at - (frame.start - self._next) / EAR_RATE, samples))
            self._next += samples
        self._next = frame.end
        played = self._played.heard(at, samples)
        if played.any():
            self._left -= samples
        return self._guard.is_person(np.frombuffer(frame.pcm, "<i2").astype(np.float32), played)
