"""`companion memory`: inspect, correct, export and erase what the character remembers.

Works on the database file, whether or not the daemon runs. Output goes to the terminal only, never to a log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from companion.cli.group import HelpfulGroup
from companion.cli.memory_file import exists, is_interactive, person_label, print_json, unit_and_file, with_store
from companion.cli.memory_keeping import expire, word
from companion.cli.options import unit_options
from companion.config.persona import Persona
from companion.errors import CompanionError
from companion.languages.understood import understood
from companion.mind.budget import usage_entries_of
from companion.mind.memory import inspection
from companion.mind.memory.daily_copy import copy_of
from companion.mind.memory.database import Connection
from companion.mind.memory.database_file import remove_set_aside, set_aside
from companion.mind.memory.erasing import Erased, erase_everyone, erase_person
from companion.mind.memory.guard_records import records_of
from companion.mind.memory.secret_word import has_word
from companion.plain_text import one_line

Result = TypeVar("Result")

PERSON = click.option("--person", metavar="NAME", help='One person only; "" is whoever never said a name.')


@click.group(cls=HelpfulGroup)
def memory() -> None:
    """Look into what the character remembers, correct it, take it along, or erase it."""


memory.add_command(expire)
memory.add_command(word)


@memory.command("list")
@unit_options
def list_persons(device_file: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """List everyone who is remembered, by all characters of this unit."""
    _, path = _unit(device_file, settings)
    found = _read(path, inspection.list_persons) or ()
    if as_json:
        print_json([asdict(one) for one in found])
    elif not found:
        click.echo(f"Nothing is remembered yet in {path}.")
    for one in () if as_json else found:
        last = f"{one.last:%Y-%m-%d %H:%M}" if one.last else "-"
        click.echo(
            f"{person_label(one.person)} with {one_line(one.persona)}: {one.turns} turns, {one.facts} facts, "
            f"a summary of {one.summary_characters} characters, last {last}"
        )


@memory.command()
@unit_options
@PERSON
@click.option("--turns", type=click.IntRange(0), default=10, show_default=True, help="How many of the last turns.")
def show(device_file: Path, settings: tuple[str, ...], as_json: bool, person: str | None, turns: int) -> None:
    """Show facts with their numbers, the summary, and the last turns."""
    persona, path = _unit(device_file, settings)
    found = _read(path, lambda on: inspection.describe_persons(on, persona, person, turns=turns)) or ()
    if as_json:
        print_json({"persona": persona, "persons": [asdict(one) for one in found]})
        return
    if not found:
        of_whom = f" of {person_label(person)}" if person is not None else ""
        click.echo(f"{persona} remembers nothing{of_whom} in {path}.")
    for one in found:
        click.echo(person_label(one.person))
        for fact in one.facts:
            click.echo(f"  {fact.id:>5}  {one_line(fact.text)}")
        if one.summary:
            click.echo(f"  Summary: {one_line(one.summary)}")
        if one.pause != 1:
            click.echo(f"  Pauses: {one.pause:.2f} times as long as usual")
        for turn in one.exchanges:
            click.echo(f"  {turn.id:>5}  {turn.at:%Y-%m-%d %H:%M}  > {one_line(turn.said)}")
            if turn.heard:
                click.echo(f"{'':24}  {one_line(turn.speaker or persona)}: {one_line(turn.heard)}")


@memory.command()
@unit_options
@PERSON
@click.argument("words", nargs=-1, required=True)
def search(
    device_file: Path, settings: tuple[str, ...], as_json: bool, person: str | None, words: tuple[str, ...]
) -> None:
    """Find WORDS, in any of their forms, in facts, summaries and everything that was said and heard."""
    _, persona, path = unit_and_file(device_file, settings)
    languages = understood(persona.language)
    found = _read(path, lambda on: inspection.search(on, persona.name, person, " ".join(words), languages)) or ()
    if as_json:
        print_json([asdict(one) for one in found])
    elif not found:
        click.echo("Not found.")
    for one in () if as_json else found:
        click.echo(f"{one.id or '':>5}  {person_label(one.person)}, {one.kind}: {one_line(one.text)}")


@memory.command()
@unit_options
@click.argument("number", metavar="ID", type=int)
@click.argument("text")
def correct(device_file: Path, settings: tuple[str, ...], as_json: bool, number: int, text: str) -> None:
    """Put the fact ID right, or what was said in the turn ID: TEXT takes its place."""
    _, persona, path = unit_and_file(device_file, settings)
    if not text.strip():
        raise CompanionError("The new text is empty. To erase an entry: companion memory forget ID.")
    before = _correct(path, persona, number, text.strip())
    if as_json:
        print_json({"id": number, "before": before, "text": text.strip()})
    else:
        click.echo(f"{number}: {one_line(before)}\n{'':>{len(str(number))}}  now: {one_line(text)}")


@memory.command()
@unit_options
@PERSON
@click.option("--all", "everybody", is_flag=True, help="Everyone, of all characters.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody can be asked.")
@click.argument("numbers", metavar="[ID]...", nargs=-1, type=int)
def forget(
    device_file: Path,
    settings: tuple[str, ...],
    as_json: bool,
    person: str | None,
    everybody: bool,
    yes: bool,
    numbers: tuple[int, ...],
) -> None:
    """Erase a person, everyone, or single entries, for good; what the service keeps cannot be reached any more.

    Damaged files that were set aside go too: they may hold it. Asks first; where nobody can be asked (in a script, or
    over ssh without -t) nothing is erased without --yes.
    """
    if sum((person is not None, everybody, bool(numbers))) != 1:
        raise click.UsageError(
            "Say what to forget: --person NAME, --all, or the IDs that `companion memory show` lists."
        )
    persona, path = _unit(device_file, settings)
    what = (
        "everything about everyone"
        if everybody
        else f"everything that {persona} remembers of {person_label(person)}"
        if person is not None
        else f"{len(numbers)} {'entry' if len(numbers) == 1 else 'entries'}"
    )
    if not yes:
        if not is_interactive():
            raise click.UsageError(f"Nobody can be asked here. To erase {what}, add --yes; nothing was erased.")
        click.confirm(f"Erase {what}?", abort=True, err=True)
    beside = [one.name for one in set_aside(path)]
    if everybody:
        erased = _erase_with(path, erase_everyone)
    elif person is not None:
        erased = _erase_with(path, lambda on: erase_person(on, persona, person))
    else:
        erased = _erase_with(path, lambda on: inspection.forget_entries(on, persona, numbers))
    removed = [name for name in beside if not path.with_name(name).exists()]
    if as_json:
        print_json({**asdict(erased), "files": removed})
        return
    _print_erased(erased)
    for name in removed:
        click.echo(f"The damaged file {name}, which was set aside and may have held it too, was removed.")


@memory.command()
@unit_options
@PERSON
def export(device_file: Path, settings: tuple[str, ...], as_json: bool, person: str | None) -> None:
    """Print everything about everyone, or one person, as JSON."""
    del as_json  # It always is.
    persona, path = _unit(device_file, settings)

    def everything(on: Connection) -> list[dict[str, Any]]:
        found = inspection.describe_persons(on, persona, person, replaced=True)
        return [
            {
                **asdict(one),
                "requests": usage_entries_of(on, persona, one.person),
                "blocked": [asdict(record) for record in records_of(on, persona, one.person)],
                "has_word": has_word(on, one.person),
            }
            for one in found
        ]

    print_json({"persona": persona, "persons": _read(path, everything) or []})


def _unit(device_file: Path, settings: tuple[str, ...]) -> tuple[str, Path]:
    """The character's name, and the path of the memory's database."""
    _, persona, path = unit_and_file(device_file, settings)
    return persona.name, path


def _read(path: Path, work: Callable[[Connection], Result]) -> Result | None:
    """The result of `work`; None where there is no database yet (it is not created)."""
    return with_store(path, lambda store: store.read(work)) if exists(path) else None


def _correct(path: Path, persona: Persona, number: int, text: str) -> str:
    if not exists(path):
        raise CompanionError(f"Nothing is remembered yet in {path}.")
    languages = understood(persona.language)
    return with_store(
        path, lambda store: store.change(lambda on: inspection.correct_entry(on, persona.name, number, text, languages))
    )


def _erase_with(path: Path, work: Callable[[Connection], Erased]) -> Erased:
    if exists(path):
        return with_store(path, lambda store: store.erase(work))
    copy_of(path).unlink(missing_ok=True)
    remove_set_aside(path)
    return Erased((), 0, (), 0)


def _print_erased(erased: Erased) -> None:
    if not erased.persons:
        click.echo("Nothing was remembered; nothing was erased.")
        return
    turns, told = erased.exchanges, len(erased.facts)
    click.echo(
        f"Erased of {', '.join(map(person_label, erased.persons))}: {turns} {'turn' if turns == 1 else 'turns'}, "
        f"{told} {'fact' if told == 1 else 'facts'}, {erased.summaries} "
        f"{'summary' if erased.summaries == 1 else 'summaries'}."
    )
    for text in erased.facts:
        click.echo(f"  {one_line(text)}")
