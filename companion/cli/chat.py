"""`companion chat`: talk with the character in the terminal, to tune a persona.

The same character, memory and budget as on the device, without ears, voice and body. It shows what the device would
say, what it would leave out, and the cues. Lines that begin with `/` are commands of the chat; "goodbye" and "say that
another way" work as on the device. Everything runs on one event loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from pathlib import Path

import click

from companion.cli.chat_screen import AnswerParts, AnswerSoFar, Part, Screen, TurnReport
from companion.cli.options import run_to_end, unit_options
from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import CharacterError, CompanionError, DeviceError, NothingToSay
from companion.languages.understood import understood
from companion.mind.character import ServiceCharacter
from companion.minds import mind
from companion.own_lines import OwnLines

HELP = """\
/again          the last answer in other words, with another seed
/n 3            ask for so many answers and say the best; /n 1 streams again
/as NAME        NAME speaks from here on
/guest          nothing is kept from here on
/context TEXT   tell the model this with every request; without TEXT no more
/on             the character speaks on by itself
/memory         what is remembered of who speaks
/cost           what was spent
/help           this
/quit           end"""


class Chat:
    """One conversation at the keyboard."""

    def __init__(self, character: ServiceCharacter, persona: Persona, screen: Screen) -> None:
        self._character = character
        self._persona = persona
        self._screen = screen
        self._own_lines = OwnLines(persona.lines)

    async def talk(self, lines: AsyncIterator[str]) -> None:
        """Answer line by line, until the lines end or one of them ends the chat."""
        if opening := self._character.opening():
            self._screen.opening(self._persona.name, opening)
        self._screen.prompt(self._character.working_memory.person)
        async for line in lines:
            if line.strip() and not await self.answer(line.strip()):
                return
            self._screen.prompt(self._character.working_memory.person)

    async def answer(self, line: str) -> bool:
        """Handle one line of the person; False ends the chat."""
        if line.startswith("/"):
            return await self._command(line)
        match self._persona.spoken_command(line):
            case "stop":
                return False
            case "goodbye":
                self._say_own_line(line, "goodbye")
                return False
            case "guest":
                self._character.start_guest_session()
                self._say_own_line(line, "guest")
            case "again" if (deltas := self._character.rephrase()) is not None:
                await self._turn(line, deltas)
            case _:
                await self._turn(line, None)
        return True

    async def _command(self, line: str) -> bool:
        name, _, rest = line.partition(" ")
        rest = rest.strip()
        character, screen = self._character, self._screen
        match name:
            case "/quit":
                return False
            case "/help":
                screen.note(HELP)
            case "/again" if (deltas := character.rephrase()) is not None:
                await self._turn(line, deltas)
            case "/again":
                screen.note("Nothing was answered yet.")
            case "/n" if rest in ("1", "2", "3", "4"):
                character.replies.candidates = int(rest)
            case "/n":
                screen.note("Write a number from 1 to 4: /n 3")
            case "/as" if rest:
                await character.switch_person(rest)
            case "/as":
                screen.note("Write a name: /as Ana")
            case "/guest":
                character.start_guest_session()
            case "/context":
                character.extra_context = rest
            case "/on":
                report = await self._show_answer(line, self._persona.name, character.continue_speaking())
                if report.heard:
                    character.remember("", report.heard)
                screen.turn(report)
            case "/memory":
                await self._memory()
            case "/cost":
                spent = character.spending
                screen.table(
                    "/cost",
                    {
                        "currency": spent.currency,
                        "today": spent.today_micro / 1_000_000,
                        "month": spent.month_micro / 1_000_000,
                    },
                )
            case _:
                screen.note(f"There is no {name}; /help lists what there is.")
        return True

    async def _memory(self) -> None:
        in_mind = self._character.working_memory
        await in_mind.refresh()
        self._screen.table(
            "/memory",
            {
                "person": "guest" if in_mind.is_guest else in_mind.person,
                "persons": list(in_mind.known),
                "summary": in_mind.summary,
                "messages": in_mind.history.message_count,
                "facts": list(await self._character.facts()),
            },
        )

    async def _turn(self, said: str, answer: AsyncGenerator[str] | None) -> None:
        """One utterance and the answers of everybody who answers it."""
        # On the device a person says `/again` in words.
        words = next(iter(self._again_words()), said) if said == "/again" else said
        remembered = words
        for speaker in self._character.speakers(words):
            report = await self._show_answer(said, speaker, answer or self._character.reply(said, speaker))
            if remembered or report.heard:
                self._character.remember(remembered, report.heard, speaker)
            self._screen.turn(report)
            remembered = ""
            if answer is not None or report.error is not None:
                break

    def _again_words(self) -> Iterable[str]:
        words = self._persona.words.get(self._persona.language)
        return words.again if words is not None else ()

    async def _show_answer(self, said: str, speaker: str, deltas: AsyncGenerator[str]) -> TurnReport:
        """Show one answer as it is streamed."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        spoken = AnswerSoFar(said, speaker)
        parts_of = AnswerParts(speaker, understood(self._persona.language))
        error: CharacterError | None = None
        self._screen.begin_answer(speaker)
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    spoken.first_at = spoken.first_at or loop.time() - began
                    self._show(spoken, parts_of.feed(delta))
        except CharacterError as failure:
            error = failure
        self._show(spoken, parts_of.close())
        if error is None and not any(ch.isalnum() for ch in spoken.heard):
            error = NothingToSay()
        line = self._own_lines.next(error.line) if error else ""
        return spoken.report(self._character.last_report if spoken.first_at else None, loop.time() - began, error, line)

    def _show(self, spoken: AnswerSoFar, parts: Iterable[Part]) -> None:
        for part in parts:
            self._screen.part(part)
            spoken.add(part)

    def _say_own_line(self, said: str, name: str) -> None:
        """Say one of the persona's own lines."""
        line = self._own_lines.next(name)
        self._screen.begin_answer(self._persona.name)
        self._screen.part(line)
        spoken = AnswerSoFar(said, self._persona.name)
        spoken.add(line)
        self._screen.turn(spoken.report(None, 0.0, None, ""))


