"""The persona file by itself: its commands and its own lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from companion.config.persona import Persona
from companion.examination.findings import Remark
from companion.languages.understood import words_of

_BRACKETS = re.compile(r"\([^)]*\)|（[^）]*）|\[[^\]]*\]|【[^】]*】|［[^］]*］|\*[^*\s][^*]*\*")
"""What the stage takes for a direction wherever it stands."""


def persona_remarks(persona: Persona) -> Iterator[Remark]:
    """What is wrong with the persona, whatever unit it is on."""
    yield from _phrases_given_twice(persona)
    yield from _directions_in_lines(persona)
    names = [persona.name, *(one.name for one in persona.cast)]
    for at, name in enumerate(names):
        if name in names[:at]:
            text = f"two characters are called {name}; give one of them another name"
            yield Remark("warning", ("cast", at - 1, "name"), text)


def _phrases_given_twice(persona: Persona) -> Iterator[Remark]:
    """The first of the commands would always win, and the other never be heard."""
    for code in dict.fromkeys((*persona.words, persona.language)):
        commands: dict[tuple[str, ...], str] = {}
        for command, phrases in persona.phrases(code).items():
            for phrase in phrases:
                said = tuple(words_of(phrase))
                if not said:
                    text = f'"{phrase}" has no word that can be heard; write what people say'
                    yield Remark("warning", ("words", code, command), text)
                elif (other := commands.setdefault(said, command)) != command:
                    text = f'"{phrase}" means {other} already; take it out of one of the two'
                    yield Remark("warning", ("words", code, command), text)


def _directions_in_lines(persona: Persona) -> Iterator[Remark]:
    for kind, lines in persona.lines:
        for line in lines:
            if found := _BRACKETS.search(line):
                yield Remark("warning", ("lines", kind), _not_spoken(found[0]))
    if persona.cues.channel != "directions" and (found := _BRACKETS.search(persona.opening)):
        yield Remark("warning", ("opening",), f'{_not_spoken(found[0])}, or set cues.channel = "directions"')


def _not_spoken(direction: str) -> str:
    return f"{direction} is a stage direction and is not spoken; take it out"
