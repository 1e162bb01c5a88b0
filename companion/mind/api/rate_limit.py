"""Limits the rate of requests to what the account allows, before the service has to refuse any.

Pure. Times are seconds of a clock that only goes forward (the event loop's); random numbers are passed in. The service
allows a number of requests and tokens a minute but may count them second by second, so a burst fails although the
minute's total is fine, and it never says when to come back (section 1.1 of its specification).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MINUTE_S = 60.0
_MARGIN = 1.05
"""A window is this much longer than the service's: requests do not arrive evenly."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """When a request may be sent."""

    number: int
    wait_s: float
    """Seconds from the time at which it was reserved."""


@dataclass(slots=True)
class _Entry:
    """A reservation that counts against the limits."""

    number: int
    at: float
    tokens: int


class RateLimiter:
    """Gives out times to send at, in order, so that no second and no minute holds more than the account may use."""

    def __init__(self, requests_per_second: float, tokens_per_minute: int | None = None) -> None:
        """A rate below 1 means one request in more than a second. `tokens_per_minute` None: no limit."""
        self._most = max(1, int(requests_per_second))
        self._window_s = self._most / requests_per_second * _MARGIN
        self._budget = tokens_per_minute
        self._entries: deque[_Entry] = deque()
        self._count = 0

    def reserve(self, now: float, tokens: int = 0, within_s: float = float("inf")) -> Reservation | None:
        """Reserve the next time for a request of about so many tokens, its answer included.

        Returns None, and reserves nothing, where the wait would be longer than `within_s`. A request larger than the
        whole budget may go when nothing else counts any more.
        """
        while self._entries and self._entries[0].at <= now - max(MINUTE_S * _MARGIN, self._window_s):
            self._entries.popleft()
        at = max(now, self._next_request(), self._next_tokens(tokens))
        if at - now > within_s:
            return None
        self._count += 1
        self._entries.append(_Entry(self._count, at, tokens))
        return Reservation(self._count, at - now)

    def has_room(self, now: float, requests: int) -> bool:
        """Whether so many requests may be sent at once now."""
        recent = sum(entry.at > now - self._window_s for entry in self._entries)
        return recent + requests <= self._most

    def settle(self, reservation: Reservation, tokens: int) -> None:
        """Record how many tokens the request really took; 0 where it was refused."""
        for entry in self._entries:
            if entry.number == reservation.number:
                entry.tokens = tokens

    def release(self, reservation: Reservation) -> None:
        """Give back a reservation that was not used."""
        self._entries = deque(entry for entry in self._entries if entry.number != reservation.number)

    def _next_request(self) -> float:
        """When the next request may go. Reservations are in order of time: a new one is never before the last."""
        if not self._entries:
            return float("-inf")
        full = self._entries[-self._most].at + self._window_s if len(self._entries) >= self._most else float("-inf")
        return max(full, self._entries[-1].at)

    def _next_tokens(self, tokens: int) -> float:
        """When enough of the oldest entries will have left the window of a minute."""
        if self._budget is None:
            return float("-inf")
        used = sum(entry.tokens for entry in self._entries)
        free = float("-inf")
        for entry in self._entries:
            if used + tokens <= self._budget:
                break
            used -= entry.tokens
            free = entry.at + MINUTE_S * _MARGIN
        return free


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait before the next try: 1, 2, 4 ... seconds up to `longest_s`, each shortened by chance.

    Units that were refused together must not come back together.
    """

    random: Callable[[], float]
    """Numbers from 0 to 1."""

    first_s: float = 1.0
    longest_s: float = 60.0

    def wait_s(self, failures: int) -> float:
        """Seconds after so many failures in a row, from 1: between half of the step and all of it."""
        step = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return step * (0.5 + 0.5 * self.random())
