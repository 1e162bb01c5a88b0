"""What the talk costs: every request's tokens and price in the store, the sums of today and this month at hand.

`add` and `spent` do no input or output: sums are kept in memory and the rows written behind (lazily, so that the ledger
costs the card no writes of its own). Days are local. Money is counted in millionths of a currency's unit, so that
nothing is lost to rounding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from companion.mind.memory_rows import key_of
from companion.mind.store import Connection, Store


@dataclass(frozen=True, slots=True)
class Use:
    """One request to the service."""

    person: str
    persona: str
    model: str
    region: str
    purpose: str
    """`talk`, `summary`, `again` ..."""
    prompt: int
    """Tokens of the request, the cached ones included."""
    cached: int
    completion: int
    cost_micro: int | None
    """In millionths of the currency's unit; None where the price is not known."""
    currency: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Money spent, in millionths of a unit of `currency`."""

    today_micro: int
    month_micro: int
    currency: str = ""


@dataclass(frozen=True, slots=True)
class DayOfPerson:
    """What one person's talk took on one day, in one currency."""

    day: date
    person: str
    requests: int
    prompt: int
    cached: int
    completion: int
    cost_micro: int
    unpriced: int
    """Requests of unknown price; they are not in `cost_micro`."""
    currency: str

    @property
    def cached_share(self) -> float:
        """Part of the prompt tokens that came from the service's cache, 0 to 1."""
        return self.cached / self.prompt if self.prompt else 0.0


class Ledger:
    """The books of one unit. Call `load` once before `spent`."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._sums: Counter[tuple[date, str]] = Counter()
        """By local day and currency, for the days of this month."""
        self._currency = ""

    async def load(self) -> None:
        """Read this month's sums."""
        first = self._now().date().replace(day=1)
        rows, latest = await self._store.read(lambda on: _sums(on, first))
        self._sums = Counter({(date.fromisoformat(day), currency): cost for day, currency, cost in rows})
        self._currency = latest

    def add(self, use: Use) -> None:
        """Enter one request. Returns at once."""
        now = self._now()
        self._currency = use.currency
        self._sums[now.date(), use.currency] += use.cost_micro or 0
        self._store.write(lambda on: _enter(on, use, now), lazy=True)

    def spent(self, currency: str | None = None) -> Spent:
        """Today's and this month's money in a currency, in that of the latest request where none is named. No I/O."""
        wanted = self._currency if currency is None else currency
        today = self._now().date()
        month = sum(
            cost
            for (day, of), cost in self._sums.items()
            if of == wanted and (day.year, day.month) == (today.year, today.month)
        )
        return Spent(self._sums[today, wanted], month, wanted)

    async def days(self, count: int) -> tuple[DayOfPerson, ...]:
        """The last `count` days, today included, by day, person and currency; the newest first."""
        first = self._now().date() - timedelta(days=count - 1)
        return await self._store.read(lambda on: _days(on, first))

    def currencies(self) -> tuple[str, ...]:
        """All in which something was spent this month."""
        today = self._now().date()
        return tuple(sorted({of for day, of in self._sums if (day.year, day.month) == (today.year, today.month)}))


def _enter(on: Connection, use: Use, at: datetime) -> None:
    on.execute(
        "INSERT INTO uses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(at.isoformat(timespec="seconds"), use.person, use.persona, use.model, use.region, use.purpose),
            *(use.prompt, use.cached, use.completion, use.cost_micro, use.currency),
        ),
    )


def _sums(on: Connection, first: date) -> tuple[list[tuple[str, str, int]], str]:
    rows = on.execute(
        "SELECT substr(at, 1, 10), currency, coalesce(sum(cost_micro), 0) FROM uses WHERE at >= ? GROUP BY 1, 2",
        (first.isoformat(),),
    ).fetchall()
    latest = on.execute("SELECT currency FROM uses ORDER BY rowid DESC LIMIT 1").fetchone()
    return rows, latest[0] if latest else ""


def _days(on: Connection, first: date) -> tuple[DayOfPerson, ...]:
    rows = on.execute(
        "SELECT substr(at, 1, 10), person, count(*), sum(prompt), sum(cached), sum(completion), "
        "coalesce(sum(cost_micro), 0), sum(cost_micro IS NULL), currency FROM uses WHERE at >= ? "
        "GROUP BY 1, 2, 9 ORDER BY 1 DESC, 2, 9",
        (first.isoformat(),),
    )
    return tuple(DayOfPerson(date.fromisoformat(row[0]), *row[1:]) for row in rows)


def requests_of(on: Connection, persona: str, person: str) -> list[dict[str, object]]:
    """Every request for one person, oldest first, each with the store's column names."""
    found = on.execute("SELECT * FROM uses WHERE persona = ? ORDER BY at", (persona,))
    names = [column[0] for column in found.description]
    entries = [dict(zip(names, row, strict=True)) for row in found]
    return [one for one in entries if key_of(str(one["person"])) == key_of(person)]
