"""`companion memory word` and `expire`: who is recognised by what, and how long words are kept."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from companion.cli.memory_file import exists, is_interactive, print_json, unit_and_file, with_store
from companion.cli.options import unit_options
from companion.config.policy import policy_of
from companion.guardian import Guardian
from companion.mind.discretion import Discretion
from companion.mind.expiry import expiring, rolled_back
from companion.mind.memory.retention import Expired
from companion.mind.memory.secret_word import remove_word, set_word
from companion.plain_text import one_line


@click.command()
@unit_options
@click.option("--person", metavar="NAME", required=True, help="Whose word it is.")
@click.option("--remove", is_flag=True, help="Take the word away; until there is a new one nobody is taken for them.")
def word(device_file: Path, settings: tuple[str, ...], as_json: bool, person: str, remove: bool) -> None:
    """Give somebody the secret word by which they are recognised, where the policy asks for one.

    It is asked for and not shown, or read from standard input. It holds with all characters of this unit.
    """
    _, _, path = unit_and_file(device_file, settings)
    if remove:
        had = bool(exists(path) and with_store(path, lambda store: store.change(lambda on: remove_word(on, person))))
    else:
        secret = (
            click.prompt(f"Secret word of {one_line(person)}", hide_input=True, confirmation_prompt=True, err=True)
            if is_interactive()
            else sys.stdin.readline()
        )
        had = True
        with_store(path, lambda store: store.change(lambda on: set_word(on, person, secret)))
    if as_json:
        print_json({"person": person, "has_word": not remove})
    elif not had:
        click.echo(f"{one_line(person)} had no word.")
    else:
        click.echo(f"{one_line(person)} {'has no word any more' if remove else 'has a new word'}.")


@click.command()
@unit_options
@click.option("--dry-run", is_flag=True, help="Only tell what would be erased.")
def expire(device_file: Path, settings: tuple[str, ...], as_json: bool, dry_run: bool) -> None:
    """Erase what is older than the policy allows (`memory.days`), for good; the unit does so each day by itself.

    Words that are to be summed up first wait until the unit has done so, or until they are twice as old.
    """
    device, persona, path = unit_and_file(device_file, settings)
    policy = policy_of(device.policy, persona.audience)
    discretion = Discretion(policy.memory, may_keep=Guardian(policy, persona).may_keep)
    work = expiring(discretion, datetime.now().astimezone())
    expired = Expired(0, 0, 0, 0, 0)
    if exists(path) and policy.memory.days is not None:
        expired = with_store(path, lambda store: store.read(rolled_back(work)))
        if expired.is_anything and not dry_run:
            expired = with_store(path, lambda store: store.erase(work))
    if as_json:
        print_json({"days": policy.memory.days, "dry_run": dry_run, **asdict(expired)})
    elif policy.memory.days is None:
        click.echo("The policy sets no limit (memory.days): nothing is too old.")
    else:
        click.echo(
            f"{'Too old' if dry_run else 'Erased'}: {_count(expired.exchanges, 'turn')}, "
            f"{_count(expired.facts, 'fact')}, {_count(expired.records, 'record')} for the guardian."
        )
        if expired.waiting:
            click.echo(f"Not yet: {_count(expired.waiting, 'turn')}, of which the unit makes a summary first.")


def _count(number: int, of: str) -> str:
    return f"{number} {of}{'' if number == 1 else 's'}"
