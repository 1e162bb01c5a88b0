"""`companion chat`: talk with the character in the terminal."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import click

from companion.commands.options import unit_options
from companion.errors import CompanionError


@click.command("chat")
@click.option("--person", metavar="NAME", help="Who speaks, until somebody says who they are; `guest` keeps nothing.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Same seed, same answers, as far as the service can.")
@click.option(
    "--script",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Say the lines of this file, one after the other. Commands work too; lines with # at the start are skipped.",
)
@unit_options
def chat_command(
    person: str | None,
    seed: int | None,
    script: Path | None,
    as_json: bool,
    settings: tuple[str, ...],
    device_file: Path,
) -> None:
    """Talk with the character in the terminal: the device's mind without its ears, voice and body.

    Stage directions that nobody would hear are dimmed, cues shown as [happy 0.8]. /help lists the commands.
    """
    from companion.app import load
    from companion.terminal.chat import chat
    from companion.terminal.screen import JsonLines, Screen, Terminal

    given = [f"memory.person={json.dumps(person)}"] if person is not None else []
    given += [f"character.seed={seed}"] if seed is not None else []
    device, persona = load(device_file, (*settings, *given))
    screen: Screen = JsonLines(sys.stdout) if as_json else Terminal(sys.stdout)
    try:
        asyncio.run(chat(device, persona, screen, script))
    except* CompanionError as errors:
        failures: BaseException = errors
        while isinstance(failures, BaseExceptionGroup):
            failures = failures.exceptions[0]
        failure = failures
    else:
        return
    raise failure
