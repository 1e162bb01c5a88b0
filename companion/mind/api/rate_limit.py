"""How often the service may be asked: the account's limits, kept before the service has to enforce them.

Pure. Time is a number of seconds on a clock that only goes forward (the event loop's); chance comes in from outside.
The service allows so many requests and tokens a minute but may count them a second at a time, so that a burst fails
although the minute's total is fine, and it never says when to come back (section 1.1 of its specification).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MINUTE_S = 60.0
_MARGIN = 1.05
"""A window is this much longer than the service's: requests do not arrive evenly."""


@dataclass(frozen=True, slots=True)
class Place:
    """When a request may be sent."""

    number: int
    wait_s: float
    """Seconds from the time at which it was reserved."""


@dataclass(slots=True)
class _Taken:
    """A place that counts."""

    number: int
    at: float
    tokens: int


class Pacer:
    """Hands out places in order, so that no window of a second or a minute holds more than the account may use."""

    def __init__(self, requests_per_second: float, tokens_per_minute: int | None = None) -> None:
        """A rate below one is one request in a longer time. None: any number of tokens."""
        self._most = max(1, int(requests_per_second))
        self._window_s = self._most / requests_per_second * _MARGIN
        self._budget = tokens_per_minute
        self._taken: deque[_Taken] = deque()
        self._count = 0

    def reserve(self, now: float, tokens: int = 0, within_s: float = float("inf")) -> Place | None:
        """Take the next place for a request of so many tokens, its answer included, as far as one can tell.

        None, and nothing is taken, where it would have to wait longer than `within_s`. A request larger than the whole
        budget gets its place when nothing else counts any more.
        """
        while self._taken and self._taken[0].at <= now - max(MINUTE_S * _MARGIN, self._window_s):
            self._taken.popleft()
        at = max(now, self._free_request(), self._free_tokens(tokens))
        if at - now > within_s:
            return None
        self._count += 1
        self._taken.append(_Taken(self._count, at, tokens))
        return Place(self._count, at - now)

    def settle(self, place: Place, tokens: int) -> None:
        """Say how many tokens it really took; 0 for a request that was refused."""
        for taken in self._taken:
            if taken.number == place.number:
                taken.tokens = tokens

    def release(self, place: Place) -> None:
        """Give back a place that was never used."""
        self._taken = deque(taken for taken in self._taken if taken.number != place.number)

    def _free_request(self) -> float:
        """Places are in the order of time, so a new one never comes before the last."""
        if not self._taken:
            return float("-inf")
        full = self._taken[-self._most].at + self._window_s if len(self._taken) >= self._most else float("-inf")
        return max(full, self._taken[-1].at)

    def _free_tokens(self, tokens: int) -> float:
        """When enough of the oldest will have left the window of a minute."""
        if self._budget is None:
            return float("-inf")
        used = sum(taken.tokens for taken in self._taken)
        free = float("-inf")
        for taken in self._taken:
            if used + tokens <= self._budget:
                break
            used -= taken.tokens
            free = taken.at + MINUTE_S * _MARGIN
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
