"""How long answers took since the start, counted in buckets, stage by stage. Pure."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from companion.events import TurnEnded

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Upper bounds of the buckets in seconds; a last one takes what is longer."""


class Histogram:
    """Durations of one stage."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    def cumulative(self) -> tuple[int, ...]:
        """How many were at most as long as each bound, and at last how many there were."""
        return tuple(accumulate(self._counts))


class LatencyHistograms:
    """Of every stage of docs/events.md that a turn reached."""

    def __init__(self) -> None:
        self.stages: dict[str, Histogram] = {}
        self.dropped = 0
        """Answers that were made ahead and dropped."""

    def add(self, ended: TurnEnded) -> None:
        """Count a turn, where somebody waited for it."""
        self.dropped += ended.dropped
        if "endpoint" in ended.latency_ms:
            for stage, ms in ended.latency_ms.items():
                self.stages.setdefault(stage, Histogram()).add(ms / 1000)
