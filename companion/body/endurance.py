"""How long one channel may run: its duty cycle, its longest run and its rest.

Pure. Time is counted in slots of `_SLOT_S`, and a slot that is only partly inside the window counts whole, so that what
is allowed is never more than what the settings say. A channel that may not go on is stopped in time to stand still when
its time is used up.
"""

from __future__ import annotations

import math
from collections import deque

from companion.settings.body import DUTY_WINDOW_S, ChannelSettings

_SLOT_S = 0.25
_SLOTS = math.ceil(DUTY_WINDOW_S / _SLOT_S) + 1
_FRAME_S = 0.1
"""The longest time between two frames that is reckoned with."""
_WORTH_STARTING_S = 1.0
"""A channel whose time was used up starts again when it may run this long."""


class Endurance:
    """What one channel has done, and whether it may go on."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._allowed = settings.duty * DUTY_WINDOW_S
        self._longest = settings.longest_s if settings.longest_s is not None else math.inf
        self._rest = settings.rest_s
        self.tireless = settings.duty == 1.0 and settings.longest_s is None
        self._slots: deque[tuple[int, float]] = deque()
        self._used = 0.0
        self._run = 0.0
        self._stood = math.inf
        self._spent = False
        self._tired = False

    def passed(self, t: float, seconds: float, *, running: bool) -> None:
        """The `seconds` up to `t` have passed; it ran in them, or stood still."""
        if self.tireless:
            return
        last = math.floor(t / _SLOT_S)
        while self._slots and self._slots[0][0] <= last - _SLOTS:
            self._used -= self._slots.popleft()[1]
        if not self._slots:
            self._used = 0.0
        if running:
            self._stood = 0.0
            self._run += seconds
            self._note(t, seconds)
        else:
            self._stood += seconds
            if self._stood >= self._rest:
                self._run, self._tired = 0.0, False

    def may_run(self, stops_within_s: float) -> bool:
        """Whether it may run until the next frame and then still stop in time."""
        if self.tireless:
            return True
        # This frame, a next one before it is told to stop, and the one in which it is seen to stand count whole.
        ahead = stops_within_s + 3 * _FRAME_S
        if self._run + ahead > self._longest:
            self._tired = True
        if self._used + ahead > self._allowed:
            self._spent = True
        elif self._used + min(_WORTH_STARTING_S, self._allowed / 2) <= self._allowed:
            self._spent = False
        return not (self._tired or self._spent)

    def _note(self, t: float, seconds: float) -> None:
        """Put the running time into the slots that it lies in, the oldest first."""
        start = max(t - seconds, t - DUTY_WINDOW_S - _SLOT_S)
        while start < t:
            slot = math.floor(start / _SLOT_S)
            end = min(t, (slot + 1) * _SLOT_S)
            if end <= start:
                # Times so large that a slot is less than their rounding.
                break
            if self._slots and self._slots[-1][0] == slot:
                self._slots[-1] = slot, self._slots[-1][1] + end - start
            else:
                self._slots.append((slot, end - start))
            self._used += end - start
            start = end
