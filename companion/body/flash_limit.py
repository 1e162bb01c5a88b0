"""The flash limit: no light can flash, and neither can all lights together.

Pure. W3C, WCAG 2.2, success criterion 2.3.1 allows at most three flashes a second, general (luminance) or red; a flash
is a pair of opposing changes. Here the luminance and the red part of each light may start to rise at most three times a
second, however small the change. The same holds for the sum over all lights, for changes of at least a tenth of one
light's full brightness. Both rules are a little stricter than the criterion.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from companion.events import Colour

FloatColour = tuple[float, float, float]
"""Red, green and blue from 0 to 255, not yet rounded."""

LIGHT_SLEW_RATE = 6 * 255.0
"""Largest change per second of red, green or blue: from dark to full in a sixth of a second."""

SHORTEST_RISE_INTERVAL_S = 1 / 3
"""Shortest time between the starts of two rises: three flashes a second."""

STEP_S = 0.02
"""A light that was not changing starts with a time step of at most this."""

_COUNTED_CHANGE = 0.09 * 255
"""Smallest change of the sum that counts. A little below the criterion's tenth, so that rounding cannot reach it."""
_LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue (ITU-R BT.709); the duty cycle of a light is linear in luminance."""
_DARK = (0.0, 0.0, 0.0)


class LightLimit:
    """The slew rate and flash limit of one light. It starts dark."""

    def __init__(self) -> None:
        self.colour: FloatColour = _DARK
        self._falling = [False, False]
        """Whether luminance and red were last falling."""
        self._rose_at = [-math.inf, -math.inf]
        """When luminance and red last started to rise."""
        self.reached_target = True

    def next_colour(self, target: FloatColour, seconds: float, t: float) -> FloatColour:
        """The colour after moving towards `target` for `seconds`, or the present colour if a rise would be too soon.

        Nothing changes until `show` is called.
        """
        step = LIGHT_SLEW_RATE * (min(seconds, STEP_S) if self.reached_target else seconds)
        parts = zip(self.colour, target, strict=True)
        goal = tuple(old if math.isnan(new) else min(max(new, 0.0), 255.0) for old, new in parts)
        red, green, blue = (_step_towards(old, new, step) for old, new in zip(self.colour, goal, strict=True))
        self.reached_target = (red, green, blue) == goal
        if self._rises_too_soon((red, green, blue), t):
            self.reached_target = self.colour == goal
            return self.colour
        return red, green, blue

    def show(self, colour: FloatColour, t: float) -> None:
        """Make this the present colour, and note whether luminance and red rise or fall with it."""
        if colour == self.colour:
            return
        levels = zip(_luminance_and_red(self.colour), _luminance_and_red(colour), strict=True)
        for index, (old, new) in enumerate(levels):
            if new > old and (self._falling[index] or self._rose_at[index] == -math.inf):
                self._rose_at[index] = t
            if new != old:
                self._falling[index] = new < old
        self.colour = colour

    def hold(self) -> None:
        """The colour from `next_colour` is not shown this time: the target is not reached yet."""
        self.reached_target = False

    def _rises_too_soon(self, colour: FloatColour, t: float) -> bool:
        old_levels, new_levels = _luminance_and_red(self.colour), _luminance_and_red(colour)
        changes = zip(old_levels, new_levels, self._falling, self._rose_at, strict=True)
        return any(new > old and falling and t - rose < SHORTEST_RISE_INTERVAL_S for old, new, falling, rose in changes)


class _SumLimit:
    """Rises and falls of one sum over all lights (luminance or red)."""

    def __init__(self) -> None:
        self._extreme = 0.0
        self._rising = False
        self._rose_at = -math.inf

    def rises_too_soon(self, level: float, t: float) -> bool:
        starts_to_rise = not self._rising and level > self._extreme + _COUNTED_CHANGE
        return starts_to_rise and t - self._rose_at < SHORTEST_RISE_INTERVAL_S

    def record(self, level: float, t: float) -> None:
        turn = _COUNTED_CHANGE if not self._rising else -_COUNTED_CHANGE
        if (level > self._extreme + turn) if not self._rising else (level < self._extreme + turn):
            self._rising = not self._rising
            self._extreme = level
            if self._rising:
                self._rose_at = t
        else:
            self._extreme = max(self._extreme, level) if self._rising else min(self._extreme, level)


class FlashLimit:
    """The flash limit of all lights of one body."""

    def __init__(self, names: Iterable[str]) -> None:
        self._lights = {name: LightLimit() for name in names}
        self._sums = (_SumLimit(), _SumLimit())

    @property
    def reached_targets(self) -> bool:
        """Whether every light shows its last target."""
        return all(one.reached_target for one in self._lights.values())

    def apply(
        self, targets: Mapping[str, FloatColour], brightness: float, seconds: float, t: float
    ) -> dict[str, Colour]:
        """The colours to show at `t`, `seconds` after the last call.

        The targets, one for each light (KeyError), are dimmed to `brightness`, a factor from 0 to 1.
        """
        wanted: dict[str, FloatColour] = {}
        for name, light in self._lights.items():
            # A target may be brighter than a light can show: clip it first, so that dimming still has its full effect.
            red, green, blue = (min(part, 255.0) * brightness for part in targets[name])
            wanted[name] = light.next_colour((red, green, blue), seconds, t)
        if len(wanted) > 1:
            self._limit_sums(wanted, t)
        shown = {}
        for name, light in self._lights.items():
            light.show(wanted[name], t)
            red, green, blue = light.colour
            shown[name] = round(red), round(green), round(blue)
        return shown

    def _limit_sums(self, wanted: dict[str, FloatColour], t: float) -> None:
        """If a sum would rise too soon, hold the lights that rise; those that fall go on."""
        if any(one.rises_too_soon(level, t) for one, level in zip(self._sums, _summed_levels(wanted), strict=True)):
            for name, light in self._lights.items():
                old_levels, new_levels = _luminance_and_red(light.colour), _luminance_and_red(wanted[name])
                if any(new > old for old, new in zip(old_levels, new_levels, strict=True)):
                    wanted[name] = light.colour
                    light.hold()
        for one, level in zip(self._sums, _summed_levels(wanted), strict=True):
            one.record(level, t)


def _summed_levels(colours: Mapping[str, FloatColour]) -> tuple[float, float]:
    """Luminance and red, each summed over all lights."""
    levels = [_luminance_and_red(one) for one in colours.values()]
    return sum(luminance for luminance, _ in levels), sum(red for _, red in levels)


def _step_towards(value: float, goal: float, step: float) -> float:
    """`value` moved towards `goal` by at most `step`."""
    return goal if abs(goal - value) <= step else value + math.copysign(step, goal - value)


def _luminance_and_red(colour: FloatColour) -> tuple[float, float]:
    """The two levels whose changes make a flash."""
    return sum(share * part for share, part in zip(_LUMINANCE, colour, strict=True)), colour[0]
