"""Once a day, in a quiet moment: what is older than the policy allows is summed up, and erased for good.

Summaries of old words are made for the character that runs; those of other characters wait until they run, or until
they are twice as old as they may be. Runs on the event loop's thread; seconds are the loop's, days the wall clock's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime

from companion.errors import CharacterError, CompanionError
from companion.mind.discretion import Discretion
from companion.mind.memory.database import Connection
from companion.mind.memory.retention import Expired, due_for_summary, expire, redate
from companion.mind.memory.store import Store
from companion.mind.summarizer import Summarizer

log = logging.getLogger("companion")

QUIET_S = 120.0
"""A moment is quiet where nobody has used the memory for so long."""
MOST_SUMMARIES = 50
"""In one night."""


class Expiry:
    """Keeps to the retention of one unit's memory, as one character (`persona` is its name) runs."""

    def __init__(
        self,
        store: Store,
        persona: str,
        discretion: Discretion,
        summarizer: Summarizer,
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._persona, self._discretion = store, persona, discretion
        self._summarizer, self._now = summarizer, now
        self._done: date | None = None

    async def run(self) -> None:
        """Do it each day, until cancelled."""
        if self._discretion.rules.days is None:
            return
        while True:
            await self._store.be_quiet(QUIET_S)
            if self._done != self._now().date():
                self._done = self._now().date()
                await self.expire()

    async def expire(self) -> Expired | None:
        """Sum up and erase now what is due. None where the file cannot be written; then it is tried tomorrow."""
        now = self._now()
        self._store.write(lambda on: redate(on, now))
        try:
            await self._sum_up()
        except CharacterError as error:
            log.info("Old words wait for a summary, which could not be made: %s", error)
        work = expiring(self._discretion, now)
        try:
            if not (await self._store.read(rolled_back(work))).is_anything:
                return None
            expired = await self._store.erase(work)
        except CompanionError as error:
            log.warning("What is too old to be kept could not be erased, and is tried again tomorrow: %s", error)
            return None
        log.info("%d turns and %d facts were too old to be kept and were erased.", expired.exchanges, expired.facts)
        return expired

    async def _sum_up(self) -> None:
        """Raises `CharacterError`."""
        now, rules, before = self._now(), self._discretion.rules, None
        for _ in range(MOST_SUMMARIES):
            due = await self._store.read(
                lambda on: due_for_summary(on, self._persona, rules, now, self._summarizer.longest)
            )
            if due is None or due.exchanges == before:
                return
            await self._summarizer.sum_up(due)
            before = due.exchanges


def expiring(discretion: Discretion, now: datetime) -> Callable[[Connection], Expired]:
    """What erases everything that is too old now."""
    return lambda on: expire(on, discretion.rules, now, discretion.may_keep)


def rolled_back(work: Callable[[Connection], Expired]) -> Callable[[Connection], Expired]:
    """What says what `work` would do, and does nothing."""

    def look(on: Connection) -> Expired:
        on.execute("BEGIN")
        try:
            return work(on)
        finally:
            on.execute("ROLLBACK")

    return look
