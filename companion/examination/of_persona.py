"""The persona file by itself: its commands and its own lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from companion.config.persona import Persona
from companion.examination.findings import Remark
from companion.languages.understood import words_of

_BRACKETS = re.compile(r"\([^)]*\)|（[^）]*）|\[[^\]]*\]|【[^】]*】|［[^］]*］|\*[^*\s][^*]*\*")
"""What the stage takes for a direction wherever it stands."""


_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}|\{\w*\}|<(?:user|char|name|bot)>", re.IGNORECASE)
"""What other programs fill in, such as `{{user}}`."""


def persona_remarks(persona: Persona) -> Iterator[Remark]:
    """What is wrong with the persona, whatever unit it is on."""
    yield from _phrases_given_twice(persona)
    yield from _directions_in_lines(persona)
    yield from _lines_as_they_stand(persona)
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


def _lines_as_they_stand(persona: Persona) -> Iterator[Remark]:
    """Lines are spoken word for word: nothing fills a placeholder in, and a line without a letter is silence."""
    spoken: list[tuple[tuple[str, ...], str]] = [
        (("lines", kind), line) for kind, lines in persona.lines for line in lines
    ]
    if persona.opening:
        spoken.append((("opening",), persona.opening))
    for key, line in spoken:
        if found := _PLACEHOLDER.search(line):
            yield Remark("warning", key, f"{found[0]} is said as it stands; write words in its place")
        if not any(one.isalnum() for one in line):
            yield Remark("warning", key, "has a line without a word, so nothing is said; write what is to be said")
    for key, text in ((("profile", name), text) for name, text in persona.profile):
        if found := _PLACEHOLDER.search(text):
            yield Remark("warning", key, f"{found[0]} reaches the model as it stands; write words in its place")


def _directions_in_lines(persona: Persona) -> Iterator[Remark]:
    for kind, lines in persona.lines:
        for line in lines:
            if found := _BRACKETS.search(line):
                yield Remark("warning", ("lines", kind), _not_spoken(found[0]))
    if persona.cues.channel != "directions" and (found := _BRACKETS.search(persona.opening)):
        yield Remark("warning", ("opening",), f'{_not_spoken(found[0])}, or set cues.channel = "directions"')


def _not_spoken(direction: str) -> str:
    return f"{direction} is a stage direction and is not spoken; take it out"
