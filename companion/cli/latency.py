"""`companion latency`: how long people wait for an answer, stage by stage, and what held the slowest turns back."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from companion.cli.options import memory_folder, unit_options
from companion.errors import CompanionError
from companion.mind.memory.store import FILE, Store
from companion.mind.memory.turn_times import KEPT, TurnTimes, last_turns
from companion.plain_text import json_lines
from companion.service.latency_report import STAGES, LatencyReport, report


@click.command()
@unit_options
@click.option(
    "--last", type=click.IntRange(1, KEPT), default=200, show_default=True, help="How many of the last turns."
)
def latency(device_file: Path, settings: tuple[str, ...], as_json: bool, last: int) -> None:
    """Show how long people waited for an answer: medians and 95th percentiles of every stage, and what held the
    slowest turns back. The times of the last 2000 answers are kept in the memory's database, without any words.
    """
    from companion.config.unit import load_unit

    device, _ = load_unit(device_file, settings)
    path = memory_folder(device) / FILE
    click.echo(f"Memory: {path}", err=True)
    if path.exists() and not os.access(path, os.R_OK):
        raise CompanionError(f"{path} can be read by its owner only: run this with sudo, or as that user.")
    found = report(asyncio.run(_read(path, last)) if path.exists() else ())
    if as_json:
        click.echo(json_lines(asdict(found)))
    elif not found.turns:
        click.echo("Nobody was answered yet.")
    else:
        _print(found)


async def _read(path: Path, last: int) -> list[TurnTimes]:
    store = await Store.open(path.parent, datetime.now, sets_aside=False)
    try:
        return await store.read(lambda on: last_turns(on, last))
    finally:
        await store.close()


def _print(found: LatencyReport) -> None:
    turns = "The last turn" if found.turns == 1 else f"The last {found.turns} turns"
    click.echo(f"{turns}, in milliseconds. A stage counts from the one before it.\n")
    width = max(map(len, STAGES.values()))
    click.echo(f"{'stage':14}  {'':{width}}  {'median':>8}  {'95 %':>8}")
    for stage, words in STAGES.items():
        if stage in found.median_ms:
            click.echo(f"{stage:14}  {words:{width}}  {found.median_ms[stage]:8,.0f}  {found.p95_ms[stage]:8,.0f}")
    click.echo(f"\nMade ahead and dropped, because the person went on: {found.dropped}.\n")
    for one in found.slowest:
        click.echo(one.sentence)
