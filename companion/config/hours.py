"""Hours of the day, as settings write them. Pure."""

from __future__ import annotations

from datetime import time


def in_hours(hours: str, now: time) -> bool:
    """Whether `now` lies in `hours`, written as in the settings: `20:00-07:00`, the end not included.

    Hours may go over midnight; empty hours hold no time.
    """
    if not hours:
        return False
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    moment = now.replace(tzinfo=None)
    return start <= moment < end if start <= end else moment >= start or moment < end
