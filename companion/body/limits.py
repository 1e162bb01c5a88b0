"""The last gate before every output: range, slew rate and calm lights, whatever is asked for.

Pure. Time comes in as seconds of any clock that does not run backwards; a clock that does, or that is not a number, is
taken to stand still. Values that are not numbers leave a channel where it is.

Safety. Positions stay in their range and change by at most `fastest` a second. After a pause in the frames they still
move on by no more than `LONGEST_STEP_S` allows, because a motor that has stood for a minute must not jump. A light's
luminance and its red part begin to rise at most three times a second: that is the general and the red flash limit of
WCAG 2.2 (2.3.1), kept for swings of any size and so a little stricter than it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from companion.body_settings import ChannelSettings
from companion.events import BodyFrame, Colour

LONGEST_STEP_S = 0.1
"""The longest time between two frames that counts towards a change."""

LIGHT_FASTEST = 6 * 255.0
"""Largest change of a colour's part in a second: dark to full in a sixth of a second."""

RISE_PAUSE_S = 1 / 3
"""Shortest time from one rise of a light to the next: three flashes a second."""

_LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Share of red, green and blue (ITU-R BT.709); a light's duty cycle is linear."""


class PositionLimit:
    """A servo, motor or mouth. It begins at its neutral value."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self.value = settings.neutral
        self.arrived = True
        """Whether the last target, as far as the range lets it be reached, was reached."""

    def approach(self, target: float, seconds: float) -> float:
        """Go towards `target` for `seconds`; returns the new value."""
        if math.isnan(target):
            target = self.value
        goal = min(max(target, self._settings.low), self._settings.high)
        self.value = _stepped(self.value, goal, self._settings.fastest * seconds)
        self.arrived = self.value == goal
        return self.value


class LightLimit:
    """One light. It begins dark."""

    def __init__(self) -> None:
        self._colour = (0.0, 0.0, 0.0)
        self._falling = [False, False]
        self._rose_at = [-math.inf, -math.inf]
        self.arrived = True
        """Whether the last target was reached."""

    def approach(self, target: tuple[float, float, float], seconds: float, t: float) -> Colour:
        """Go towards `target` (parts 0 to 255) for the `seconds` before `t`; returns the colour to show."""
        step = LIGHT_FASTEST * seconds
        parts = zip(self._colour, target, strict=True)
        goal = tuple(old if math.isnan(new) else min(max(new, 0.0), 255.0) for old, new in parts)
        red, green, blue = (_stepped(old, new, step) for old, new in zip(self._colour, goal, strict=True))
        if self._may_show((red, green, blue), t):
            self._colour = (red, green, blue)
        self.arrived = self._colour == goal
        red, green, blue = self._colour
        return round(red), round(green), round(blue)

    def _may_show(self, colour: tuple[float, float, float], t: float) -> bool:
        """Whether the light may take this colour now. A colour that rises too soon waits as a whole."""
        changes = [new - old for new, old in zip(_seen(colour), _seen(self._colour), strict=True)]
        begins = [change > 0 and falling for change, falling in zip(changes, self._falling, strict=True)]
        if any(start and t - rose < RISE_PAUSE_S for start, rose in zip(begins, self._rose_at, strict=True)):
            return False
        for seen, change in enumerate(changes):
            if begins[seen] or (change > 0 and self._rose_at[seen] == -math.inf):
                self._rose_at[seen] = t
            if change:
                self._falling[seen] = change < 0
        return True


class Limits:
    """All channels of one body."""

    def __init__(self, channels: Mapping[str, ChannelSettings]) -> None:
        self._lights = {name: LightLimit() for name, one in channels.items() if one.kind == "light"}
        self._positions = {name: PositionLimit(one) for name, one in channels.items() if one.kind != "light"}
        self._last: float | None = None

    @property
    def positions(self) -> dict[str, float]:
        """Where every servo, motor and mouth is."""
        return {name: one.value for name, one in self._positions.items()}

    @property
    def arrived(self) -> bool:
        """Whether every output is where the last targets wanted it."""
        lights, positions = self._lights.values(), self._positions.values()
        return all(one.arrived for one in lights) and all(one.arrived for one in positions)

    def frame(
        self, lights: Mapping[str, tuple[float, float, float]], positions: Mapping[str, float], t: float
    ) -> BodyFrame:
        """The nearest allowed frame at `t`. Targets must name every channel (KeyError)."""
        last = self._last
        if last is None:
            self._last = t if math.isfinite(t) else None
            seconds = 0.0
        else:
            t = max(t, last) if math.isfinite(t) else last
            seconds = min(t - last, LONGEST_STEP_S)
            self._last = t
        return BodyFrame(
            {name: one.approach(lights[name], seconds, t) for name, one in self._lights.items()},
            {name: one.approach(positions[name], seconds) for name, one in self._positions.items()},
        )


def _stepped(value: float, goal: float, step: float) -> float:
    """`value` moved to `goal` by at most `step`."""
    return goal if abs(goal - value) <= step else value + math.copysign(step, goal - value)


def _seen(colour: tuple[float, float, float]) -> tuple[float, float]:
    """Luminance and red: what a flash is made of."""
    return sum(share * part for share, part in zip(_LUMINANCE, colour, strict=True)), colour[0]
