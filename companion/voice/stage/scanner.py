"""Tokens, and looking ahead in a text that is still arriving. Pure.

A rule that needs a character that has not arrived yet raises `Incomplete`, and the stage waits for more text. So a rule
that returns has only seen text that is there, and its result cannot depend on how the text was cut into deltas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

LONGEST_RUN = 100
"""Code points. A run of the same marks, or of emoji, that is longer counts as several: one that arrives bit by bit is
looked through again with every bit."""


class Incomplete(Exception):
    """Not an error, but "wait": more text, or the end of the answer, must come before the question can be decided."""


@dataclass(frozen=True, slots=True)
class Token:
    """Something that a rule has recognised in the text."""

    end: int
    """Position just after it."""

    kind: Literal["text", "mark", "gap", "direction", "tag", "emoji", "face", "again"]
    """`mark`: dropped without a trace. `gap`: dropped, but the words around it must not run together.
    `again`: `value` replaces it and is read again."""

    value: str = ""
    """The spoken text, the words of a direction or tag, or the emoji or emoticon."""

    strength: int = 1
    """How many times in a row the same emoji stood there."""


@dataclass(frozen=True, slots=True)
class Lookahead:
    """The text from a little before the current place up to what has arrived."""

    text: str
    final: bool
    """Whether the answer ends here."""

    def at(self, index: int) -> str:
        """The character at `index`; empty before the beginning and after the end of the answer."""
        if 0 <= index < len(self.text):
            return self.text[index]
        if index < 0 or self.final:
            return ""
        raise Incomplete

    def starts_with(self, word: str, index: int) -> bool:
        """Whether `word` stands at `index`."""
        if self.text.startswith(word, index):
            return True
        if not self.final and len(self.text) - index < len(word) and word.startswith(self.text[index:]):
            raise Incomplete
        return False

    def longest_of(self, words: Iterable[str], index: int) -> str:
        """The longest of `words` that stands at `index`; empty if none does."""
        return max((word for word in words if self.starts_with(word, index)), key=len, default="")

    def skip(self, characters: str, index: int) -> int:
        """The first position from `index` on where none of `characters` stands, or that of a run's longest end."""
        run = self.text[index : index + LONGEST_RUN]
        index += len(run) - len(run.lstrip(characters))
        self.at(index)
        return index

    def at_line_end(self, index: int) -> bool:
        """Whether only blanks stand between `index` and the end of the line."""
        return self.at(self.skip(" \t\r", index)) in ("", "\n")


CJK_RANGES = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
"""Chinese and Japanese characters and punctuation, for a character class. Korean is not among them: it uses blanks."""
_CJK = re.compile(f"[{CJK_RANGES}]")


def is_cjk(ch: str) -> bool:
    """Whether it belongs to Chinese or Japanese writing, which uses no blanks; punctuation included."""
    return ch >= "\u2e80" and _CJK.match(ch) is not None


def takes_particles(ch: str) -> bool:
    """Whether words that end with it run on into particles: Chinese, Japanese, Korean (`너는 최고야`)."""
    return is_cjk(ch) or "\uac00" <= ch <= "\ud7a3"


def is_word_char(ch: str) -> bool:
    """Whether it is a letter or digit of writing that uses blanks between words."""
    return ch.isalnum() and not is_cjk(ch)


def is_small_letter(ch: str) -> bool:
    """Whether it is a small letter, or a letter of writing without capitals."""
    return ch.isalpha() and not ch.isupper()
