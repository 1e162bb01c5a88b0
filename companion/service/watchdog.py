"""Whether the whole pipeline is alive, and who is told so: a service manager that kills what is not.

A check is a function that says why something is not alive, in one sentence, or None. The watchdog asks every check
every few seconds and feeds only when none complains; a loop that hangs asks nobody, and so does not feed either.

Alive is a device that could hear somebody: muted, idle or offline is alive. A microphone that was unplugged and is
being reopened counts as alive for `AWAY_S`; after that a fresh start of the process, and of the sound library in it, is
worth trying. Decisions are functions of the loop's time (seconds) alone. One task, no threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

log = logging.getLogger(__name__)

Check = Callable[[], str | None]
"""Why it is not alive, in one sentence without anything that was said; None when it is."""

SILENT_S = 15.0
"""So long may no sound come through the ears: longer than the slowest two calls of a transcriber that still answers."""
AWAY_S = 300.0
"""So long may the microphone be away."""
BUSY_S = 20.0
"""So long may the sound library take for one call: a sound server that starts needs some seconds."""
FEEDINGS = 4
"""How often systemd's patience is fed in the time that it waits."""


def complaints(checks: Mapping[str, Check]) -> dict[str, str]:
    """What each check complains of; empty when all is alive."""
    return {name: sentence for name, check in checks.items() if (sentence := check()) is not None}


class Flow:
    """A check of something that must keep growing: samples that the ears have taken in."""

    def __init__(
        self,
        count: Callable[[], int],
        now: Callable[[], float],
        *,
        silent_s: float = SILENT_S,
        away: Callable[[], bool] = lambda: False,
        away_s: float = AWAY_S,
    ) -> None:
        """`away` says whether the source is known to be gone and being looked for."""
        self._count = count
        self._now = now
        self._silent_s = silent_s
        self._away = away
        self._away_s = away_s
        self._seen: int | None = None
        self._since = now()

    def __call__(self) -> str | None:
        """The check."""
        count, now = self._count(), self._now()
        if count != self._seen:
            self._seen, self._since = count, now
        silent = now - self._since
        away = self._away()
        if silent <= (self._away_s if away else self._silent_s):
            return None
        return f"the microphone has been {'away' if away else 'silent'} for {silent:.0f} s"


class Busy:
    """A check of a thread that does one thing after the other: that it is not at the same for too long."""

    def __init__(
        self, what: str, since: Callable[[], float | None], now: Callable[[], float], limit_s: float = BUSY_S
    ) -> None:
        """`since` says, on the clock of `now`, when it began what it is at; None while it waits for work."""
        self._what = what
        self._began = since
        self._now = now
        self._limit_s = limit_s

    def __call__(self) -> str | None:
        """The check."""
        began = self._began()
        if began is None or (busy := self._now() - began) <= self._limit_s:
            return None
        return f"{self._what} has not answered for {busy:.0f} s"


class Watchdog:
    """Feeds while every check is content, and says once why it does not."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        feed: Callable[[], None],
        watchdog_s: float,
        examinations: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """`watchdog_s` is the manager's patience in seconds. `examinations` are awaited before the checks are asked,
        each for at most a feeding's time: they try what is suspected to hang."""
        self._checks = dict(checks)
        self._feed = feed
        self._every_s = watchdog_s / FEEDINGS
        self._examinations = tuple(examinations)
        self._complaints: dict[str, str] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """What it complained of when it last looked."""
        return tuple(f"{name}: {sentence}" for name, sentence in self._complaints.items())

    async def run(self) -> None:
        """Look and feed until cancelled."""
        while True:
            self.look()
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(self._every_s))
                for examine in self._examinations:
                    group.create_task(self._bounded(examine))

    def look(self) -> bool:
        """Ask every check once, and feed if none complains. Returns whether it fed."""
        found = complaints(self._checks)
        for name in found.keys() - self._complaints.keys():
            log.error("The watchdog is not fed: %s: %s.", name, found[name])
        for name in self._complaints.keys() - found.keys():
            log.warning("Alive again: %s.", name)
        self._complaints = found
        if not found:
            self._feed()
        return not found

    async def _bounded(self, examine: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(self._every_s):
                await examine()
        except TimeoutError:
            # No answer is an answer: its check complains.
            return
