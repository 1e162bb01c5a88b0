"""Reading a text that is still being written. Pure.

A rule that needs a character which has not arrived raises `Incomplete`: the stage then waits for more. A rule that
answers never looked past what is there, so its answer cannot depend on how the text was cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


class Incomplete(Exception):
    """Not an error but "wait": what is there does not decide the question; more text will, or the end of the answer."""


@dataclass(frozen=True, slots=True)
class Token:
    """One thing that a rule recognised."""

    end: int
    """Position just after it."""

    kind: Literal["text", "mark", "gap", "direction", "tag", "emoji", "face", "again"]
    """`mark`: dropped without a trace. `gap`: dropped, and what stood around it must not run together.
    `again`: `value` stands in its place and is read again."""

    value: str = ""
    """What is spoken, what a direction or tag says, or the name of a pictograph."""

    strength: int = 1
    """How many times in a row the same pictograph stood there."""


@dataclass(frozen=True, slots=True)
class Lookahead:
    """The text from a little before the place being read up to what has arrived."""

    text: str
    final: bool
    """Whether the answer ends here."""

    def at(self, index: int) -> str:
        """The character there; empty before the beginning and behind the end of the answer."""
        if 0 <= index < len(self.text):
            return self.text[index]
        if index < 0 or self.final:
            return ""
        raise Incomplete

    def starts(self, word: str, index: int) -> bool:
        """Whether `word` stands there."""
        if self.text.startswith(word, index):
            return True
        if not self.final and len(self.text) - index < len(word) and word.startswith(self.text[index:]):
            raise Incomplete
        return False

    def longest(self, words: Iterable[str], index: int) -> str:
        """The longest of `words` that stands there, or nothing."""
        return max((word for word in words if self.starts(word, index)), key=len, default="")

    def skip(self, characters: str, index: int) -> int:
        """The first position from `index` on that holds none of `characters`."""
        while (ch := self.at(index)) and ch in characters:
            index += 1
        return index

    def line_end(self, index: int) -> bool:
        """Whether only blanks stand between there and the end of the line."""
        return self.at(self.skip(" \t\r", index)) in ("", "\n")


CJK_RANGES = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
"""For a character class: Chinese and Japanese writing with its punctuation. Korean sets blanks and is not in it."""
_CJK = re.compile(f"[{CJK_RANGES}]")


def is_cjk(ch: str) -> bool:
    """Whether it belongs to Chinese or Japanese writing, its punctuation included, which sets no spaces."""
    return ch >= "\u2e80" and _CJK.match(ch) is not None


def is_word(ch: str) -> bool:
    """Whether it is a letter or digit of a writing that sets spaces between words."""
    return ch.isalnum() and not is_cjk(ch)


def is_small(ch: str) -> bool:
    """Whether it is a small letter, or a letter of a writing that has no capitals."""
    return ch.isalpha() and not ch.isupper()
