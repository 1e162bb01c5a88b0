"""`companion owner`: open and close the owner's page, and do for the owner what cannot be done on it."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from companion.cli.group import HelpfulGroup
from companion.cli.options import memory_folder, unit_options
from companion.errors import CompanionError, DeviceError
from companion.plain_text import json_lines, one_line
from companion.service.control_protocol import AskOwnerPage, OwnerWish

Command = TypeVar("Command", bound=Callable[..., Any])


def _socket_option(command: Command) -> Command:
    return click.option(
        "--socket", type=click.Path(path_type=Path), help="The daemon's socket, where it is not the usual one."
    )(command)


@click.group(cls=HelpfulGroup)
def owner() -> None:
    """The owner's page, for a parent's telephone in the same network: closed, unless you open it."""


@owner.command(name="open")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Write the QR code to this file, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs. It holds the code.")
@_socket_option
def open_page(svg: Path | None, as_json: bool, socket: Path | None) -> None:
    """Open the page, and show the code that connects one telephone: scan it, or type its digits."""
    told = _ask(AskOwnerPage("open"), socket)
    from companion.identity import qr_for_terminal, qr_svg

    if svg is not None:
        _write(svg, qr_svg(str(told["link"])))
    if as_json:
        click.echo(json_lines(dict(told)))
        return
    click.echo(qr_for_terminal(str(told["link"])))
    digits = str(told["digits"])
    click.echo(f"Scan this with the telephone, which must be in the same network, or open  {told['address']}")
    for name in told.get("names", ()):
        click.echo(f"{'or by its name:':>67}  {name}")
    click.echo(f"and type the code:  {digits[:4]} {digits[4:]}")
    click.echo(
        f"The code connects one telephone, within {float(told['code_s']) / 60:.0f} minutes. The browser will warn you, "
        "because the unit made its certificate by itself; its SHA-256 fingerprint must be:"
    )
    click.echo(f"  {told['fingerprint'][:47]}\n  {told['fingerprint'][48:]}")


@owner.command()
@_socket_option
def close(socket: Path | None) -> None:
    """Close the page, and sign everybody out."""
    _tell(AskOwnerPage("close"), socket)


@owner.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@_socket_option
def status(as_json: bool, socket: Path | None) -> None:
    """Show whether the page is open, who is connected, and whether a guardian has agreed."""
    from companion.service.control import send_request

    answer = send_request(AskOwnerPage("status"), socket)
    told = answer.status
    if as_json:
        click.echo(json_lines(dict(told)))
        return
    click.echo(answer.sentence)
    click.echo("A PIN has been chosen." if told.get("has_pin") else "No PIN has been chosen yet.")
    click.echo(f"Telephones: {one_line(', '.join(map(str, told.get('telephones', ()))) or 'none')}; "
               f"signed in: {told.get('signed_in', 0)}.")  # fmt: skip
    click.echo(f"A guardian's consent: {one_line(str(told.get('consent') or 'none'))}.")


@owner.command("reset-pin")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_socket_option
def reset_pin(yes: bool, socket: Path | None) -> None:
    """Forget the PIN and all connected telephones; the next telephone that is connected chooses a new PIN."""
    if not yes:
        click.confirm("Forget the PIN and all connected telephones?", abort=True, err=True)
    _tell(AskOwnerPage("reset-pin"), socket)


@owner.command()
@click.option("--by", metavar="NAME", help="Who agrees.")
@click.option("--withdraw", is_flag=True, help="Take it back: it does not talk any more where the policy asks for it.")
@_socket_option
def consent(by: str | None, withdraw: bool, socket: Path | None) -> None:
    """Say that a guardian agrees to the talk, as some policies ask, or take it back."""
    if (by is None) == (not withdraw):
        raise click.UsageError("Say who agrees (--by NAME), or take it back (--withdraw).")
    name = " ".join((by or "").split())
    if not withdraw and not 0 < len(name) <= 100:
        raise click.UsageError("--by needs a name of at most 100 characters.")
    wish: OwnerWish = "withdraw" if withdraw else "consent"
    _tell(AskOwnerPage(wish, name), socket)


@owner.command()
@unit_options
@click.option("--clear", is_flag=True, help="Erase the list for good, after showing it.")
def blocked(device_file: Path, settings: tuple[str, ...], as_json: bool, clear: bool) -> None:
    """List what was kept from being said, and messages for the guardian. Works on the memory's file."""
    from companion.config.unit import load_unit
    from companion.mind.memory.guard_records import GuardRecord, clear_records, read_records
    from companion.mind.memory.store import FILE, Store

    device, _ = load_unit(device_file, settings)
    path = memory_folder(device) / FILE
    click.echo(f"Memory: {path}", err=True)
    if path.exists() and not os.access(path, os.R_OK):
        raise CompanionError(f"{path} can be read by its owner only: run this with sudo, or as that user.")

    async def read() -> tuple[GuardRecord, ...]:
        store = await Store.open(path.parent, datetime.now, sets_aside=False)
        try:
            notices = await store.read(lambda on: read_records(on, "notice"))
            found = notices + await store.read(lambda on: read_records(on, "blocked"))
            if clear:
                await store.erase(clear_records)
            return found
        finally:
            await store.close()

    found = asyncio.run(read()) if path.exists() else ()
    if as_json:
        click.echo(json_lines([asdict(one) for one in found]))
        return
    for one in found:
        words = f": {one_line(one.words)}" if one.words else ""
        mark = "MESSAGE" if one.kind == "notice" else one.who
        click.echo(f"{one.at:%Y-%m-%d %H:%M}  {mark:12}  {one.category:14}  {one_line(one.person) or '-'}{words}")
    counts = Counter(one.category for one in found if one.kind == "blocked")
    click.echo(", ".join(f"{name}: {count}" for name, count in counts.most_common()) or "Nothing was kept back.")
    if clear and found:
        click.echo("The list is erased.")


def _ask(request: AskOwnerPage, socket: Path | None) -> dict[str, Any]:
    from companion.service.control import send_request

    return dict(send_request(request, socket).status)


def _tell(request: AskOwnerPage, socket: Path | None) -> None:
    from companion.service.control import send_request

    click.echo(send_request(request, socket).sentence)


def _write(file: Path, data: bytes) -> None:
    """A file for its owner alone, since it opens a door. Raises `DeviceError`."""
    from companion.storage import PRIVATE, write_atomically

    try:
        write_atomically(file, data, PRIVATE)
    except OSError as error:
        raise DeviceError(f"{file} cannot be written: {error.strerror or error}") from error
