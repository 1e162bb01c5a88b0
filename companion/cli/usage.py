"""`companion usage`: requests, tokens and cost by day and person, compared with the spending caps."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from companion.cli.options import memory_folder, unit_options
from companion.config.device import Device
from companion.errors import CompanionError
from companion.mind.budget import DailyUsage, Ledger, SpendingTotals
from companion.mind.memory.store import FILE, Store
from companion.plain_text import json_lines, one_line

MILLION = 1_000_000


@click.command()
@unit_options
@click.option(
    "--days", type=click.IntRange(1, 3660), default=7, show_default=True, help="How many days, today included."
)
def usage(device_file: Path, settings: tuple[str, ...], as_json: bool, days: int) -> None:
    """Show requests, tokens, cached share and cost by day and person, and what is spent of the caps.

    Requests that were made ahead and dropped, because the person said more, have rows of their own.
    """
    from companion.config.unit import load_unit

    device, _ = load_unit(device_file, settings)
    path = memory_folder(device) / FILE
    click.echo(f"Memory: {path}", err=True)
    if path.exists() and not os.access(path, os.R_OK):
        raise CompanionError(f"{path} can be read by its owner only: run this with sudo, or as that user.")
    rows, totals = asyncio.run(_read(path, days)) if path.exists() else ((), ())
    if as_json:
        click.echo(json_lines(_to_json(rows, totals, device)))
        return
    if not rows:
        click.echo(f"No requests in {'the last day' if days == 1 else f'the last {days} days'}.")
    else:
        click.echo(f"{'day':10}  {'person':20} {'requests':>8} {'prompt':>9} {'cached':>7} {'completion':>10}  cost")
    for one in rows:
        unpriced = f" and {one.unpriced} of unknown price" if one.unpriced else ""
        person = (one_line(one.person) or "(no name)") + (" (dropped)" if one.dropped else "")
        click.echo(
            f"{one.day}  {person:20} {one.requests:8} {one.prompt:9} {one.cached_share:7.0%} "
            f"{one.completion:10}  {_money(one.cost_micro, one.currency)}{unpriced}"
        )
    for total in totals:
        today, month = _money(total.today_micro, total.currency), _money(total.month_micro, total.currency)
        click.echo(
            f"Today {today}{_share_of_cap(device.spending.daily, total.today_micro)}, "
            f"this month {month}{_share_of_cap(device.spending.monthly, total.month_micro)}."
        )


async def _read(path: Path, days: int) -> tuple[tuple[DailyUsage, ...], tuple[SpendingTotals, ...]]:
    store = await Store.open(path.parent, datetime.now, sets_aside=False)
    try:
        ledger = Ledger(store, datetime.now)
        await ledger.load()
        return await ledger.days(days), tuple(ledger.totals(currency) for currency in ledger.currencies())
    finally:
        await store.close()


def _to_json(rows: tuple[DailyUsage, ...], totals: tuple[SpendingTotals, ...], device: Device) -> dict[str, object]:
    return {
        "days": [
            {
                **asdict(one),
                "day": one.day.isoformat(),
                "cached_share": round(one.cached_share, 4),
                "cost": one.cost_micro / MILLION,
            }
            for one in rows
        ],
        "totals": [
            {
                "currency": one.currency,
                "today": one.today_micro / MILLION,
                "month": one.month_micro / MILLION,
                "daily_cap": device.spending.daily,
                "monthly_cap": device.spending.monthly,
            }
            for one in totals
        ],
    }


def _money(micro: int, currency: str) -> str:
    return f"{micro / MILLION:.4f} {currency}".rstrip()


def _share_of_cap(cap: float | None, micro: int) -> str:
    return "" if cap is None else f" of {cap:g} ({micro / MILLION / cap:.0%})"
