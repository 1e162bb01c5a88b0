"""How one servo, motor or mouth may move: range, slew rate, acceleration.

Pure. Between two frames the motion is the fastest that comes to rest at the goal: it accelerates, cruises and brakes,
worked out exactly, so that it is the same however the time is cut into frames. A goal that cannot be reached without
passing it (it lies within the braking distance) is passed and come back to; the range never is, because a channel can
always stop within it.

How long one channel may run: its duty cycle, its longest run and its rest.

Pure. Time is counted in slots of `_SLOT_S`, and a slot that is only partly inside the window counts whole, so that what
is allowed is never more than what the settings say. A channel that may not go on is stopped in time to stand still when
its time is used up.
"""

from __future__ import annotations

import math
from collections import deque

from companion.config.body import DUTY_WINDOW_S, ChannelSettings

STEP_S = 0.02
"""A usual step. What stood still, or was not told anything for long, begins with no more than this."""

_MOST_PHASES = 8
_TINY = 1e-9


class MotionLimit:
    """One channel. It begins at its neutral value, at rest."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._motor = settings.kind == "motor"
        self.value = settings.neutral
        self._speed = 0.0
        self._goal = settings.neutral

    @property
    def arrived(self) -> bool:
        """Whether the last target, as far as the range lets it be reached, was reached."""
        return self.value == self._goal and self._speed == 0.0

    @property
    def running(self) -> bool:
        """Whether it moves. A motor's value is a speed: it runs unless it is at its neutral value."""
        return self._speed != 0.0 or (self._motor and self.value != self._settings.neutral)

    @property
    def stops_within_s(self) -> float:
        """An upper bound of how long it takes to stand still."""
        braking = abs(self._speed) / self._settings.hardest
        if self._motor:
            ramp = abs(self.value - self._settings.neutral) / self._settings.fastest
            return 2 * braking + ramp + self._settings.fastest / self._settings.hardest
        return braking

    def aim(self, target: float) -> None:
        """Choose the goal: the target brought into the range; where it is no number, the goal stays."""
        if not math.isnan(target):
            self._goal = min(max(target, self._settings.low), self._settings.high)

    def stand(self) -> None:
        """Nothing was shown for so long that the body has come to rest."""
        self._speed = 0.0

    def go(self, seconds: float, *, halt: bool = False) -> float:
        """Move for `seconds` towards the goal, or (`halt`) come to rest as soon as may be. Returns `value`."""
        settings = self._settings
        goal = self._goal
        if halt:
            if self._motor:
                goal = settings.neutral
            else:
                braking = self._speed * abs(self._speed) / (2 * settings.hardest)
                goal = min(max(self.value + braking, settings.low), settings.high)
        if self._speed == 0.0 and self.value == goal:
            return self.value
        if not self.running:
            # A motor that turns must be able to slow down, however rarely it is told to.
            seconds = min(seconds, STEP_S)
        value, speed = _towards(self.value, self._speed, goal, settings.hardest, settings.fastest, seconds)
        self.value = min(max(value, settings.low), settings.high)
        # Only rounding can have led out of the range.
        self._speed = speed if self.value == value else 0.0
        return self.value


def _towards(
    value: float, speed: float, goal: float, hardest: float, fastest: float, seconds: float
) -> tuple[float, float]:
    """Value and speed after `seconds` of the quickest motion that comes to rest at `goal`."""
    for _ in range(_MOST_PHASES):
        left = goal - value
        if seconds <= 0.0 or (abs(left) <= _TINY and abs(speed) <= _TINY):
            break
        way = math.copysign(1.0, left if abs(left) > _TINY else speed)
        ahead, distance = speed * way, abs(left)
        braking = ahead * ahead / (2 * hardest)
        if ahead < 0.0 or braking > distance + _TINY:
            # It goes the wrong way, or will pass the goal: stop first.
            push, phase = -math.copysign(hardest, speed), abs(speed) / hardest
        elif braking >= distance - _TINY:
            push, phase = -way * hardest, ahead / hardest
            if phase <= seconds:
                return goal, 0.0
        elif ahead < fastest:
            peak = min(math.sqrt(hardest * distance + ahead * ahead / 2), fastest)
            push, phase = way * hardest, (peak - ahead) / hardest
        else:
            push, phase = 0.0, (distance - braking) / ahead
        step = min(phase, seconds)
        value += speed * step + push * step * step / 2
        speed += push * step
        if abs(speed) <= _TINY * hardest:
            speed = 0.0
        speed = min(max(speed, -fastest), fastest)
        seconds -= step
    if abs(goal - value) <= _TINY and speed * speed <= 2 * hardest * _TINY:
        return goal, 0.0
    return value, speed


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
