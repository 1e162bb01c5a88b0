"""What a person says to the device itself rather than to the character: "stop", "goodbye", "say that another way".

Pure. The phrases come from the persona, per language. A phrase counts when it is the whole utterance, apart from the
character's name and small words around it: "okay goodbye Momo" is a command, "say goodbye to the cat" is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from companion.config.persona import Persona, Words

Command = Literal["stop", "goodbye", "again", "guest"]
COMMANDS: tuple[Command, ...] = ("goodbye", "stop", "guest", "again")
"""In the order in which they are looked for: of two that an utterance could be, the first."""

_SMALL = frozenset(
    {"please", "now", "then", "okay", "ok", "oh", "well", "and", "so", "hey", "just", "ah", "um", "thanks", "thank"}
    | {"you", "my", "friend", "dear", "tolong", "ya", "dong", "sudah", "oke", "can", "could"}
    | set("请吧啊了呀哦嗯好的ねよはいもう")
)
"""Words that may stand around a command. Scripts without spaces are taken apart into single characters."""
_WORD = re.compile(r"[\w']+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def spoken_command(text: str, persona: Persona) -> Command | None:
    """The command that `text` is, if it is one."""
    said = _words(text)
    names = {word for name in (persona.name, *(member.name for member in persona.cast)) for word in _words(name)}
    for words in persona.words.values():
        for command in COMMANDS:
            if _is_one_of(said, _phrases(words, command), names):
                return command
    return None


def _phrases(words: Words, command: Command) -> tuple[str, ...]:
    return {"stop": words.stop, "goodbye": words.goodbye, "again": words.again, "guest": words.guest}[command]


def _is_one_of(said: list[str], phrases: Iterable[str], names: set[str]) -> bool:
    for phrase in phrases:
        wanted = _words(phrase)
        for start in range(len(said) - len(wanted) + 1):
            rest = said[:start] + said[start + len(wanted) :]
            if said[start : start + len(wanted)] == wanted and all(word in _SMALL or word in names for word in rest):
                return True
    return False


def _words(text: str) -> list[str]:
    """Words without case and punctuation; scripts that write no spaces give one word for each character."""
    return _WORD.findall(_UNSPACED.sub(r" \g<0> ", text.casefold()))
