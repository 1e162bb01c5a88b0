"""Counts the frames of a card against the clock: whether it delivers as many a second as it said.

Pure. A stream that went wrong inside a driver or a sound server is often right again once it is reopened.
"""

from __future__ import annotations

WINDOW_S = 20.0
"""Blocks arrive up to 0.1 s early or late; over this time that is half a percent."""

TOLERANCE = 0.02
"""The clocks of two good cards differ by less than 0.1 %. 15,600 frames a second instead of 16,000 are 2.5 %."""


class Pace:
    """Fed with the position of each block (frames, those lost included) and the time at which it came (seconds)."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._since: tuple[int, float] | None = None

    def wrong_rate(self, position: int, now: float) -> int | None:
        """The frames that came in a second over the last window, where these are too few or too many."""
        if self._since is None:
            self._since = position, now
        frames, seconds = position - self._since[0], now - self._since[1]
        if seconds < WINDOW_S:
            return None
        self._since = position, now
        measured = frames / seconds
        return None if abs(measured / self._rate - 1) <= TOLERANCE else round(measured)
