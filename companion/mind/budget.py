"""What the talk costs: every request in the store's ledger, and spending limits that are checked before a request.

The sums of today and this month are kept in memory, so asking for them is no I/O; rows are written behind, and lazily,
so that the ledger causes no writes of its own to the card. Days are local. Money is counted in millionths of the
currency's unit, so that nothing is lost to rounding. Where a model's price is unknown nothing can be limited; the log
says so once. Runs on the event loop's thread.
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
from companion.mind.api.parser import ServiceMemoryUsage, Usage
from companion.mind.memory.database import Connection
from companion.mind.memory.persons import key_of
from companion.mind.memory.store import Store

log = logging.getLogger("companion")

MICRO = 1_000_000
"""Parts of a dollar or yuan in which money is counted."""


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """One request to the service."""

    person: str
    persona: str
    model: str
    region: str
    purpose: str
    """`talk`, `summary`, or `dropped`: asked for ahead, and nobody heard the answer."""
    prompt: int
    """Tokens of the request, the cached ones included."""
    cached: int
    completion: int
    cost_micro: int | None
    """In millionths of the currency's unit; None where the price is not known."""
    currency: str


@dataclass(frozen=True, slots=True)
class SpendingTotals:
    """Money spent, in millionths of a unit of `currency`."""

    today_micro: int
    month_micro: int
    currency: str = ""


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """What one person's talk cost on one day, in one currency."""

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
    dropped: bool = False
    """Whether these were asked for ahead and dropped: the person said more."""

    @property
    def cached_share(self) -> float:
        """The share of the prompt tokens that came from the service's cache, 0 to 1."""
        return self.cached / self.prompt if self.prompt else 0.0


class Ledger:
    """All requests of one unit. Call `load` once before `totals`."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._totals: Counter[tuple[date, str]] = Counter()
        """By local day and currency, for the days of this month."""
        self._currency = ""

    async def load(self) -> None:
        """Read this month's totals."""
        first = self._now().date().replace(day=1)
        rows, latest = await self._store.read(lambda on: _sums(on, first))
        self._totals = Counter({(date.fromisoformat(day), currency): cost for day, currency, cost in rows})
        self._currency = latest

    def add(self, entry: UsageEntry) -> None:
        """Enter one request. Returns at once; it is written later."""
        now = self._now()
        self._currency = entry.currency
        self._totals[now.date(), entry.currency] += entry.cost_micro or 0
        self._store.write(lambda on: _enter(on, entry, now), lazy=True)

    def totals(self, currency: str | None = None) -> SpendingTotals:
        """Today's and this month's money, in the currency of the latest request where none is given. No I/O."""
        wanted = self._currency if currency is None else currency
        today = self._now().date()
        month = sum(
            cost
            for (day, of), cost in self._totals.items()
            if of == wanted and (day.year, day.month) == (today.year, today.month)
        )
        return SpendingTotals(self._totals[today, wanted], month, wanted)

    async def days(self, count: int) -> tuple[DailyUsage, ...]:
        """The last `count` days, today included, by day, person, currency and whether dropped; the newest first."""
        first = self._now().date() - timedelta(days=count - 1)
        return await self._store.read(lambda on: _days(on, first))

    def currencies(self) -> tuple[str, ...]:
        """All currencies in which something was spent this month."""
        today = self._now().date()
        return tuple(sorted({of for day, of in self._totals if (day.year, day.month) == (today.year, today.month)}))


def _enter(on: Connection, entry: UsageEntry, at: datetime) -> None:
    on.execute(
        "INSERT INTO uses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(at.isoformat(timespec="seconds"), entry.person, entry.persona, entry.model, entry.region, entry.purpose),
            *(entry.prompt, entry.cached, entry.completion, entry.cost_micro, entry.currency),
        ),
    )


def _sums(on: Connection, first: date) -> tuple[list[tuple[str, str, int]], str]:
    rows = on.execute(
        "SELECT substr(at, 1, 10), currency, coalesce(sum(cost_micro), 0) FROM uses WHERE at >= ? GROUP BY 1, 2",
        (first.isoformat(),),
    ).fetchall()
    latest = on.execute("SELECT currency FROM uses ORDER BY rowid DESC LIMIT 1").fetchone()
    return rows, latest[0] if latest else ""


