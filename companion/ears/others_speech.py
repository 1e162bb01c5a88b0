"""The speech detector where the device itself speaks: it rests while nobody else is heard.

Over an answer nearly every frame holds the device's own voice only, and counts as no speech whatever the detector
says. So it is not asked. It keeps state from call to call: before the first frame that holds more it is given the last
few that it missed.
"""

from __future__ import annotations

from collections import deque

from companion.events import AudioFrame
from companion.ports import SpeechDetector

CAUGHT_UP = 4
"""Frames that the detector is given before one with somebody else in it: 128 ms of 32 ms each."""


class OthersSpeech:
    """Of one listener. Fed with every frame in which it listens for words, in order."""

    def __init__(self, detector: SpeechDetector) -> None:
        self._detector = detector
        self._missed: deque[bytes] = deque(maxlen=CAUGHT_UP)

    def probability(self, frame: AudioFrame, *, is_own: bool) -> float:
        """The probability, 0 to 1, that somebody else speaks; `is_own`: the frame holds the device's voice only."""
        if is_own:
            self._missed.append(frame.pcm)
            return 0.0
        while self._missed:
            self._detector.probability(self._missed.popleft())
        return self._detector.probability(frame.pcm)

    def reset(self) -> None:
        """Forget the sound so far."""
        self._missed.clear()
        self._detector.reset()
