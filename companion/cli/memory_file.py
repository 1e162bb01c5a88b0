"""What the commands of `companion memory` share: the unit that is meant, its file, and how results are printed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from companion.cli.options import memory_folder
from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import CompanionError
from companion.mind.memory.store import FILE, Store
from companion.plain_text import json_lines, one_line

Result = TypeVar("Result")


def unit_and_file(device_file: Path, settings: tuple[str, ...]) -> tuple[Device, Persona, Path]:
    """The unit's settings, its character, and the path of the memory's database."""
    from companion.config.unit import load_unit

    device, persona = load_unit(device_file, settings)
    path = memory_folder(device) / FILE
    click.echo(f"Memory: {path}", err=True)  # A machine may have several, and nobody should erase in the wrong one.
    return device, persona, path


def is_interactive() -> bool:
    """Whether a person can be asked for confirmation."""
    return sys.stdin.isatty()


def exists(path: Path) -> bool:
    """Whether there is a memory. Raises `CompanionError` where others may not read it."""
    try:
        there = path.exists()
    except PermissionError:
        there = True
    if there and not os.access(path, os.R_OK):
        raise CompanionError(f"{path} can be read by its owner only: run this with sudo, or as that user.")
    return there


def with_store(path: Path, work: Callable[[Store], Coroutine[Any, Any, Result]]) -> Result:
    """What `work` does with the memory. Raises `CompanionError`."""

    async def run() -> Result:
        store = await Store.open(path.parent, datetime.now, sets_aside=False)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def person_label(person: str | None) -> str:
    """How a person is called in lists."""
    return one_line(person or "") or "(no name)"


def print_json(value: object) -> None:
    """Print it as JSON."""
    click.echo(json_lines(value))
