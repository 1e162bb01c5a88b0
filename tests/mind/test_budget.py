"""What was spent, by local days and months, and across restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from companion.mind.budget import Ledger, SpendingTotals, UsageEntry
from companion.mind.memory.store import Store

USE = UsageEntry("Ana", "Pip", "qwen-plus-character", "international", "talk", 1000, 900, 50, 1_234, "USD")


class Clock:
    def __init__(self, at: str) -> None:
        self.at = datetime.fromisoformat(at)

    def __call__(self) -> datetime:
        return self.at


async def test_sums_follow_local_days_and_months_and_outlive_a_restart(tmp_path: Path) -> None:
    now = Clock("2026-04-30T23:59:58")
    store = await Store.open(tmp_path, now)
    ledger = Ledger(store, now)
    await ledger.load()
    assert ledger.totals() == SpendingTotals(0, 0, "")
    ledger.add(USE)
    assert ledger.totals() == SpendingTotals(1_234, 1_234, "USD")
    now.at = datetime.fromisoformat("2026-05-01T00:00:01")
    assert ledger.totals() == SpendingTotals(0, 0, "USD")
    ledger.add(replace(USE, cost_micro=10))
    now.at = datetime.fromisoformat("2026-05-02T08:00:00")
    ledger.add(replace(USE, cost_micro=5))
    assert ledger.totals() == SpendingTotals(5, 15, "USD")
    await store.close()

    store = await Store.open(tmp_path, now)
    again = Ledger(store, now)
    await again.load()
    assert again.totals() == SpendingTotals(5, 15, "USD")
    now.at = datetime.fromisoformat("2026-06-01T08:00:00")
    assert again.totals("USD") == SpendingTotals(0, 0, "USD")
    await store.close()


async def test_currencies_are_counted_apart_and_unknown_prices_not_at_all(tmp_path: Path) -> None:
    now = Clock("2026-05-03T12:00:00")
    store = await Store.open(tmp_path, now)
    ledger = Ledger(store, now)
    await ledger.load()
    ledger.add(USE)
    ledger.add(replace(USE, currency="CNY", cost_micro=7))
    ledger.add(replace(USE, person="", cost_micro=None))
    assert ledger.totals("CNY").today_micro == 7
    assert ledger.totals("USD").today_micro == 1_234
    assert ledger.currencies() == ("CNY", "USD")
    days = await ledger.days(1)
    await store.close()
    assert [(one.day, one.person, one.requests, one.currency) for one in days] == [
        (date(2026, 5, 3), "", 1, "USD"),
        (date(2026, 5, 3), "Ana", 1, "CNY"),
        (date(2026, 5, 3), "Ana", 1, "USD"),
    ]
    assert days[0].unpriced == 1
    assert days[0].cost_micro == 0
    assert days[1].cached_share == 0.9


async def test_entries_are_written_before_they_are_many(tmp_path: Path) -> None:
    """They wait for a turn to be kept, but not for ever."""
    now = Clock("2026-05-03T12:00:00")
    first, second = await Store.open(tmp_path, now), await Store.open(tmp_path, now)
    ledger, other = Ledger(first, now), Ledger(second, now)
    await ledger.load()
    for _ in range(100):
        ledger.add(USE)
    await first.flush()
    await other.load()
    assert other.totals() == ledger.totals() == SpendingTotals(123_400, 123_400, "USD")
    await first.close()
    await second.close()
