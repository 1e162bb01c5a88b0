"""The words that stage directions are understood by, as `lexicon_*.toml` has them. Pure but for one lazy file read.

Four languages, one file each; the head of `lexicon_en.toml` explains the form. English and Indonesian are read word by
word (`Words`), Chinese and Japanese by the longest known string (`Strings`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class Feeling(NamedTuple):
    """A cue without its place."""

    emotion: str | None
    """One of `companion.events.EMOTIONS`."""

    gesture: str | None
    """One of `companion.events.GESTURES`."""

    intensity: float
    """0 to 1."""


class Meaning(NamedTuple):
    """What a word says."""

    feeling: Feeling | None
    """None for what must not be taken for another word: `tears the letter open` is no crying."""

    rank: int = 1
    """Of two emotions in one direction the higher rank counts: `smiles sadly` is sad."""


class Found(NamedTuple):
    """A word that says something, and where it stands."""

    at: int
    feeling: Feeling
    rank: int


@dataclass(frozen=True, slots=True)
class Words:
    """English and Indonesian."""

    words: dict[str, Meaning]
    phrases: dict[str, tuple[tuple[tuple[str, ...], Meaning], ...]]
    """By their first word, the longest first."""
    denials: frozenset[str]


@dataclass(frozen=True, slots=True)
class Strings:
    """Chinese and Japanese."""

    strings: dict[str, Meaning]
    by_first: dict[str, tuple[str, ...]]
    """By their first character, the longest first."""

    def matches(self, text: str) -> Iterator[tuple[int, str]]:
        """Place and text of every known string, the longest at each place, none inside another."""
        at = 0
        while at < len(text):
            longest = next((one for one in self.by_first.get(text[at], ()) if text.startswith(one, at)), "")
            if longest:
                yield at, longest
            at += len(longest) or 1


@dataclass(frozen=True, slots=True)
class Lexicon:
    words: Words
    strings: Strings
    stronger: dict[str, float]
    """Degree word -> what it multiplies the intensity by."""
    degree: re.Pattern[str]


_SILENT = Meaning(None)


@cache
def lexicon() -> Lexicon:
    """Read the lexicon: the first direction pays some milliseconds for it."""
    spaced = [_table("en"), _table("id")]
    unspaced = [_table("zh"), _table("ja")]
    stronger = {word: row["factor"] for table in spaced + unspaced for row in table["degree"] for word in row["words"]}
    return Lexicon(_words(spaced), _strings(unspaced), stronger, _longest_first(stronger))


def _table(language: str) -> dict[str, Any]:
    return tomllib.loads(
        files("companion.voice.stage").joinpath(f"lexicon_{language}.toml").read_text(encoding="utf-8")
    )


def _terms(tables: list[dict[str, Any]]) -> Iterable[tuple[str, Meaning]]:
    """What is silent first: it stands before a meaning of the same words."""
    for table in tables:
        yield from ((term, _SILENT) for term in table["silent"]["words"].split())
    for table in tables:
        for row in table["meaning"]:
            feeling = Feeling(row.get("emotion"), row.get("gesture"), row["intensity"])
            yield from ((term, Meaning(feeling, row.get("rank", 1))) for term in row["words"].split())


def _words(tables: list[dict[str, Any]]) -> Words:
    words: dict[str, Meaning] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], Meaning]]] = {}
    for term, meaning in _terms(tables):
        first, *rest = term.split("_")
        if rest:
            phrases.setdefault(first, []).append(((first, *rest), meaning))
        else:
            words.setdefault(first, meaning)
    denials = frozenset(word for table in tables for word in table["denial"]["words"].split())
    ordered = {first: tuple(sorted(some, key=lambda one: -len(one[0]))) for first, some in phrases.items()}
    return Words(words, ordered, denials)


def _strings(tables: list[dict[str, Any]]) -> Strings:
    strings: dict[str, Meaning] = {}
    for term, meaning in _terms(tables):
        strings.setdefault(term, meaning)
    by_first: dict[str, list[str]] = {}
    for term in sorted(strings, key=len, reverse=True):
        by_first.setdefault(term[0], []).append(term)
    return Strings(strings, {first: tuple(some) for first, some in by_first.items()})


def _longest_first(strings: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted(strings, key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(one)}\b" if one.isascii() else re.escape(one) for one in ordered))
