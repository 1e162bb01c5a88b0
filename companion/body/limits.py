"""The last gate before every output: range, speed, rest, current and calm lights, whatever is asked for.

Pure. Time comes in as seconds of any clock that does not run backwards; a clock that does, or that is not a number, is
taken to stand still. Values that are not numbers leave a channel where it is.

Safety. Each part is a module of its own: `motion_limit` (range, slew rate, acceleration), `endurance` (duty cycle,
longest run, rest), `current_budget` (who moves when the current is short), `calm_lights` (no flashes). After a pause in
the frames the body is taken to have come to rest, and begins with a usual step: a loaded machine makes no jumps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from companion.body.calm_lights import LIGHT_FASTEST, RISE_PAUSE_S, CalmLights, Shade
from companion.body.current_budget import CurrentBudget
from companion.body.endurance import Endurance
from companion.body.motion_limit import MotionLimit
from companion.events import BodyFrame
from companion.settings.body import ChannelSettings

__all__ = ["LIGHT_FASTEST", "LONGEST_STEP_S", "RISE_PAUSE_S", "Limits", "neutral_frame"]

LONGEST_STEP_S = 0.1
"""The longest time between two frames that counts towards a change."""

SKIPPED_S = 0.15
"""After this long without a frame whatever went from place to place has come to rest there, and begins gently."""

DIMMED_A_SECOND = 0.5
"""Largest change of the brightness of all lights by the time of day."""

_NO_PRIORITIES: Mapping[str, int] = MappingProxyType({})


def neutral_frame(channels: Mapping[str, ChannelSettings]) -> BodyFrame:
    """Lights dark, everything at its neutral value: for start, stop and a lost link."""
    return BodyFrame(
        {name: (0, 0, 0) for name, one in channels.items() if one.kind == "light"},
        {name: one.neutral for name, one in channels.items() if one.kind != "light"},
    )


class Limits:
    """All channels of one body."""

    def __init__(self, channels: Mapping[str, ChannelSettings], current_ma: float = math.inf) -> None:
        """`current_ma` is what all channels together may draw."""
        self._lights = CalmLights(name for name, one in channels.items() if one.kind == "light")
        self._motions = {name: MotionLimit(one) for name, one in channels.items() if one.kind != "light"}
        self._endurance = {name: Endurance(channels[name]) for name in self._motions}
        self._mouths = {name for name, one in channels.items() if one.kind == "mouth"}
        self._budget = CurrentBudget(channels, current_ma)
        self._share = self._wanted_share = 1.0
        self._last: float | None = None

    @property
    def positions(self) -> dict[str, float]:
        """Where every servo, motor and mouth is."""
        return {name: one.value for name, one in self._motions.items()}

    @property
    def arrived(self) -> bool:
        """Whether every output is where the last targets wanted it."""
        if self._share != self._wanted_share or not self._lights.arrived:
            return False
        return all(one.arrived for one in self._motions.values())

    @property
    def running(self) -> bool:
        """Whether anything moves, or a motor turns: then frames must be asked for, so that it is stopped in time."""
        return any(one.running for one in self._motions.values())

    def dim(self, share: float) -> None:
        """Show all lights at this share of their brightness, 0 to 1, from now on; the way there is a ramp."""
        if math.isfinite(share):
            self._wanted_share = min(max(share, 0.0), 1.0)

    def frame(
        self,
        lights: Mapping[str, Shade],
        positions: Mapping[str, float],
        t: float,
        priorities: Mapping[str, int] = _NO_PRIORITIES,
    ) -> BodyFrame:
        """The nearest allowed frame at `t`. Targets must name every channel (KeyError).

        Where the current does not suffice for all, channels with higher `priorities` (0 where absent) go first.
        """
        t, passed = self._time(t)
        step = min(passed, LONGEST_STEP_S)
        if passed > SKIPPED_S:
            for one in self._motions.values():
                one.stand()
        change = DIMMED_A_SECOND * step
        self._share += min(max(self._wanted_share - self._share, -change), change)
        self._move(positions, t, passed, step, priorities)
        shown = self._lights.show(lights, self._share * self._budget.light_share, step, t)
        return BodyFrame(shown, self.positions)

    def _move(
        self, targets: Mapping[str, float], t: float, passed: float, step: float, priorities: Mapping[str, int]
    ) -> None:
        wants: dict[str, int] = {}
        running = {name for name, motion in self._motions.items() if motion.running}
        for name, motion in self._motions.items():
            motion.aim(targets[name])
            rested = self._endurance[name].may_run(motion.stops_within_s)
            if (name in running or not motion.arrived) and rested:
                wants[name] = priorities.get(name, 0)
        movers = {name: priority for name, priority in wants.items() if name not in self._mouths}
        granted = self._budget.grant(movers, running, t)
        for name, motion in self._motions.items():
            was_running, before = name in running, motion.value
            goes = name in granted or (name in self._mouths and name in wants)
            motion.go(step, halt=not goes)
            ran = was_running or motion.running or motion.value != before
            self._endurance[name].passed(t, passed, running=ran)

    def _time(self, t: float) -> tuple[float, float]:
        """`t`, made to grow and to be a number, and the seconds since the last frame."""
        last = self._last
        if last is None:
            self._last = t if math.isfinite(t) else None
            return (t if math.isfinite(t) else 0.0), 0.0
        t = max(t, last) if math.isfinite(t) else last
        self._last = t
        return t, t - last
