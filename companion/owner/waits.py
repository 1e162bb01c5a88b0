"""How long whoever typed a wrong PIN has to wait. Pure: times are seconds of a clock that does not run backwards.

The count is what is kept over restarts, not a time: after a restart the whole wait begins anew, whatever a clock says,
so switching the unit off helps nobody. No wait is for ever, so nobody can lock the owner out.
"""

from __future__ import annotations

from dataclasses import dataclass

FREE = 3
"""So many wrong ones cost nothing."""
FIRST_S = 5.0
LONGEST_S = 3600.0
FREE_OF_ALL = 10
LONGEST_OF_ALL_S = 300.0
"""Wrong ones from all telephones together also cost a wait, a shorter one: each is somebody else's, perhaps."""


def wait_of(failures: int, free: int = FREE, longest: float = LONGEST_S) -> float:
    """The seconds after so many wrong ones in a row: twice as long each time."""
    return 0.0 if failures < free else min(longest, FIRST_S * 2.0 ** min(failures - free, 30))


@dataclass(slots=True)
class Waits:
    """One telephone's wrong ones, or those of all together."""

    failures: int = 0
    free: int = FREE
    longest: float = LONGEST_S
    since: float = 0.0
    """When the last one was, or when the unit was started."""

    def left(self, now: float) -> float:
        """The seconds until the next one is looked at."""
        return max(0.0, self.since + wait_of(self.failures, self.free, self.longest) - now)

    def attempt(self, now: float) -> None:
        """One is looked at: it counts as wrong until `succeed`. Parallel ones therefore gain nothing."""
        self.failures += 1
        self.since = now

    def succeed(self) -> None:
        """It was right."""
        self.failures = 0
