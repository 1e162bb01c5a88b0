"""Keyframes and the ways from one to the next.

Pure. Times are seconds since the track began; values are in whatever unit the channel has. A track begins wherever its
channel is, and its last value is held.

How a light's brightness goes with time. Pure; seconds come in as arguments.

Safety: no pattern rises more often than twice in a period, and no file may ask for periods below `FASTEST_PERIOD_S`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

Easing = Literal["smooth", "linear", "ease_in", "ease_out", "overshoot"]
"""`smooth` starts and ends gently, `ease_in` starts gently, `ease_out` ends gently, `overshoot` goes a tenth too far
and comes back."""

LATEST_S = 60.0
MOST_KEYFRAMES = 200

_TOO_FAR = 1.70158
"""The constant of a cubic that goes a tenth beyond its end."""


class Keyframe(NamedTuple):
    """Where a channel is at a time, and the way to there; None for the routine's own easing."""

    time: float
    value: float
    easing: Easing | None = None


def ease(easing: Easing, progress: float) -> float:
    """Progress 0 to 1 along the way from one keyframe to the next, as it is seen. `overshoot` passes 1 on its way."""
    match easing:
        case "linear":
            return progress
        case "ease_in":
            return progress * progress
        case "ease_out":
            return progress * (2.0 - progress)
        case "overshoot":
            left = progress - 1.0
            return 1.0 + left * left * ((_TOO_FAR + 1.0) * left + _TOO_FAR)
        case "smooth":
            return 0.5 - 0.5 * math.cos(math.pi * progress)


def value_at(track: Iterable[Keyframe], elapsed: float, origin: float, easing: Easing) -> float:
    """The value of a track `elapsed` seconds after it began at the value `origin`."""
    since, value = 0.0, origin
    for time, next_value, own in track:
        if elapsed < time:
            return value + (next_value - value) * ease(own or easing, max(0.0, elapsed - since) / (time - since))
        since, value = time, next_value
    return value


def still_s(track: Iterable[Keyframe], elapsed: float) -> float:
    """How long the track stays where it is from `elapsed` on: 0 while it moves, inf behind its last keyframe."""
    since, value = 0.0, math.nan
    for key in track:
        if elapsed < key.time and key.value != value:
            return max(since - elapsed, 0.0)
        since, value = key.time, key.value
    return math.inf


def steepest_s(track: Sequence[Keyframe]) -> float:
    """The shortest time between two keyframes, the beginning included: how finely the track must be sampled."""
    times = [0.0, *(key.time for key in track)]
    return min((later - earlier for earlier, later in pairwise(times) if later > earlier), default=LATEST_S)


def _whole(key: Any) -> Any:
    """A keyframe without an easing is short for one with the routine's own."""
    if not isinstance(key, list | tuple) or not 2 <= len(key) <= 3:
        raise ValueError("a keyframe is [seconds, value] or [seconds, value, easing]")
    return (*key, None) if len(key) == 2 else key


def _in_order(track: tuple[Keyframe, ...]) -> tuple[Keyframe, ...]:
    if not 1 <= len(track) <= MOST_KEYFRAMES:
        raise ValueError(f"a channel takes 1 to {MOST_KEYFRAMES} keyframes, each [seconds, value] or with an easing")
    if any(later.time <= earlier.time for earlier, later in pairwise(track)):
        raise ValueError("the times of the keyframes must grow from one to the next")
    return track


_Time = Annotated[float, Field(ge=0, le=LATEST_S, allow_inf_nan=False)]
_EASINGS = ["smooth", "linear", "ease_in", "ease_out", "overshoot"]


def track_type(low: float, high: float) -> Any:
    """The type of a track in a settings file, with values from `low` to `high`."""
    value = Annotated[float, Field(ge=low, le=high, allow_inf_nan=False)]
    key = Annotated[
        tuple[_Time, value, Easing | None],
        BeforeValidator(_whole),
        AfterValidator(Keyframe._make),
        WithJsonSchema(
            {
                "type": "array",
                "minItems": 2,
                "maxItems": 3,
                "prefixItems": [
                    {"type": "number", "minimum": 0, "maximum": LATEST_S},
                    {"type": "number", "minimum": low, "maximum": high},
                    {"enum": _EASINGS},
                ],
            }
        ),
    ]
    return Annotated[tuple[key, ...], AfterValidator(_in_order)]


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
