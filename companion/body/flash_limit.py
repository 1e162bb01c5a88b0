"""Lights that cannot flash: each by itself, and all of them together.

Pure. W3C, WCAG 2.2, success criterion 2.3.1: at most three flashes a second, general (luminance) or red; a flash is a
pair of opposing changes. Here a light's luminance and its red part begin to rise at most three times a second, for
swings of any size; of all lights together the sum may, for swings of a tenth of one light's full brightness and more.
Both are a little stricter than the criterion.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from companion.events import Colour

Shade = tuple[float, float, float]
"""Red, green and blue, 0 to 255, not yet rounded."""

LIGHT_FASTEST = 6 * 255.0
"""Largest change of a colour's part in a second: dark to full in a sixth of a second."""

RISE_PAUSE_S = 1 / 3
"""Shortest time from one rise of a light to the next: three flashes a second."""

STEP_S = 0.02
"""A light that stood still begins with no more than this."""

_SWING = 0.09 * 255
"""Change of the sum that counts; below the criterion's tenth, so that rounding cannot make one of it."""
_LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Share of red, green and blue (ITU-R BT.709); a light's duty cycle is linear."""
_DARK = (0.0, 0.0, 0.0)


class CalmLight:
    """One light. It begins dark."""

    def __init__(self) -> None:
        self.colour: Shade = _DARK
        self._falling = [False, False]
        self._rose_at = [-math.inf, -math.inf]
        self.arrived = True
        """Whether the last target was reached."""

    def proposal(self, target: Shade, seconds: float, t: float) -> Shade:
        """The colour on the way to `target` after `seconds`; its present one where that would rise too soon."""
        step = LIGHT_FASTEST * (min(seconds, STEP_S) if self.arrived else seconds)
        parts = zip(self.colour, target, strict=True)
        goal = tuple(old if math.isnan(new) else min(max(new, 0.0), 255.0) for old, new in parts)
        red, green, blue = (_stepped(old, new, step) for old, new in zip(self.colour, goal, strict=True))
        self.arrived = (red, green, blue) == goal
        if self._rises_too_soon((red, green, blue), t):
            self.arrived = self.colour == goal
            return self.colour
        return red, green, blue

    def take(self, colour: Shade, t: float) -> None:
        """Show what was proposed, or (the present colour) wait."""
        if colour == self.colour:
            return
        for seen, (old, new) in enumerate(zip(_seen(self.colour), _seen(colour), strict=True)):
            if new > old and (self._falling[seen] or self._rose_at[seen] == -math.inf):
                self._rose_at[seen] = t
            if new != old:
                self._falling[seen] = new < old
        self.colour = colour

    def wait(self) -> None:
        """The proposal was not shown."""
        self.arrived = False

    def _rises_too_soon(self, colour: Shade, t: float) -> bool:
        changes = zip(_seen(self.colour), _seen(colour), self._falling, self._rose_at, strict=True)
        return any(new > old and falling and t - rose < RISE_PAUSE_S for old, new, falling, rose in changes)


class _Swings:
    """The ups and downs of one sum."""

    def __init__(self) -> None:
        self._extreme = 0.0
        self._rising = False
        self._rose_at = -math.inf

    def rises_too_soon(self, level: float, t: float) -> bool:
        begins = not self._rising and level > self._extreme + _SWING
        return begins and t - self._rose_at < RISE_PAUSE_S

    def take(self, level: float, t: float) -> None:
        turn = _SWING if not self._rising else -_SWING
        if (level > self._extreme + turn) if not self._rising else (level < self._extreme + turn):
            self._rising = not self._rising
            self._extreme = level
            if self._rising:
                self._rose_at = t
        else:
            self._extreme = max(self._extreme, level) if self._rising else min(self._extreme, level)


class CalmLights:
    """All lights of one body."""

    def __init__(self, names: Iterable[str]) -> None:
        self._lights = {name: CalmLight() for name in names}
        self._sums = (_Swings(), _Swings())

    @property
    def arrived(self) -> bool:
        return all(one.arrived for one in self._lights.values())

    def show(self, targets: Mapping[str, Shade], share: float, seconds: float, t: float) -> dict[str, Colour]:
        """The colours to show at `t`, `seconds` after the last; targets (KeyError) are dimmed to `share`."""
        wanted: dict[str, Shade] = {}
        for name, light in self._lights.items():
            # A share of what a light can show: brighter than that is asked for too.
            red, green, blue = (min(part, 255.0) * share for part in targets[name])
            wanted[name] = light.proposal((red, green, blue), seconds, t)
        if len(wanted) > 1:
            self._keep_together_calm(wanted, t)
        shown = {}
        for name, light in self._lights.items():
            light.take(wanted[name], t)
            red, green, blue = light.colour
            shown[name] = round(red), round(green), round(blue)
        return shown

    def _keep_together_calm(self, wanted: dict[str, Shade], t: float) -> None:
        """Where the sum would rise too soon, the lights that rise wait; those that fall go on."""
        if any(one.rises_too_soon(level, t) for one, level in zip(self._sums, _sum(wanted), strict=True)):
            for name, light in self._lights.items():
                if any(new > old for old, new in zip(_seen(light.colour), _seen(wanted[name]), strict=True)):
                    wanted[name] = light.colour
                    light.wait()
        for one, level in zip(self._sums, _sum(wanted), strict=True):
            one.take(level, t)


def _sum(shades: Mapping[str, Shade]) -> tuple[float, float]:
    seen = [_seen(one) for one in shades.values()]
    return sum(luminance for luminance, _ in seen), sum(red for _, red in seen)


def _stepped(value: float, goal: float, step: float) -> float:
    """`value` moved to `goal` by at most `step`."""
    return goal if abs(goal - value) <= step else value + math.copysign(step, goal - value)


def _seen(colour: Shade) -> tuple[float, float]:
    """Luminance and red: what a flash is made of."""
    return sum(share * part for share, part in zip(_LUMINANCE, colour, strict=True)), colour[0]