def _days(on: Connection, first: date) -> tuple[DailyUsage, ...]:
    rows = on.execute(
        "SELECT substr(at, 1, 10), person, count(*), sum(prompt), sum(cached), sum(completion), "
        "coalesce(sum(cost_micro), 0), sum(cost_micro IS NULL), currency, purpose = 'dropped' FROM uses "
        "WHERE at >= ? GROUP BY 1, 2, 9, 10 ORDER BY 1 DESC, 2, 9, 10",
        (first.isoformat(),),
    )
    return tuple(DailyUsage(date.fromisoformat(row[0]), *(*row[1:9], bool(row[9]))) for row in rows)


def usage_entries_of(on: Connection, persona: str, person: str) -> list[dict[str, object]]:
    """Every request for one person, oldest first, each with the store's column names."""
    found = on.execute("SELECT * FROM uses WHERE persona = ? ORDER BY at", (persona,))
    names = [column[0] for column in found.description]
    entries = [dict(zip(names, row, strict=True)) for row in found]
    return [one for one in entries if key_of(str(one["person"])) == key_of(person)]


def exhausted_budget(settings: SpendingSettings, today_micro: int, month_micro: int) -> str | None:
    """A sentence about the limit that is reached, which says what to do; None while there is money left."""
    for spent, cap, key in ((today_micro, settings.daily, "daily"), (month_micro, settings.monthly, "monthly")):
        if cap is not None and spent >= cap * MICRO:
            period = "today" if key == "daily" else "this month"
            return f"The money for {period} is used up: wait, or raise spending.{key}."
    return None


class Budget:
    """The spending of one character on one unit, and its limits."""

    def __init__(self, settings: SpendingSettings, model: Model, persona: str, ledger: Ledger | None) -> None:
        """Without a `ledger` nothing is recorded and there is no limit."""
        self._settings = settings
        self._model = model
        self._persona = persona
        self._ledger = ledger
        self._summary: ServiceMemoryUsage | None = None
        if (settings.daily or settings.monthly) and models.price(model, 0, 0, 0) is None:
            log.warning("The price of the model %s is not known, so spending cannot be capped.", model.name)

    @property
    def totals(self) -> SpendingTotals:
        """Today's and this month's money, in the currency of the model's price."""
        currency = self._model.currency
        return SpendingTotals(0, 0, currency) if self._ledger is None else self._ledger.totals(currency)

    def check(self) -> None:
        """Raises `CharacterRefused` where a limit is reached."""
        totals = self.totals
        why = exhausted_budget(self._settings, totals.today_micro, totals.month_micro)
        if why is not None:
            raise CharacterRefused(why, "spent", "spent")

    def price(self, usage: Usage) -> tuple[int | None, str]:
        """What one request costs, in millionths, None where it is unknown, and the currency."""
        return models.price(self._model, usage.prompt, usage.cached, usage.completion), self._model.currency

    @property
    def is_far(self) -> bool:
        """Whether no limit of spending is near: four fifths of none are spent."""
        totals = self.totals
        caps = ((totals.today_micro, self._settings.daily), (totals.month_micro, self._settings.monthly))
        return all(cap is None or spent < 0.8 * cap * MICRO for spent, cap in caps)

    def record(self, person: str, purpose: str, usage: Usage) -> None:
        """Enter one request."""
        made = usage.memory
        if made is not None and made != self._summary:
            # The service tells with each request what its last summary cost; the same figures are the same summary.
            self._summary = made
            if made.prompt:
                self._add(person, "summary", Usage(made.prompt, made.completion, made.cached))
        self._add(person, purpose, usage)

    def _add(self, person: str, purpose: str, usage: Usage) -> None:
        model = self._model
        cost, _ = self.price(usage)
        if self._ledger is not None:
            self._ledger.add(
                UsageEntry(
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
