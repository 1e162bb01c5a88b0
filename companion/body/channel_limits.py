"""The limits of one servo, motor or mouth: how it may move (`MotionLimit`) and how long it may run (`DutyLimit`).

Pure. Motion keeps to the range, slew rate and acceleration of the channel. It is the fastest motion that stops at the
goal: it accelerates, cruises and brakes. It is computed exactly, so it does not depend on how the time is divided into
frames. A goal within the braking distance is overshot and then approached from the other side. The range is never
exceeded, because a channel can always stop within it.

Running time is limited by the duty cycle, the longest run and the rest after it. It is counted in slots of `_SLOT_S`,
and a slot that lies only partly inside the window counts as a whole, so the channel never runs longer than the settings
allow. A channel that must stop is told early enough to stand still by the time its allowance is used up.
"""

from __future__ import annotations

import math
from collections import deque

from companion.config.body import DUTY_WINDOW_S, ChannelSettings

STEP_S = 0.02
"""A normal time step. A channel that stood still, or got no frame for long, starts with a step of at most this."""

_MOST_PHASES = 8
"""Phases (stop, accelerate, cruise, brake) that one step can pass through."""

_EPSILON = 1e-9
_SLOT_S = 0.25
_SLOTS = math.ceil(DUTY_WINDOW_S / _SLOT_S) + 1
_LONGEST_FRAME_S = 0.1
"""The longest time between two frames that is expected."""

_SHORTEST_RESTART_S = 1.0
"""A channel whose duty cycle was used up starts again once it may run for this long."""


