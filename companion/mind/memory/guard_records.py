"""What is kept for the guardian: what was blocked and what they should know of, and how long was talked each day.

`GuardRecords` is used on the event loop's thread. The functions that take a `Connection` run on the store's thread, and
serve whoever looks into the file beside the daemon. Times and days are local.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from companion.mind.memory.database import Connection
from companion.mind.memory.fact_store import to_text, to_time
from companion.mind.memory.persons import key_of
from companion.mind.memory.store import Store

Kind = Literal["blocked", "notice"]
"""Something that was not said, or something that a guardian should know: the person may be in danger."""

Who = Literal["answer", "person", "announcement"]
"""Whose words they were: the character's, the person's, or those of another program."""

MOST = 5000
"""So many are kept; older ones are deleted."""
TALK_DAYS = 400
"""For so many days it is known how long was talked."""


@dataclass(frozen=True, slots=True)
class GuardRecord:
    """One entry."""

    id: int
    at: datetime
    persona: str
    person: str
    """Empty for whoever said no name."""
    kind: Kind
    category: str
    who: Who
    words: str
    """Empty unless the owner wants them (`guardian.keep_words`)."""


class GuardRecords:
    """The records of one unit, as one character (`persona` is its name) adds to them."""

    def __init__(
        self, store: Store, now: Callable[[], datetime], persona: str = "", *, keep_words: bool = False
    ) -> None:
        """`keep_words`: the owner wants to read what was blocked."""
        self._store, self._now, self._persona = store, now, persona
        self.keep_words = keep_words
        self._today = now().date(), 0

    async def load(self) -> None:
        """Read how much was blocked today, before the unit was started anew."""
        midnight = self._now().replace(hour=0, minute=0, second=0, microsecond=0)
        self._today = midnight.date(), len(await self.blocked(midnight))

    @property
    def blocked_today(self) -> int:
        """How much was blocked today, local time."""
        day, count = self._today
        return count if day == self._now().date() else 0

    def add_blocked(
        self, category: str, who: Who, person: str = "", words: str = "", *, persona: str | None = None
    ) -> None:
        """Something was not said, or not put to the character. Returns at once."""
        self._today = self._now().date(), self.blocked_today + 1
        self._add("blocked", category, who, person, words, persona)

    def add_notice(self, category: str, person: str = "", words: str = "", *, persona: str | None = None) -> None:
        """The guardian should know what the person said. Returns at once."""
        self._add("notice", category, "person", person, words, persona)

    def _add(self, kind: Kind, category: str, who: Who, person: str, words: str, persona: str | None) -> None:
        of = self._persona if persona is None else persona
        row = (to_text(self._now()), of, person, kind, category, who, words if self.keep_words else "")
        self._store.write(lambda on: _insert(on, row))

    async def blocked(self, since: datetime | None = None) -> tuple[GuardRecord, ...]:
        """What was blocked, the newest first."""
        return await self._store.read(lambda on: read_records(on, "blocked", since))

    async def notices(self, since: datetime | None = None) -> tuple[GuardRecord, ...]:
        """What the guardian should know, the newest first."""
        return await self._store.read(lambda on: read_records(on, "notice", since))

    async def clear(self) -> None:
        """Erase all entries, so that nothing of them can be read from the file. Raises `CompanionError`."""
        await self._store.erase(clear_records)

    def add_talk(self, day: date, seconds: float) -> None:
        """So much longer was talked on that day. Returns at once; on the disk soon after."""
        row = (day.isoformat(), round(seconds * 1000))
        oldest = (day - timedelta(days=TALK_DAYS)).isoformat()
        self._store.write(lambda on: _add_talk(on, row, oldest))

    async def talk_of(self, day: date) -> float:
        """The seconds of talk on that day, with everybody."""
        return await self._store.read(lambda on: read_talk(on, day))


def read_records(on: Connection, kind: Kind, since: datetime | None = None) -> tuple[GuardRecord, ...]:
    """The entries of one kind, the newest first."""
    found = on.execute(
        "SELECT id, at, persona, person, kind, category, who, words FROM guarded WHERE kind = ? AND at >= ? "
        "ORDER BY id DESC",
        (kind, to_text(since) if since is not None else ""),
    )
    return tuple(GuardRecord(number, to_time(at), *rest) for number, at, *rest in found)


def records_of(on: Connection, persona: str, person: str) -> tuple[GuardRecord, ...]:
    """All entries about talks of one character with one person, the newest first."""
    found = (*read_records(on, "blocked"), *read_records(on, "notice"))
    ours = [one for one in found if one.persona == persona and key_of(one.person) == key_of(person)]
    return tuple(sorted(ours, key=lambda one: one.id, reverse=True))


def clear_records(on: Connection) -> None:
    """Erase all entries; the minutes of talk stay, for the limits hold on."""
    on.execute("DELETE FROM guarded")


def read_talk(on: Connection, day: date) -> float:
    """The seconds of talk on that day."""
    row = on.execute("SELECT ms FROM talk WHERE day = ?", (day.isoformat(),)).fetchone()
    return row[0] / 1000 if row else 0.0


def _insert(on: Connection, row: tuple[str, ...]) -> None:
    on.execute(
        "INSERT INTO guarded (at, persona, person, kind, category, who, words) VALUES (?, ?, ?, ?, ?, ?, ?)", row
    )
    on.execute("DELETE FROM guarded WHERE id <= (SELECT max(id) FROM guarded) - ?", (MOST,))


def _add_talk(on: Connection, row: tuple[str, int], oldest: str) -> None:
    on.execute("INSERT INTO talk (day, ms) VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET ms = ms + excluded.ms", row)
    on.execute("DELETE FROM talk WHERE day < ?", (oldest,))
