"""Points of the curve of a wake word, and what may be said of its rate of false alarms. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ENOUGH_HOURS = 1.0
"""In less sound one false alarm an hour cannot be told from none."""


@dataclass(frozen=True, slots=True)
class Point:
    """What is missed and mistaken at one sensitivity."""

    sensitivity: float
    threshold: float
    missed: float
    """Share of the positives, 0 to 1."""
    false_alarms: int
    false_alarms_per_hour: float


def at_most_per_hour(hours: float) -> float:
    """The rate below which it lies with a confidence of 95 % where there was no false alarm: the rule of three."""
    return 3 / hours


def at_one_per_hour(points: Sequence[Point], hours: float) -> tuple[float | None, str]:
    """The share that is missed at one false alarm an hour, None where that cannot be told; and a sentence about it.

    Between two points it lies on the straight line. The sentence is empty where there is nothing to be said.
    """
    if hours < ENOUGH_HOURS:
        short = f"what is missed at one false alarm an hour cannot be told from {hours:.2g} h; give an hour or more"
        return None, short
    fewer = [one for one in points if one.false_alarms_per_hour <= 1]
    more = [one for one in points if one.false_alarms_per_hour > 1]
    if not fewer:
        return None, "at every sensitivity it has more than one false alarm an hour"
    left = min(fewer, key=lambda one: (one.missed, -one.false_alarms_per_hour))
    if not more:
        return left.missed, "even at the highest sensitivity it has no more than one false alarm an hour"
    right = min(more, key=lambda one: (one.false_alarms_per_hour, one.missed))
    way = (1 - left.false_alarms_per_hour) / (right.false_alarms_per_hour - left.false_alarms_per_hour)
    return left.missed + way * min(right.missed - left.missed, 0.0), ""