class MotionLimit:
    """The motion of one channel within its range, slew rate and acceleration. It starts still, at its neutral value."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._motor = settings.kind == "motor"
        self.value = settings.neutral
        self._speed = 0.0
        self._goal = settings.neutral

    @property
    def reached_target(self) -> bool:
        """Whether it stands at the last target, or at the end of the range nearest to it."""
        return self.value == self._goal and self._speed == 0.0

    @property
    def running(self) -> bool:
        """Whether it moves. The value of a motor is a speed, so a motor runs unless it is at its neutral value."""
        return self._speed != 0.0 or (self._motor and self.value != self._settings.neutral)

    @property
    def stopping_time_s(self) -> float:
        """Upper bound of the time it needs to stop, in seconds."""
        braking = abs(self._speed) / self._settings.max_acceleration
        if self._motor:
            ramp = abs(self.value - self._settings.neutral) / self._settings.fastest
            return 2 * braking + ramp + self._settings.fastest / self._settings.max_acceleration
        return braking

    def set_target(self, target: float) -> None:
        """Set the goal to the target, clamped to the range. NaN leaves the goal as it is."""
        if not math.isnan(target):
            self._goal = min(max(target, self._settings.low), self._settings.high)

    def assume_stopped(self) -> None:
        """Note that there was no frame for so long that the channel has stopped."""
        self._speed = 0.0

    def stop(self) -> None:
        """Stand still at once: a motor at its neutral value, anything else where it is. This keeps no acceleration."""
        self._speed = 0.0
        if self._motor:
            self.value = self._settings.neutral
        self._goal = self.value

    def advance(self, seconds: float, *, halt: bool = False) -> float:
        """Move for `seconds` towards the goal or, with `halt`, stop as soon as possible. Returns `value`."""
        settings = self._settings
        acceleration = settings.max_acceleration
        goal = self._goal
        if halt:
            if self._motor:
                goal = settings.neutral
            else:
                braking = self._speed * abs(self._speed) / (2 * acceleration)
                goal = min(max(self.value + braking, settings.low), settings.high)
        if self._speed == 0.0 and self.value == goal:
            return self.value
        if not self.running:
            # Only from standstill: a turning motor must be able to slow down even if frames are rare.
            seconds = min(seconds, STEP_S)
        value, speed = _move_towards(self.value, self._speed, goal, acceleration, settings.fastest, seconds)
        self.value = min(max(value, settings.low), settings.high)
        # Only rounding can take it out of the range.
        self._speed = speed if self.value == value else 0.0
        return self.value


def _move_towards(
    value: float, speed: float, goal: float, acceleration: float, fastest: float, seconds: float
) -> tuple[float, float]:
    """Value and speed after `seconds` of the fastest motion that stops at `goal`."""
    for _ in range(_MOST_PHASES):
        left = goal - value
        if seconds <= 0.0 or (abs(left) <= _EPSILON and abs(speed) <= _EPSILON):
            break
        way = math.copysign(1.0, left if abs(left) > _EPSILON else speed)
        ahead, distance = speed * way, abs(left)
        braking = ahead * ahead / (2 * acceleration)
        if ahead < 0.0 or braking > distance + _EPSILON:
            # It moves away from the goal or will overshoot it: stop first.
            push, phase = -math.copysign(acceleration, speed), abs(speed) / acceleration
        elif braking >= distance - _EPSILON:
            push, phase = -way * acceleration, ahead / acceleration
            if phase <= seconds:
                return goal, 0.0
        elif ahead < fastest:
            peak = min(math.sqrt(acceleration * distance + ahead * ahead / 2), fastest)
            push, phase = way * acceleration, (peak - ahead) / acceleration
        else:
            push, phase = 0.0, (distance - braking) / ahead
        step = min(phase, seconds)
        value += speed * step + push * step * step / 2
        speed += push * step
        if abs(speed) <= _EPSILON * acceleration:
            speed = 0.0
        speed = min(max(speed, -fastest), fastest)
        seconds -= step
    if abs(goal - value) <= _EPSILON and speed * speed <= 2 * acceleration * _EPSILON:
        return goal, 0.0
    return value, speed


class DutyLimit:
    """The running time of one channel, and whether it may go on running."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._allowed = settings.duty * DUTY_WINDOW_S
        self._longest = settings.longest_s if settings.longest_s is not None else math.inf
        self._rest = settings.rest_s
        self.unlimited = settings.duty == 1.0 and settings.longest_s is None
        self._slots: deque[tuple[int, float]] = deque()
        self._used = 0.0
        self._run_s = 0.0
        self._still_s = math.inf
        self._duty_used_up = False
        self._needs_rest = False

    def record(self, t: float, seconds: float, *, running: bool) -> None:
        """Record that the channel ran, or stood still, for the `seconds` up to `t`."""
        if self.unlimited:
            return
        last = math.floor(t / _SLOT_S)
        while self._slots and self._slots[0][0] <= last - _SLOTS:
            self._used -= self._slots.popleft()[1]
        if not self._slots:
            self._used = 0.0
        if running:
            self._still_s = 0.0
            self._run_s += seconds
            self._add_running_time(t, seconds)
        else:
            self._still_s += seconds
            if self._still_s >= self._rest:
                self._run_s, self._needs_rest = 0.0, False

    def may_run(self, stopping_time_s: float) -> bool:
        """Whether it may run until the next frame and can then still stop in time."""
        if self.unlimited:
            return True
        # Plus three whole frames: this one, the next one (which tells it to stop), and the one that sees it stopped.
        ahead = stopping_time_s + 3 * _LONGEST_FRAME_S
        if self._run_s + ahead > self._longest:
            self._needs_rest = True
        if self._used + ahead > self._allowed:
            self._duty_used_up = True
        elif self._used + min(_SHORTEST_RESTART_S, self._allowed / 2) <= self._allowed:
            self._duty_used_up = False
        return not (self._needs_rest or self._duty_used_up)

    def _add_running_time(self, t: float, seconds: float) -> None:
        """Add running time to the slots that it falls into, the oldest first."""
        start = max(t - seconds, t - DUTY_WINDOW_S - _SLOT_S)
        while start < t:
            slot = math.floor(start / _SLOT_S)
            end = min(t, (slot + 1) * _SLOT_S)
            if end <= start:
                # `t` is so large that a slot is smaller than its rounding error.
                break
            if self._slots and self._slots[-1][0] == slot:
                self._slots[-1] = slot, self._slots[-1][1] + end - start
            else:
                self._slots.append((slot, end - start))
            self._used += end - start
            start = end
