"""What kind of thing somebody said: whether it asks, is about them or about the character, is private. Pure.

Speech to text gives small letters without marks (and blanks between Chinese words), so all of this goes by words alone
(`utterances.toml`). A question is judged by the language that it is in, everything else by all that are understood.
When in doubt it is a question: what is asked is no fact and is not quoted later.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from companion.languages.language import Language
from companion.languages.understood import Understood, any_of
from companion.mind.memory.index_words import UNSPACED

_BLANK_BETWEEN_CHARACTERS = re.compile(f"(?<=[{UNSPACED}])\\s+(?=[{UNSPACED}\\d])|(?<=\\d)\\s+(?=[{UNSPACED}])")
_LONG_NUMBER_OR_ADDRESS = re.compile(r"\d[\d\s-]{4,}\d|@")
_NEVER = r"(?!)"


def plain(said: str) -> str:
    """What was said in one spelling: NFKC, straight apostrophes, single blanks, none between Chinese characters."""
    text = unicodedata.normalize("NFKC", said).replace("’", "'").replace("`", "'")
    return _BLANK_BETWEEN_CHARACTERS.sub("", re.sub(r"\s+", " ", text)).strip()


def is_question(said: str, languages: Understood) -> bool:
    """Whether it asks for something rather than telling it."""
    text = plain(said).lower()
    return text.endswith("?") or _question(languages.of(text)).search(text.rstrip(".!。！ ")) is not None


def is_about_self(said: str, languages: Understood) -> bool:
    """Whether the one who speaks stands in it: "I", "my"."""
    return _found("about_self", said, languages)


def is_about_character(said: str, languages: Understood) -> bool:
    """Whether it asks about the one who is spoken to: "your name", "do you like"; not "do you remember"."""
    return _found("about_character", said, languages)


def asks_why(said: str, languages: Understood) -> bool:
    """Whether it asks for a reason, which nobody has told before."""
    return _found("why", said, languages)


def is_private(said: str, languages: Understood) -> bool:
    """Whether it holds what a toy should not collect.

    Street addresses, the school's name, telephone numbers and mail addresses, passwords, PINs and bank accounts,
    illness, medicine and doctors. Such words stay in the talk and its summary, but no fact is made of them and they are
    never quoted later.
    """
    return _LONG_NUMBER_OR_ADDRESS.search(plain(said)) is not None or _found("private", said, languages)


def without_asking_words(said: str, languages: Understood) -> str:
    """What was said, with gaps in place of the words of unspaced writing that ask.

    They say nothing of what is asked, and the characters beside them belong to other words.
    """
    return _pattern("asking_words", languages).sub(" ", said)


def answers(asked: str, said: str, languages: Understood) -> bool:
    """Whether what was said has the shape of an answer: a time for "when", a number for "how many"."""
    question, answer = plain(asked).lower(), plain(said).lower()
    return any(asks.search(question) and holds.search(answer) for asks, holds in _answers(languages))


def _found(kind: str, said: str, languages: Understood) -> bool:
    return _pattern(kind, languages).search(plain(said).lower()) is not None


@cache
def _pattern(kind: str, languages: Understood) -> re.Pattern[str]:
    return any_of(languages, lambda language: getattr(language.utterances, kind))


@cache
def _question(language: Language) -> re.Pattern[str]:
    return re.compile(language.utterances.question or _NEVER)


@cache
def _answers(languages: Understood) -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    """For each kind of question what asks it, in any language, and what an answer in any language holds."""
    kinds = dict.fromkeys(kind for language in languages for kind in language.utterances.answers)
    found = []
    for kind in kinds:
        shapes = [shape for language in languages if (shape := language.utterances.answers.get(kind))]
        asks = re.compile("|".join(f"(?:{shape.asks})" for shape in shapes))
        holds = [f"(?:{shape.holds})" for shape in shapes]
        found.append((asks, re.compile("|".join([*holds, r"\d"] if kind == "how_many" else holds))))
    return tuple(found)