async def chat(device: Device, persona: Persona, screen: Screen, script: Path | None) -> None:
    """Talk with the device's character until the script or the input ends."""
    rest = iter(script_lines(script) if script is not None else ())
    lines = read_lines(0) if script is None else _replay(rest, screen)
    async with mind(device, persona, trusts=True) as character, aclosing(lines):
        await Chat(character, persona, screen).talk(lines)
    if skipped := sum(bool(line.strip()) for line in rest):
        click.echo(f"The chat had ended before the last {skipped} of the script's lines: they were not said.", err=True)


def script_lines(path: Path) -> list[str]:
    """The lines of a script, without comments (`#`). Raises `CompanionError` where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DeviceError(f"{path}: the script cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise CompanionError(f"{path}: the script is not UTF-8 text; save it as UTF-8.") from error
    return [line for line in text.splitlines() if not line.startswith("#")]


async def _replay(lines: Iterator[str], screen: Screen) -> AsyncGenerator[str]:
    for line in lines:
        if line.strip():
            screen.replayed(line.strip())
        yield line


async def read_lines(descriptor: int) -> AsyncGenerator[str]:
    """Yield the lines of a terminal, a pipe or a file as they arrive, without blocking the event loop."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        with os.fdopen(os.dup(descriptor), encoding="utf-8", errors="replace") as file:
            for line in file:
                yield line
        return
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[bytes] = asyncio.Queue()
    loop.add_reader(descriptor, lambda: came.put_nowait(os.read(descriptor, 65_536)))
    try:
        waiting = b""
        while data := await came.get():
            *whole, waiting = (waiting + data).split(b"\n")
            for ended in whole:
                yield ended.decode("utf-8", "replace")
        if waiting:
            yield waiting.decode("utf-8", "replace")
    finally:
        loop.remove_reader(descriptor)


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
    from companion.cli.chat_screen import JsonLines, Terminal
    from companion.config.unit import load_unit

    given = [f"memory.person={json.dumps(person)}"] if person is not None else []
    given += [f"character.seed={seed}"] if seed is not None else []
    device, persona = load_unit(device_file, (*settings, *given))
    screen: Screen = JsonLines(sys.stdout) if as_json else Terminal(sys.stdout)
    run_to_end(chat(device, persona, screen, script))
