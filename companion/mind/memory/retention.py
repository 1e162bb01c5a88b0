"""How long words are kept: what is older is erased, and a summary may take its place. SQL, on the store's thread.

Words that no summary holds yet wait for one, until they are twice as old as they may be. Clocks of boards are wrong at
times: what was said after something else is not taken for older than that, and what seems to come from the future is
dated now. `Store.erase` makes it final. Times are local.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from companion.config.policy import MemoryRules
from companion.mind.memory.database import Connection
from companion.mind.memory.fact_store import to_text, to_time
from companion.mind.memory.working_memory import SummaryInput
from companion.mind.prompt import Exchange

_AHEAD = timedelta(days=1)
"""Clocks differ by less."""
_OLDER_THAN = (
    "SELECT id FROM (SELECT id, person, max(at) OVER (ORDER BY id) AS since FROM exchanges) WHERE since < :before"
)


@dataclass(frozen=True, slots=True)
class Expired:
    """What was too old."""

    exchanges: int
    facts: int
    summaries: int
    """Summaries that may hold what was erased, and were erased with it."""
    records: int
    """What was kept for the guardian."""
    waiting: int
    """Exchanges that wait for a summary."""

    @property
    def is_anything(self) -> bool:
        """Whether something was erased."""
        return bool(self.exchanges or self.facts or self.summaries or self.records)


def redate(on: Connection, now: datetime) -> None:
    """What seems to come from the future is of now: it would be kept for too long."""
    for table in ("exchanges", "facts", "guarded"):
        on.execute(f"UPDATE {table} SET at = ? WHERE at > ?", (to_text(now), to_text(now + _AHEAD)))


def expire(on: Connection, rules: MemoryRules, now: datetime, may_keep: Callable[[str], bool]) -> Expired:
    """Erase what is older than the rules allow, and facts that may not be kept, of all characters.

    Run it inside a transaction. The generation of whoever something was taken from goes up.
    """
    if rules.days is None:
        return Expired(0, 0, 0, 0, 0)
    before = to_text(now - timedelta(days=rules.days))
    old = on.execute(
        f"SELECT exchanges.id, person, exchanges.id <= summarised FROM exchanges JOIN persons ON persons.id = person "
        f"WHERE exchanges.id IN ({_OLDER_THAN})",
        {"before": before},
    ).fetchall()
    at_latest = {"before": to_text(now - timedelta(days=2 * rules.days))}
    far_too_old = {number for (number,) in on.execute(_OLDER_THAN, at_latest)}
    erases = rules.older == "erase"
    gone = [row for row in old if erases or row[2] or row[0] in far_too_old]
    on.executemany("DELETE FROM words WHERE rowid = ?", [(number,) for number, _, _ in gone])
    on.executemany("DELETE FROM exchanges WHERE id = ?", [(number,) for number, _, _ in gone])
    touched = {person for _, person, _ in gone}
    summaries = 0
    for person in sorted({person for _, person, summed_up in gone if summed_up and erases}):
        summaries += on.execute(
            "UPDATE persons SET summary = '', summarised = 0 WHERE id = ? AND summary <> ''", (person,)
        ).rowcount
    facts = _erase_facts(on, before, may_keep, touched, erases=erases)
    on.execute("UPDATE facts SET exchange = NULL WHERE exchange NOT IN (SELECT id FROM exchanges)")
    on.executemany("UPDATE persons SET generation = generation + 1 WHERE id = ?", [(one,) for one in touched])
    on.execute(
        "UPDATE persons SET name = '' WHERE name <> '' AND summary = '' AND id NOT IN (SELECT person FROM exchanges) "
        "AND id NOT IN (SELECT person FROM facts) AND generation > 0"
    )
    records = on.execute("DELETE FROM guarded WHERE at < ?", (before,)).rowcount
    return Expired(len(gone), facts, summaries, records, len(old) - len(gone))


def due_for_summary(
    on: Connection, persona: str, rules: MemoryRules, now: datetime, longest: int
) -> SummaryInput | None:
    """The next words of one character that are too old and in no summary yet, at most `longest` characters of them."""
    if rules.days is None or rules.older != "summarise":
        return None
    before = to_text(now - timedelta(days=rules.days))
    first = on.execute(
        f"SELECT persons.id, name, generation, summary FROM exchanges JOIN persons ON persons.id = person "
        f"WHERE persona = :persona AND exchanges.id > summarised AND exchanges.id IN ({_OLDER_THAN}) "
        "ORDER BY exchanges.id LIMIT 1",
        {"persona": persona, "before": before},
    ).fetchone()
    if first is None:
        return None
    number, name, generation, summary = first
    chosen: list[Exchange] = []
    size, up_to, at = 0, 0, datetime.min
    for exchange, said, heard, speaker, told in on.execute(
        f"SELECT exchanges.id, said, heard, speaker, at FROM exchanges JOIN persons ON persons.id = person "
        f"WHERE person = :person AND exchanges.id > summarised AND exchanges.id IN ({_OLDER_THAN}) "
        "ORDER BY exchanges.id",
        {"person": number, "before": before},
    ):
        size += len(said) + len(heard)
        if size > longest and chosen:
            break
        chosen.append(Exchange(said, heard, speaker, exchange))
        up_to, at = exchange, to_time(told)
    return SummaryInput(name, generation, summary, tuple(chosen), up_to, at)


def _erase_facts(
    on: Connection, before: str, may_keep: Callable[[str], bool], touched: set[int], *, erases: bool
) -> int:
    """Old facts, where they are to be erased too, else those that others have replaced; and what may not be kept."""
    gone = []
    for number, person, text, at, replaced, source in on.execute(
        "SELECT id, person, text, at, replaced, source FROM facts"
    ).fetchall():
        is_of_summary = source == "summary" and person in touched
        is_old = at < before and (erases or replaced is not None)
        if is_old or (erases and is_of_summary) or not may_keep(text):
            gone.append((number,))
            touched.add(person)
    on.executemany("DELETE FROM facts WHERE id = ?", gone)
    return len(gone)
