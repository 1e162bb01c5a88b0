"""What the talk costs: every request's tokens and price in the store, the sums of today and this month at hand.

`add` and `spent` do no input or output: sums are kept in memory and the rows written behind (lazily, so that the ledger
costs the card no writes of its own). Days are local. Money is counted in millionths of a currency's unit, so that
nothing is lost to rounding.

What the talk costs: every request goes to the ledger, and none is sent when the money is used up.

Where the model's price is unknown nothing can be capped; the log says so once. Runs on the event loop's thread; asking
what was spent is no I/O.

Whether there is money left for one more request.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from companion.config.character import SpendingSettings
from companion.errors import CharacterRefused
from companion.mind.api import models
from companion.mind.api.models import Model
from companion.mind.api.parser import MemoryUse, Usage
from companion.mind.memory.database import Connection
from companion.mind.memory.long_term import key_of
from companion.mind.memory.store import Store


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


MICRO = 1_000_000
"""Parts of a dollar or yuan in which money is counted."""


def used_up(settings: SpendingSettings, today_micro: int, month_micro: int) -> str | None:
    """The cap that is reached, in words that say what to do; None while there is money left."""
    for spent, cap, key in ((today_micro, settings.daily, "daily"), (month_micro, settings.monthly, "monthly")):
        if cap is not None and spent >= cap * MICRO:
            period = "today" if key == "daily" else "this month"
            return f"The money for {period} is used up: wait, or raise spending.{key}."
    return None


log = logging.getLogger("companion")


class Spending:
    """Of one character on one unit."""

    def __init__(self, settings: SpendingSettings, model: Model, persona: str, ledger: Ledger | None) -> None:
        """Without a `ledger` nothing is noted and no cap holds."""
        self._settings = settings
        self._model = model
        self._persona = persona
        self._ledger = ledger
        self._summary: MemoryUse | None = None
        if (settings.daily or settings.monthly) and models.price(model, 0, 0, 0) is None:
            log.warning("The price of the model %s is not known, so spending cannot be capped.", model.name)

    @property
    def spent(self) -> Spent:
        """Today's and this month's money, in the currency of the model's price."""
        return Spent(0, 0, self._model.currency) if self._ledger is None else self._ledger.spent(self._model.currency)

    def check(self) -> None:
        """Raises `CharacterRefused` where a cap is reached."""
        spent = self.spent
        why = used_up(self._settings, spent.today_micro, spent.month_micro)
        if why is not None:
            raise CharacterRefused(why, "spent", "spent")

    def note(self, person: str, purpose: str, usage: Usage) -> tuple[int | None, str]:
        """Put one request into the ledger. Returns its price in millionths, None where unknown, and the currency."""
        made = usage.memory
        if made is not None and made != self._summary:
            # The service tells with each request what its last summary cost; the same figures are the same summary.
            self._summary = made
            if made.prompt:
                self._add(person, "summary", Usage(made.prompt, made.completion, made.cached))
        return self._add(person, purpose, usage), self._model.currency

    def _add(self, person: str, purpose: str, usage: Usage) -> int | None:
        model = self._model
        cost = models.price(model, usage.prompt, usage.cached, usage.completion)
        if self._ledger is not None:
            self._ledger.add(
                Use(
                    person=person,
                    persona=self._persona,
                    model=model.name,
                    region=model.region,
                    purpose=purpose,
                    prompt=usage.prompt,
                    cached=usage.cached,
                    completion=usage.completion,
                    cost_micro=cost,
                    currency=model.currency,
                )
            )
        return cost
