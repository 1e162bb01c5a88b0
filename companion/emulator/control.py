"""Control of a running emulator by a test: schedule faults, read the recorded requests, advance the clock.

No HTTP in here. Requests are kept in memory only, up to a moderate total size, and without their keys.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from companion.emulator.faults import FaultSchedule

_MOST_REQUESTS = 500
_MOST_BYTES = 16_000_000
_LONGEST_BODY = 262_144
_SECRET = ("authorization", "cookie", "proxy-authorization")
_DAY_S = 86_400.0


class Clock:
    """Seconds since 1970, plus the days that a test has advanced it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._now() + self._ahead

    def advance(self, days: float) -> None:
        """Move the clock forward."""
        self._ahead += days * _DAY_S

    def reset(self) -> None:
        """Return to the true time."""
        self._ahead = 0.0


@dataclass(slots=True)
class RecordedRequest:
    """One chat request and its result."""

    size: int
    path: str
    at: float
    headers: Mapping[str, str]
    body: object
    fault: str = "none"
    status: int = 200
    usage: Mapping[str, Any] = field(default_factory=dict)


class RequestLog:
    """The latest chat requests."""

    def __init__(self) -> None:
        self._asked: deque[RecordedRequest] = deque()
        self._size = 0

    def begin(self, path: str, at: float, headers: Mapping[str, str], body: bytes) -> RecordedRequest:
        """Record a request; its result is filled in later."""
        shown = {name: value for name, value in headers.items() if name.lower() not in _SECRET}
        self._asked.append(RecordedRequest(min(len(body), _LONGEST_BODY), path, at, shown, _readable(body)))
        self._size += self._asked[-1].size
        while len(self._asked) > _MOST_REQUESTS or self._size > _MOST_BYTES:
            self._size -= self._asked.popleft().size
        return self._asked[-1]

    def as_json(self) -> dict[str, Any]:
        """All requests, oldest first."""
        names = ("path", "at", "headers", "body", "fault", "status", "usage")
        return {"requests": [{name: getattr(one, name) for name in names} for one in self._asked]}

    def clear(self) -> None:
        """Drop all requests."""
        self._asked.clear()
        self._size = 0


def plan_faults(schedule: FaultSchedule, body: bytes) -> None:
    """`{"faults": [...], "repeat": false}`. Raises `ValueError` with one plain sentence."""
    value = _object(body)
    faults, repeat = value.get("faults"), value.get("repeat", False)
    if not isinstance(faults, list) or not all(isinstance(fault, str) for fault in faults):
        raise ValueError('write {"faults": ["NAME", ...]}, and "repeat": true to have them again and again')
    if not isinstance(repeat, bool):
        raise ValueError('"repeat" is true or false')
    schedule.plan(faults, repeat=repeat)


def advance_clock(clock: Clock, body: bytes) -> None:
    """`{"advance_days": 1.5}`. Raises `ValueError` with one plain sentence."""
    days = _object(body).get("advance_days")
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days <= 36_500:
        raise ValueError('write {"advance_days": DAYS}, a number from 0 to 36500')
    clock.advance(days)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("the body is not JSON") from error
    if not isinstance(value, dict):
        raise ValueError("the body is not a JSON object")
    return value


def _readable(body: bytes) -> object:
    if len(body) > _LONGEST_BODY:
        return f"{len(body)} bytes"
    try:
        value: object = json.loads(body)
        # Lone surrogates and NaN could not be sent back as JSON.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
    return value
