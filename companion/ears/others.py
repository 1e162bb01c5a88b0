"""Where in the sound somebody else than the device itself was heard, and what follows from it for the listener.

Pure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from companion.events import EAR_RATE, AudioFrame

OWN_WAKE = 0.9
"""A wake word is the device's own where in this share of the second up to it nobody else is heard."""

DROWNED = EAR_RATE // 4
"""Somebody who speaks is drowned by the device's own voice for as long as this, now and then."""

OWN_PREROLL = EAR_RATE // 4
"""The pre-roll in samples where the device itself spoke in it: its words are not the person's."""

REMEMBERED = 250
"""Frames: 8 s of 32 ms, more than any pre-roll."""


class Others:
    """Of one listener. Positions are samples at `EAR_RATE`."""

    def __init__(self, is_person: Callable[[AudioFrame], bool]) -> None:
        self._is_person = is_person
        self._own: deque[int] = deque(maxlen=REMEMBERED)
        """Where the frames begin that hold the device's own voice only."""
        self._heard_at = -EAR_RATE
        """End of the last frame that holds more."""

    def hear(self, frame: AudioFrame) -> None:
        """Take the next frame."""
        if self._is_person(frame):
            self._heard_at = frame.end
        else:
            self._own.append(frame.start)

    def clear(self) -> None:
        """Positions start again."""
        self._own.clear()
        self._heard_at = -EAR_RATE

    def is_drowned(self, frame: AudioFrame, *, speaking: bool) -> bool:
        """Whether what sounds like speech in this frame is the device's own; `speaking`: somebody else began to."""
        return frame.start in self._own and not (speaking and frame.start - self._heard_at < DROWNED)

    def said_wake(self, frame: AudioFrame) -> bool:
        """Whether somebody else can have said the wake word that ends in this frame."""
        own = sum(start > frame.end - EAR_RATE for start in self._own)
        return own * (frame.end - frame.start) <= OWN_WAKE * EAR_RATE

    def preroll(self, speech: int, usual: int) -> int:
        """The samples before the beginning of speech that belong to it."""
        own = any(speech - usual < start < speech for start in self._own)
        return min(usual, OWN_PREROLL) if own else usual
