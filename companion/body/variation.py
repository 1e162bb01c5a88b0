"""How a routine is played this time: which way, mirrored or not, how large, how fast. Never twice the same in a row.

Pure; the same seed gives the same choices.
"""

from __future__ import annotations

import random
from collections.abc import Container
from dataclasses import dataclass

from companion.body.choreography import Performance, Routine

SPREAD = 0.15
"""Amplitude and tempo lie this far around 1."""

_TURNED = frozenset({"head", "roll", "pan", "yaw"})
"""Standard channels whose values change their sign where left and right are exchanged."""


@dataclass(frozen=True, slots=True)
class Manner:
    """One way to play one routine."""

    performance: Performance
    mirrored: bool = False
    amplitude: float = 1.0
    tempo: float = 1.0
    """How fast: 1.1 takes a tenth less time."""


class Variation:
    """Remembers how each routine was played last."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._last: dict[str, tuple[int, bool, float, float]] = {}

    def manner(self, name: str, routine: Routine, channels: Container[str]) -> Manner:
        """How to play the routine called `name` now, on a device that has `channels`."""
        ways = routine.ways()
        before = self._last.get(name)
        # A way that moves nothing here is not taken where another does.
        moving = {number for number, way in enumerate(ways) if any(one in channels for one in way.move)}
        choices = [
            (number, mirrored)
            for number, way in enumerate(ways)
            if number in moving or not moving
            for mirrored in ((False, True) if routine.mirror and _can_be_mirrored(way, channels) else (False,))
        ]
        others = [choice for choice in choices if before is None or choice != before[:2]]
        # Mirrors and alternatives take turns where there are any; size and tempo are never near those before.
        number, mirrored = self._random.choice(others or choices)
        amplitude = self._away_from(before[2] if before else None)
        tempo = self._away_from(before[3] if before else None)
        self._last[name] = number, mirrored, amplitude, tempo
        return Manner(ways[number], mirrored, amplitude, tempo)

    def _away_from(self, before: float | None) -> float:
        """A factor from 1 - SPREAD to 1 + SPREAD, at least a tenth of that range away from the one before."""
        if before is None:
            return 1.0 + self._random.uniform(-SPREAD, SPREAD)
        turn = (before - 1.0 + SPREAD) / (2 * SPREAD) + self._random.uniform(0.1, 0.9)
        return 1.0 - SPREAD + 2 * SPREAD * (turn % 1.0)


def mirror_name(name: str) -> str:
    """`left_arm` for `right_arm` and the other way round; any other name as it is."""
    sides = {"left": "right", "right": "left"}
    return "_".join(sides.get(part, part) for part in name.split("_"))


def mirror_sign(name: str) -> float:
    """-1 for a channel that turns sideways."""
    return -1.0 if name in _TURNED else 1.0


def _can_be_mirrored(way: Performance, channels: Container[str]) -> bool:
    """Whether the device can show the mirrored way as well as the way itself."""
    named = (*way.move, *way.lights, *way.brightness)
    return all(mirror_name(name) in channels for name in named if name in channels)
