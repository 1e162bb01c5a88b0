"""Keyframe tracks for channels and brightness patterns for lights: how a value changes over time.

Pure. Times are seconds since the track or pattern began; values have the unit of their channel. A track starts from
wherever its channel is, and its last value is held.

Safety: no pattern rises more than twice in a period, and no file may ask for a period below `FASTEST_PERIOD_S`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

Easing = Literal["smooth", "linear", "ease_in", "ease_out", "overshoot"]
"""`smooth` starts and ends gently, `ease_in` starts gently, `ease_out` ends gently, `overshoot` goes 10 % too far and
comes back."""

Pattern = Literal["solid", "breathe", "pulse", "spin", "sparkle", "flicker"]

LONGEST_TRACK_S = 60.0
MOST_KEYFRAMES = 200

_Time = Annotated[float, Field(ge=0, le=LONGEST_TRACK_S, allow_inf_nan=False)]
_EASINGS = ["smooth", "linear", "ease_in", "ease_out", "overshoot"]

_OVERSHOOT = 1.70158
"""The constant with which a cubic overshoots its end by 10 % ("back" easing)."""

FASTEST_PERIOD_S = 0.4
"""Keeps every pattern below 3 to 30 flashes a second, which can trigger seizures (WCAG 2.2, criterion 2.3.1)."""

_FRAMES_PER_PERIOD = 40
"""Enough steps for a pattern to look smooth."""


class Keyframe(NamedTuple):
    """A value to reach at a time, and the easing on the way there (None: the routine's own)."""

    time: float
    value: float
    easing: Easing | None = None


def ease(easing: Easing, progress: float) -> float:
    """Turn linear progress between two keyframes (0 to 1) into eased progress. `overshoot` exceeds 1 on its way."""
    match easing:
        case "linear":
            return progress
        case "ease_in":
            return progress * progress
        case "ease_out":
            return progress * (2.0 - progress)
        case "overshoot":
            left = progress - 1.0
            return 1.0 + left * left * ((_OVERSHOOT + 1.0) * left + _OVERSHOOT)
        case "smooth":
            return 0.5 - 0.5 * math.cos(math.pi * progress)


def value_at(track: Iterable[Keyframe], elapsed: float, origin: float, easing: Easing) -> float:
    """The value of a track `elapsed` seconds after it began at the value `origin`."""
    previous, value = 0.0, origin
    for time, next_value, own in track:
        if elapsed < time:
            return value + (next_value - value) * ease(own or easing, max(0.0, elapsed - previous) / (time - previous))
        previous, value = time, next_value
    return value


def constant_for_s(track: Iterable[Keyframe], elapsed: float) -> float:
    """Seconds for which the track holds its value from `elapsed` on: 0 while it moves, inf after its last keyframe."""
    previous, value = 0.0, math.nan
    for key in track:
        if elapsed < key.time and key.value != value:
            return max(previous - elapsed, 0.0)
        previous, value = key.time, key.value
    return math.inf


def shortest_segment_s(track: Sequence[Keyframe]) -> float:
    """The shortest time between two keyframes (or the start and the first): how finely the track must be sampled."""
    times = [0.0, *(key.time for key in track)]
    return min((later - earlier for earlier, later in pairwise(times) if later > earlier), default=LONGEST_TRACK_S)


def _with_easing(key: Any) -> Any:
    """Complete a keyframe that names no easing: it uses the routine's own (None)."""
    if not isinstance(key, list | tuple) or not 2 <= len(key) <= 3:
        raise ValueError("a keyframe is [seconds, value] or [seconds, value, easing]")
    return (*key, None) if len(key) == 2 else key


def _check_order(track: tuple[Keyframe, ...]) -> tuple[Keyframe, ...]:
    if not 1 <= len(track) <= MOST_KEYFRAMES:
        raise ValueError(f"a channel takes 1 to {MOST_KEYFRAMES} keyframes, each [seconds, value] or with an easing")
    if any(later.time <= earlier.time for earlier, later in pairwise(track)):
        raise ValueError("the times of the keyframes must grow from one to the next")
    return track


def track_type(low: float, high: float) -> Any:
    """The pydantic type of a track in a settings file, with values from `low` to `high`."""
    value = Annotated[float, Field(ge=low, le=high, allow_inf_nan=False)]
    key = Annotated[
        tuple[_Time, value, Easing | None],
        BeforeValidator(_with_easing),
        AfterValidator(Keyframe._make),
        WithJsonSchema(
            {
                "type": "array",
                "minItems": 2,
                "maxItems": 3,
                "prefixItems": [
                    {"type": "number", "minimum": 0, "maximum": LONGEST_TRACK_S},
                    {"type": "number", "minimum": low, "maximum": high},
                    {"enum": _EASINGS},
                ],
            }
        ),
    ]
    return Annotated[tuple[key, ...], AfterValidator(_check_order)]


def pattern_brightness(pattern: Pattern, period_s: float, elapsed: float, place: float = 0.0) -> float:
    """Brightness from 0 to 1, `elapsed` seconds after the pattern began.

    `place` is the light's place among the device's lights, from 0 to less than 1.
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
            return 0.2 + 0.8 * _smooth_noise(phase, int(place * 1024))
        case "flicker":
            # The same for all lights, because a flame lights everything at once: fast noise on top of slow noise.
            return 0.45 + 0.35 * _smooth_noise(phase, 7) + 0.2 * _smooth_noise(phase / 2.3, 71)


def frame_interval_s(pattern: Pattern, period_s: float) -> float:
    """Seconds between frames at which the pattern looks smooth, 0.1 at most; inf for `solid`."""
    return math.inf if pattern == "solid" else min(period_s / _FRAMES_PER_PERIOD, 0.1)


def _smooth_noise(phase: float, seed: int) -> float:
    """Glide between random values from 0 to 1, a new one each period."""
    knot = math.floor(phase)
    into = phase - knot
    eased = into * into * (3.0 - 2.0 * into)
    before, after = _hash_to_unit(knot, seed), _hash_to_unit(knot + 1, seed)
    return before + (after - before) * eased


def _hash_to_unit(knot: int, seed: int) -> float:
    """A number from 0 to 1 that looks random but depends only on the arguments."""
    mixed = ((knot * 2_654_435_761) ^ (seed * 40_503 + 97)) & 0xFFFF_FFFF
    mixed = ((mixed ^ (mixed >> 15)) * 2_246_822_519) & 0xFFFF_FFFF
    return (mixed ^ (mixed >> 13)) / 0xFFFF_FFFF
