"""The last gate before every output: range, speed, rest, current and calm lights, whatever is asked for.

Pure. Time comes in as seconds of any clock that does not run backwards; a clock that does, or that is not a number, is
taken to stand still. Values that are not numbers leave a channel where it is.

Safety. Each part is a module of its own: `motion_limit` (range, slew rate, acceleration), `endurance` (duty cycle,
longest run, rest), `current_budget` (who moves when the current is short), `calm_lights` (no flashes). After a pause in
the frames the body is taken to have come to rest, and begins with a usual step: a loaded machine makes no jumps.

Who may move now, so that all channels together never draw more than the supply gives.

Pure. Mouths and lights have their share set aside: speech never waits, and the lights are dimmed by a constant share
where all of them in full white would not fit. A servo or motor moves only while it holds a grant of its whole
`current_ma`, so starts are staggered. Of those that wait the higher priority goes first, then who has waited longer.
Nobody starves: who has waited `PATIENCE_S` goes before all others, and those who moved longest make room.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from types import MappingProxyType

from companion.body.channel_limits import Endurance, MotionLimit
from companion.body.flash_limit import LIGHT_FASTEST, RISE_PAUSE_S, CalmLights, Shade
from companion.config.body import ChannelSettings
from companion.events import BodyFrame

PATIENCE_S = 1.0
LEAST_TURN_S = 0.4
"""Nobody is asked to make room sooner after they began."""


class CurrentBudget:
    """The grants of one body."""

    def __init__(self, channels: Mapping[str, ChannelSettings], current_ma: float = math.inf) -> None:
        """`current_ma` must suffice for the mouths and the hungriest mover together; `BodySettings` sees to that."""
        lights = sum(one.current_ma for one in channels.values() if one.kind == "light")
        mouths = sum(one.current_ma for one in channels.values() if one.kind == "mouth")
        self._draws = {name: one.current_ma for name, one in channels.items() if one.kind in ("servo", "motor")}
        hungriest = max(self._draws.values(), default=0.0)
        left = max(current_ma - mouths - hungriest, 0.0)
        self.light_share = 1.0 if lights <= left else left / lights
        """What the brightness of every light is multiplied by."""
        self._free = current_ma - mouths - lights * self.light_share
        self._enough = sum(self._draws.values()) <= self._free
        self._granted: dict[str, float] = {}
        """Who moves, and since when."""
        self._waiting: dict[str, float] = {}

    def grant(self, wants: Mapping[str, int], running: Collection[str], t: float) -> Collection[str]:
        """Who of `wants` (name to priority) may move on at `t`; the others come to rest. `running` are in motion."""
        if self._enough:
            return wants.keys()
        for name in [name for name in self._granted if name not in wants and name not in running]:
            del self._granted[name]
        self._waiting = {name: self._waiting.get(name, t) for name in wants if name not in self._granted}
        making_room: set[str] = set()
        for name in sorted(self._waiting, key=lambda one: self._place(one, wants[one], t)):
            if self._fits(name):
                del self._waiting[name]
                self._granted[name] = t
            elif t - self._waiting[name] >= PATIENCE_S:
                making_room = self._who_makes_room(name, t)
                # Nobody slips in before the one who has waited so long.
                break
        for name in making_room - set(running):
            # It stands already: its turn is over.
            self._granted.pop(name)
        return {name for name in wants if name in self._granted and name not in making_room}

    def _place(self, name: str, priority: int, t: float) -> tuple[int, float, int]:
        since = self._waiting[name]
        return (0, since, 0) if t - since >= PATIENCE_S else (1, -priority, round(since * 1000))

    def _fits(self, name: str) -> bool:
        return sum(self._draws[one] for one in (*self._granted, name)) <= self._free + 1e-6

    def _who_makes_room(self, name: str, t: float) -> set[str]:
        """Those who moved longest, as many as are needed."""
        missing = self._draws[name] + sum(self._draws[one] for one in self._granted) - self._free
        leaving: set[str] = set()
        for one in sorted(self._granted, key=lambda one: self._granted[one]):
            if missing <= 1e-6 or t - self._granted[one] < LEAST_TURN_S:
                break
            leaving.add(one)
            missing -= self._draws[one]
        return leaving


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
