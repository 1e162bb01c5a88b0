"""A gate before the wake word: while the room is quiet its engine does not run, and nothing is lost by that.

The engine takes most of what an idle device computes. So each frame's level is held against the followed noise floor,
which takes a twentieth of that. While the room is quiet frames are only kept; at a rise the last two seconds of them
are examined first, in order, and the engine stays on until the room has been quiet for a while. Each frame is examined
at most once, and those that are not are older than any word that a rise could belong to.

The level is that of the difference to the sample half a millisecond before, which leaves most of a voice and little of
a fan's rumble. The floor falls fast and rises slowly, so a noise that begins keeps the gate open until the floor has
followed it; that costs power, and no word. This floor lies in the middle of a noise. The lowest level of the last
seconds, which endpointing follows (`noise_floor`), would keep the engine at work beside every running tap.

No clock and no threads: time is that of the frames.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from companion.events import EAR_RATE, AudioFrame
from companion.ports import WakeWord

RISE = 1.4
"""How much more energy than that of the floor opens the gate: 1.5 dB, a voice that is 4 dB quieter than the noise."""

CATCH_UP = 2 * EAR_RATE
"""Samples before a rise that are examined too. A wake word lasts a quarter of that and its first sounds may be soft;
the engine needs the rest to get used to the room again."""

STAYS_OPEN = 2 * EAR_RATE
"""Samples without a rise that close the gate again. The engine needs them to come to rest after a word."""

_APART = 8
"""The difference of samples so far apart is 21 dB lower at 40 Hz than that of a voice, and 13 dB at 100 Hz."""
_SMOOTHED = 0.3
"""How much of the way to a frame's energy the level goes."""
_FALLS = 0.1
"""How much of the way to a lower level the floor goes in one frame."""
_RISES = 1.0075
"""The factor by which it rises in one frame of 32 ms: 1 dB a second."""
_LEAST = 0.25
"""Energy below which nothing is told apart: the last bit of a silent converter."""


class GatedWakeWord:
    """Wake word engines with a gate before them. Satisfies `companion.ports.WakeWord`."""

    def __init__(self, engine: WakeWord) -> None:
        self.words = engine.words
        self._engine = engine
        self._kept: deque[tuple[AudioFrame, bool]] = deque()
        """Frames that were not examined, each with whether the device spoke."""
        self._level: float | None = None
        self._floor = 0.0
        self._open_until = 0

    @property
    def suspects(self) -> bool:
        """Whether the engine does, if it can tell."""
        return getattr(self._engine, "suspects", False)

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:
        """The word, once for each time that it ends in this frame or shortly before it."""
        if self._rises(frame):
            self._open_until = frame.end + STAYS_OPEN
        self._kept.append((frame, speaking))
        # The lower bound is for positions that start again from 0 because the microphone was reopened.
        if self._open_until - STAYS_OPEN <= frame.end < self._open_until:
            heard = None
            while self._kept:
                past, spoke = self._kept.popleft()
                heard = self._engine.detect(past, speaking=spoke) or heard
            return heard
        while self._kept[-1][0].end - self._kept[0][0].start > CATCH_UP:
            self._kept.popleft()
        return None

    def reset(self) -> None:
        """Forget the sound so far. The floor stays: it is the room's."""
        self._kept.clear()
        self._open_until = 0
        self._engine.reset()

    def _rises(self, frame: AudioFrame) -> bool:
        """Whether the level is above the floor, which follows it. True at first: nothing is known of the room."""
        samples = np.frombuffer(frame.pcm, "<i2").astype(np.float32)
        change = samples[_APART:] - samples[:-_APART]
        energy = max(float(np.dot(change, change)) / max(len(change), 1), _LEAST)
        if self._level is None:
            self._level = self._floor = energy
            return True
        self._level += (energy - self._level) * _SMOOTHED
        rises = self._level > self._floor * RISE
        if self._level < self._floor:
            self._floor += (self._level - self._floor) * _FALLS
        else:
            self._floor = min(self._level, self._floor * _RISES)
        return rises
