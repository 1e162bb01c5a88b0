"""The watchdog: feeds the service manager's watchdog as long as every check of the pipeline passes.

A check is a function that returns None, or one sentence that says what is wrong. The watchdog runs all checks every few
seconds and feeds only when all pass. A hanging event loop runs no checks, and so does not feed either.

A device that could hear somebody is alive, also when it is muted, idle or offline. A microphone that was unplugged and
is being reopened counts as alive for `AWAY_S`; after that a restart of the process, and of the sound library in it, is
worth trying. Decisions depend on the loop's time (seconds) alone. One task, no threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

log = logging.getLogger(__name__)

Check = Callable[[], str | None]
"""Returns None, or one sentence that says why something is not alive (without anything that was said)."""

SILENT_S = 15.0
"""Longest time without sound from the ears: more than the slowest two calls of a transcriber that still answers."""
AWAY_S = 300.0
"""Longest time that the microphone may be unplugged."""
DEAF_S = 15.0
"""Longest time that a wake word's engine may fail: by then it was built anew four or five times."""
BUSY_S = 20.0
"""Longest call into the sound library: a sound server that is starting needs some seconds."""
FEEDS_PER_TIMEOUT = 4
"""How often the watchdog is fed within systemd's time-out."""


def failing_checks(checks: Mapping[str, Check]) -> dict[str, str]:
    """The sentence of each failing check; empty when all pass."""
    return {name: sentence for name, check in checks.items() if (sentence := check()) is not None}


class ProgressCheck:
    """Checks that a counter keeps growing: the samples that the ears have processed."""

    def __init__(
        self,
        count: Callable[[], int],
        now: Callable[[], float],
        *,
        silent_s: float = SILENT_S,
        away: Callable[[], bool] = lambda: False,
        away_s: float = AWAY_S,
    ) -> None:
        """`away` returns whether the microphone is known to be unplugged and is being reopened."""
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


class BlockedCallCheck:
    """Checks that a worker thread is not stuck in one call for too long."""

    def __init__(
        self, what: str, since: Callable[[], float | None], now: Callable[[], float], limit_s: float = BUSY_S
    ) -> None:
        """`since` returns when the present call began, on the clock of `now`; None while the thread is idle."""
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


class TroubleCheck:
    """Checks that what a part does against its own trouble helps within a while."""

    def __init__(self, trouble: Callable[[], str], now: Callable[[], float], limit_s: float = DEAF_S) -> None:
        """`trouble` returns a sentence, or an empty text while all is well."""
        self._trouble = trouble
        self._now = now
        self._limit_s = limit_s
        self._since: float | None = None

    def __call__(self) -> str | None:
        """The check."""
        sentence, now = self._trouble(), self._now()
        if not sentence:
            self._since = None
            return None
        if self._since is None:
            self._since = now
        return sentence if now - self._since > self._limit_s else None


class Watchdog:
    """Feeds while every check passes, and logs once why it does not."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        feed: Callable[[], None],
        watchdog_s: float,
        probes: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """`watchdog_s` is the service manager's time-out. `probes` are awaited between two rounds of checks, each for
        at most the time between two feeds: they call an engine that is suspected to hang."""
        self._checks = dict(checks)
        self._feed = feed
        self._every_s = watchdog_s / FEEDS_PER_TIMEOUT
        self._probes = tuple(probes)
        self._failing: dict[str, str] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """The failing checks of the last round."""
        return tuple(f"{name}: {sentence}" for name, sentence in self._failing.items())

    async def run(self) -> None:
        """Check and feed until cancelled."""
        while True:
            self.check_once()
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(self._every_s))
                for probe in self._probes:
                    group.create_task(self._run_probe(probe))

    def check_once(self) -> bool:
        """Run every check once, and feed if all pass. Returns whether it fed."""
        found = failing_checks(self._checks)
        for name in found.keys() - self._failing.keys():
            log.error("The watchdog is not fed: %s: %s.", name, found[name])
        for name in self._failing.keys() - found.keys():
            log.warning("Alive again: %s.", name)
        self._failing = found
        if not found:
            self._feed()
        return not found

    async def _run_probe(self, probe: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(self._every_s):
                await probe()
        except TimeoutError:
            # The engine did not answer; its check will fail.
            return
