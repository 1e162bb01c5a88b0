"""The safety limits of all outputs: every frame passes through `Limits` before it reaches a servo, motor or light.

Pure. It combines range, slew rate, acceleration and duty cycle of each servo, motor and mouth (`channel_limits`), the
current that all channels may draw together (`CurrentBudget`, here), and the flash limit of the lights (`flash_limit`).

Times are seconds of any clock that does not run backwards. If a time goes backwards or is not finite, time is taken to
stand still. NaN as a target leaves a channel where it is. After a gap in the frames the body is assumed to have
stopped, and it starts again with a normal time step, so an overloaded machine causes no jumps.

Current: mouths and lights have their share reserved. Speech never waits, and the lights are dimmed by a constant factor
if all of them in full white would not fit. A servo or motor moves only while it holds a grant of its whole
`current_ma`, so starts are staggered. Among waiting channels the higher priority goes first, then the one that has
waited longer. No channel starves: one that has waited for `LONGEST_WAIT_S` goes before all others, and those that have
moved longest are stopped for it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from types import MappingProxyType

from companion.body.channel_limits import DutyLimit, MotionLimit
from companion.body.flash_limit import FlashLimit, FloatColour
from companion.config.body import ChannelSettings
from companion.events import BodyFrame

LONGEST_WAIT_S = 1.0
SHORTEST_TURN_S = 0.4
"""A channel that has just started is not stopped for another one before this time."""

LONGEST_STEP_S = 0.1
"""Longest time step: more time between two frames does not allow a larger change."""

FRAME_GAP_S = 0.15
"""After this long without a frame, channels are assumed to have stopped where they are."""

DIMMING_RATE = 0.5
"""Largest change per second of the brightness factor of all lights (night dimming)."""

_NO_PRIORITIES: Mapping[str, int] = MappingProxyType({})


class CurrentBudget:
    """Decides which servos and motors of one body may move at a time."""

    def __init__(self, channels: Mapping[str, ChannelSettings], current_ma: float = math.inf) -> None:
        """`current_ma` must cover the mouths and the largest servo or motor together; `BodySettings` checks that."""
        lights = sum(one.current_ma for one in channels.values() if one.kind == "light")
        mouths = sum(one.current_ma for one in channels.values() if one.kind == "mouth")
        self._draws = {name: one.current_ma for name, one in channels.items() if one.kind in ("servo", "motor")}
        largest = max(self._draws.values(), default=0.0)
        left = max(current_ma - mouths - largest, 0.0)
        self.light_share = 1.0 if lights <= left else left / lights
        """Factor on the brightness of every light."""
        self._free = current_ma - mouths - lights * self.light_share
        self._suffices_for_all = sum(self._draws.values()) <= self._free
        self._granted: dict[str, float] = {}
        """Channels that may move, and since when."""
        self._waiting: dict[str, float] = {}

    def grant(self, wants: Mapping[str, int], running: Collection[str], t: float) -> Collection[str]:
        """The channels of `wants` (name to priority) that may move at `t`; the others must stop.

        `running` names the channels that are in motion.
        """
        if self._suffices_for_all:
            return wants.keys()
        for name in [name for name in self._granted if name not in wants and name not in running]:
            del self._granted[name]
        self._waiting = {name: self._waiting.get(name, t) for name in wants if name not in self._granted}
        preempted: set[str] = set()
        for name in sorted(self._waiting, key=lambda one: self._queue_order(one, wants[one], t)):
            if self._fits(name):
                del self._waiting[name]
                self._granted[name] = t
            elif t - self._waiting[name] >= LONGEST_WAIT_S:
                preempted = self._choose_preempted(name, t)
                # No other channel may take the current before the one that has waited so long.
                break
        for name in preempted - set(running):
            # It has stopped already, so its grant ends now.
            self._granted.pop(name)
        return {name for name in wants if name in self._granted and name not in preempted}

    def _queue_order(self, name: str, priority: int, t: float) -> tuple[int, float, int]:
        since = self._waiting[name]
        return (0, since, 0) if t - since >= LONGEST_WAIT_S else (1, -priority, round(since * 1000))

    def _fits(self, name: str) -> bool:
        return sum(self._draws[one] for one in (*self._granted, name)) <= self._free + 1e-6

    def _choose_preempted(self, name: str, t: float) -> set[str]:
        """The channels to stop for `name`: those that have moved longest, as many as are needed."""
        missing = self._draws[name] + sum(self._draws[one] for one in self._granted) - self._free
        preempted: set[str] = set()
        for one in sorted(self._granted, key=lambda one: self._granted[one]):
            if missing <= 1e-6 or t - self._granted[one] < SHORTEST_TURN_S:
                break
            preempted.add(one)
            missing -= self._draws[one]
        return preempted


def neutral_frame(channels: Mapping[str, ChannelSettings]) -> BodyFrame:
    """All lights dark and every channel at its neutral value: for start, stop and a lost link."""
    return BodyFrame(
        {name: (0, 0, 0) for name, one in channels.items() if one.kind == "light"},
        {name: one.neutral for name, one in channels.items() if one.kind != "light"},
    )


class Limits:
    """The limits of all channels of one body, and where its outputs are."""

    def __init__(self, channels: Mapping[str, ChannelSettings], current_ma: float = math.inf) -> None:
        """`current_ma` is the current that all channels together may draw."""
        self._flash_limit = FlashLimit(name for name, one in channels.items() if one.kind == "light")
        self._motions = {name: MotionLimit(one) for name, one in channels.items() if one.kind != "light"}
        self._duties = {name: DutyLimit(channels[name]) for name in self._motions}
        self._mouths = {name for name, one in channels.items() if one.kind == "mouth"}
        self._budget = CurrentBudget(channels, current_ma)
        self._brightness = self._target_brightness = 1.0
        self._last: float | None = None

    @property
    def positions(self) -> dict[str, float]:
        """The present value of every servo, motor and mouth."""
        return {name: one.value for name, one in self._motions.items()}

    @property
    def reached_targets(self) -> bool:
        """Whether every output has reached its last target."""
        if self._brightness != self._target_brightness or not self._flash_limit.reached_targets:
            return False
        return all(one.reached_target for one in self._motions.values())

    @property
    def running(self) -> bool:
        """Whether anything moves or a motor turns. If so, frames must go on, so that it is stopped in time."""
        return any(one.running for one in self._motions.values())

    def set_brightness(self, brightness: float) -> None:
        """Dim all lights to this factor, 0 to 1, from now on; it changes along a ramp."""
        if math.isfinite(brightness):
            self._target_brightness = min(max(brightness, 0.0), 1.0)

    def apply(
        self,
        lights: Mapping[str, FloatColour],
        positions: Mapping[str, float],
        t: float,
        priorities: Mapping[str, int] = _NO_PRIORITIES,
        *,
        released: bool = False,
    ) -> BodyFrame:
        """The allowed frame at `t` that comes nearest to the targets, which must name every channel (KeyError).

        If the current does not suffice for all, channels with higher `priorities` (0 where absent) go first. With
        `released` everything but the lights stops at once, where it is, and holds nothing.
        """
        t, elapsed = self._advance_time(t)
        step = min(elapsed, LONGEST_STEP_S)
        if elapsed > FRAME_GAP_S:
            for one in self._motions.values():
                one.assume_stopped()
        change = DIMMING_RATE * step
        self._brightness += min(max(self._target_brightness - self._brightness, -change), change)
        if released:
            self._stop(t, elapsed)
        else:
            self._move(positions, t, elapsed, step, priorities)
        shown = self._flash_limit.apply(lights, self._brightness * self._budget.light_share, step, t)
        return BodyFrame(shown, self.positions, released)

    def _stop(self, t: float, elapsed: float) -> None:
        self._budget.grant({}, (), t)
        for name, motion in self._motions.items():
            motion.stop()
            self._duties[name].record(t, elapsed, running=False)

    def _move(
        self, targets: Mapping[str, float], t: float, elapsed: float, step: float, priorities: Mapping[str, int]
    ) -> None:
        wants: dict[str, int] = {}
        running = {name for name, motion in self._motions.items() if motion.running}
        for name, motion in self._motions.items():
            motion.set_target(targets[name])
            may_run = self._duties[name].may_run(motion.stopping_time_s)
            if (name in running or not motion.reached_target) and may_run:
                wants[name] = priorities.get(name, 0)
        movers = {name: priority for name, priority in wants.items() if name not in self._mouths}
        granted = self._budget.grant(movers, running, t)
        for name, motion in self._motions.items():
            was_running, before = name in running, motion.value
            may_move = name in granted or (name in self._mouths and name in wants)
            motion.advance(step, halt=not may_move)
            ran = was_running or motion.running or motion.value != before
            self._duties[name].record(t, elapsed, running=ran)

    def _advance_time(self, t: float) -> tuple[float, float]:
        """`t`, corrected so that it is finite and never decreases, and the seconds since the last frame."""
        last = self._last
        if last is None:
            self._last = t if math.isfinite(t) else None
            return (t if math.isfinite(t) else 0.0), 0.0
        t = max(t, last) if math.isfinite(t) else last
        self._last = t
        return t, t - last
