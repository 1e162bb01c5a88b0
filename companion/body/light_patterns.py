"""How a light's brightness goes with time. Pure; seconds come in as arguments.

Safety: no pattern rises more often than twice in a period, and no file may ask for periods below `FASTEST_PERIOD_S`.
"""

from __future__ import annotations

import math
from typing import Literal

FASTEST_PERIOD_S = 0.4
"""Keeps every pattern away from 3 to 30 flashes a second, which can bring on a seizure (WCAG 2.2, 2.3.1)."""

Pattern = Literal["solid", "breathe", "pulse", "spin", "sparkle", "flicker"]

_FRAMES_A_PERIOD = 40
"""So many steps look smooth."""


def brightness(pattern: Pattern, period_s: float, elapsed: float, place: float = 0.0) -> float:
    """Brightness 0 to 1, `elapsed` seconds after the pattern began.

    `place` is the light's place among the device's lights, 0 to below 1.
    """
    phase = elapsed / period_s
    match pattern:
        case "solid":
            return 1.0
        case "breathe":
            return 0.65 - 0.35 * math.cos(2 * math.pi * phase)
        case "pulse":
            into = phase % 1.0
            return 0.15 + 0.85 * (into / 0.2 if into < 0.2 else (1.25 * (1.0 - into)) ** 2)
        case "spin":
            return 0.1 + 0.9 * (0.5 + 0.5 * math.cos(2 * math.pi * (phase - place))) ** 2
        case "sparkle":
            return 0.2 + 0.8 * _wandering(phase, int(place * 1024))
        case "flicker":
            # All lights together, as a flame's light falls on everything; a quick unrest upon a slow one.
            return 0.45 + 0.35 * _wandering(phase, 7) + 0.2 * _wandering(phase / 2.3, 71)


def frame_s(pattern: Pattern, period_s: float) -> float:
    """How far apart frames may be for the pattern to look smooth, in seconds, at most a tenth; inf for `solid`."""
    return math.inf if pattern == "solid" else min(period_s / _FRAMES_A_PERIOD, 0.1)


def _wandering(phase: float, seed: int) -> float:
    """From one chance value to the next, one each period, 0 to 1."""
    knot = math.floor(phase)
    into = phase - knot
    eased = into * into * (3.0 - 2.0 * into)
    before, after = _scatter(knot, seed), _scatter(knot + 1, seed)
    return before + (after - before) * eased


def _scatter(knot: int, seed: int) -> float:
    """A number from 0 to 1 that looks random and is always the same for the same arguments."""
    mixed = ((knot * 2_654_435_761) ^ (seed * 40_503 + 97)) & 0xFFFF_FFFF
    mixed = ((mixed ^ (mixed >> 15)) * 2_246_822_519) & 0xFFFF_FFFF
    return (mixed ^ (mixed >> 13)) / 0xFFFF_FFFF
