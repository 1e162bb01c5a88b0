"""What a person says to the device itself rather than to the character: "stop", "goodbye", "say that another way".

Pure. A phrase counts when it is the whole utterance, apart from the character's name and small words around it: "okay
goodbye Momo" is a command, "say goodbye to the cat" is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

Command = Literal["stop", "goodbye", "again", "guest"]
COMMANDS: tuple[Command, ...] = ("goodbye", "stop", "guest", "again")
"""In the order in which they are looked for: of two that an utterance could be, the first."""

Phrases = Mapping[Command, Sequence[str]]

_WORD = re.compile(r"[\w']+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def spoken_command(
    text: str, phrases: Iterable[Phrases], names: Collection[str], small_words: Collection[str]
) -> Command | None:
    """The command that `text` is, if it is one.

    `phrases` are those of each language. `names` (the characters') and `small_words` may stand around them.
    """
    said = _words(text)
    around = {word for name in names for word in _words(name)} | set(small_words)
    for of_language in phrases:
        for command in COMMANDS:
            if _is_one_of(said, of_language.get(command, ()), around):
                return command
    return None


def _is_one_of(said: list[str], phrases: Iterable[str], around: Collection[str]) -> bool:
    for phrase in phrases:
        wanted = _words(phrase)
        for start in range(len(said) - len(wanted) + 1):
            rest = said[:start] + said[start + len(wanted) :]
            if said[start : start + len(wanted)] == wanted and all(word in around for word in rest):
                return True
    return False


def _words(text: str) -> list[str]:
    """Words without case and punctuation; scripts that write no spaces give one word for each character."""
    return _WORD.findall(_UNSPACED.sub(r" \g<0> ", text.casefold().replace("’", "'")))
