"""Hours of the day, as the settings files write them: `20:00-07:00`. Pure."""

from __future__ import annotations

from datetime import time


def within(hours: str, now: time) -> bool:
    """Whether `now` lies in `hours` (the end does not); hours may go over midnight. Empty hours hold no time."""
    if not hours:
        return False
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    moment = now.replace(tzinfo=None)
    return start <= moment < end if start <= end else moment >= start or moment < end
