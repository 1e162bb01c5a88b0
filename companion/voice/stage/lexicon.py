"""What the words of stage directions mean, in all languages that a device understands. Pure but for lazy file reads.

The words come from `directions.toml` of each language; the head of the English file explains the format. Languages that
are read as words share one `WordLexicon`, those that are read as strings share one `StringLexicon`. If two languages
give a word different meanings, the persona's own language wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from companion.languages.language import Language
from companion.languages.stage import Directions, Forms, Strings
from companion.languages.understood import Understood, any_of, compiled, merged

DENIED = "\0"
"""Replaces a phrase that denies, such as `far from`, in the text."""


class Feeling(NamedTuple):
    """A cue without its position."""

    emotion: str | None
    """One of `companion.events.EMOTIONS`."""

    gesture: str | None
    """One of `companion.events.GESTURES`."""

    intensity: float
    """0 to 1."""


class Meaning(NamedTuple):
    """What a word means."""

    feeling: Feeling | None
    """None for silent words: `tears the letter open` is not crying."""

    rank: int = 1
    """When a direction contains two emotions, the higher rank wins: `smiles sadly` is sad."""


class Found(NamedTuple):
    """A meaning that was found, and its position."""

    at: int
    feeling: Feeling
    rank: int


Phrase = tuple[str, ...]


class Entry(NamedTuple):
    """Everything that is known about one word."""

    forms: tuple[str, ...]
    """The word, its possible plain forms, the likeliest first, and then its beginnings (`giggl-`)."""
    meaning: Meaning | None
    phrases: tuple[tuple[Phrase, Meaning], ...]
    """Phrases that may begin with it."""
    roles: frozenset[str]
    """Names of the lists of `directions.toml` that contain it: `others`, `coordinate` ..."""


@dataclass(frozen=True, slots=True)
class WordLexicon:
    """The languages that are read as words."""

    look_up: Callable[[str], Entry]
    elisions: tuple[str, ...]
    denied_by: tuple[str, ...]
    """Words that deny the word directly before them."""
    scene: re.Pattern[str]
    passed_over: re.Pattern[str]
    denying: re.Pattern[str]
    not_denying: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class StringLexicon:
    """The languages that are read as strings."""

    strings: Mapping[str, Meaning]
    by_first: Mapping[str, tuple[str, ...]]
    """Strings by their first character, the longest first."""
    begin_words: frozenset[str]
    """Strings that count only at the beginning of a word."""
    denied_before: re.Pattern[str]
    denied_behind: re.Pattern[str]
    not_denying: re.Pattern[str]
    others: re.Pattern[str]
    not_others: re.Pattern[str]
    theirs_before: re.Pattern[str]
    theirs_behind: re.Pattern[str]

    def matches(self, text: str) -> Iterator[tuple[int, str]]:
        """Position and text of every known string: the longest at each position, none inside another."""
        at = 0
        while at < len(text):
            longest = next((one for one in self.by_first.get(text[at], ()) if self._stands_at(one, text, at)), "")
            if longest:
                yield at, longest
            at += len(longest) or 1

    def _stands_at(self, string: str, text: str, at: int) -> bool:
        if not text.startswith(string, at):
            return False
        return string not in self.begin_words or at == 0 or not text[at - 1].isalnum()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Both of them, and the degree words."""

    words: WordLexicon
    strings: StringLexicon
    factors: Mapping[str, float]
    """The factor of each degree word."""
    degree: re.Pattern[str]


_SILENT = Meaning(None)


@cache
def lexicon(languages: Understood) -> Lexicon:
    """The lexicon of these languages. The first call reads the files, which takes some tens of milliseconds."""
    words = [one for one in languages if one.directions.read == "words"]
    strings = [one for one in languages if one.directions.read == "strings"]
    factors: dict[str, float] = {}
    patterns: list[tuple[int, str]] = []
    for one in languages:
        for degree in one.directions.degree:
            for word in degree.words:
                factors.setdefault(word.removesuffix("-"), degree.factor)
                pattern = re.escape(word.removesuffix("-"))
                if one.directions.read == "words":
                    pattern = rf"\b{pattern}" if word.endswith("-") else rf"\b{pattern}\b"
                patterns.append((len(word), pattern))
    longest_first = [pattern for _, pattern in sorted(patterns, key=lambda one: -one[0])]
    return Lexicon(_words(words), _strings(strings), factors, re.compile("|".join(longest_first) or "(?!)"))


def _words_in_order(languages: Iterable[Language]) -> Iterator[tuple[str, Meaning]]:
    """All words with their meanings. Silent words come first, because they win."""
    tables: list[Directions] = [one.directions for one in languages]
    for table in tables:
        yield from ((term, _SILENT) for term in table.silent)
    for table in tables:
        for row in table.meaning:
            meaning = Meaning(Feeling(row.emotion, row.gesture, row.intensity), row.rank)
            yield from ((term, meaning) for term in row.words)


def _words(languages: list[Language]) -> WordLexicon:
    words: dict[str, Meaning] = {}
    phrases: dict[str, list[tuple[Phrase, Meaning]]] = {}
    for term, meaning in _words_in_order(languages):
        first, *rest = term.split("_")
        if rest:
            phrases.setdefault(first, []).append(((first, *rest), meaning))
        else:
            words.setdefault(first, meaning)
    tables = [one.directions for one in languages] or [Directions()]
    forms, denial = merged([one.forms for one in tables]), merged([one.denial for one in tables])
    in_order = {first: tuple(sorted(some, key=lambda one: -len(one[0]))) for first, some in phrases.items()}
    return WordLexicon(
        _look_up(words, in_order, forms, _roles(tables)),
        forms.elisions,
        denial.behind,
        any_of(languages, lambda one: one.directions.scene and rf"\s*(?:{one.directions.scene})\b", re.IGNORECASE),
        any_of(languages, lambda one: one.directions.passed_over, re.IGNORECASE),
        compiled(denial.phrases, re.IGNORECASE),
        compiled(denial.exceptions, re.IGNORECASE),
    )


def _roles(tables: list[Directions]) -> Callable[[str, tuple[str, ...]], frozenset[str]]:
    """A function that returns the roles of a word, given the word and its forms."""
    lists: dict[str, frozenset[str]] = {"denies": frozenset((DENIED,))}
    for number, table in enumerate(tables):
        # Silent words of the first language hide those of the others.
        hidden = frozenset(tables[0].silent if number else ())
        given = {"denies": table.denial.words, "denies_behind": table.denial.behind_within}
        for name, value in (*table.clauses, *table.people, *given.items()):
            if isinstance(value, frozenset):
                lists[name] = lists.get(name, frozenset()) | (value - hidden)
    forms, people = merged([one.forms for one in tables]), merged([one.people for one in tables])
    denials = merged([one.denial for one in tables]).endings
    endings = {"adverb": forms.adverbs, "verb": forms.verbs, "yours_end": people.yours_ends, "denies": denials}
    whole = {"theirs": compiled(people.theirs), "before_theirs": compiled(people.before_theirs)}

    def roles(word: str, forms: tuple[str, ...]) -> frozenset[str]:
        found = {name for name, ends in endings.items() if word.endswith(ends)}
        found |= {name for name, pattern in whole.items() if pattern.fullmatch(word)}
        for name, words in lists.items():
            # These list verbs in their plain form. In the other lists the exact form matters.
            fitting = forms if name in ("causes", "returns") else (word, *(one for one in forms if one.endswith("-")))
            if not words.isdisjoint(fitting):
                found.add(name)
        return frozenset(found)

    return roles


def _look_up(
    words: Mapping[str, Meaning],
    phrases: Mapping[str, tuple[tuple[Phrase, Meaning], ...]],
    forms: Forms,
    roles: Callable[[str, tuple[str, ...]], frozenset[str]],
) -> Callable[[str], Entry]:
    @lru_cache(maxsize=2048)
    def look_up(word: str) -> Entry:
        found = _forms_of(word, forms)
        meaning = next((words[form] for form in found if form in words), None)
        begun = tuple(phrase for form in found for phrase in phrases.get(form, ()))
        return Entry(found, meaning, begun, roles(word, found))

    return look_up


def _forms_of(word: str, forms: Forms) -> tuple[str, ...]:
    found = [word]
    beginnings = [f"{word[:end]}-" for end in range(len(word), 0, -1)]
    for ending in forms.dropped:
        word = word.removesuffix(ending)
    for ending, replacements in forms.endings.items():
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            stem = word[: len(word) - len(ending)]
            found += [stem + one for one in replacements]
            if ending in forms.doubled and len(stem) > 2 and stem[-1] == stem[-2]:
                found.append(stem[:-1])
    return tuple(dict.fromkeys(found + beginnings))


def _strings(languages: list[Language]) -> StringLexicon:
    strings: dict[str, Meaning] = {}
    for term, meaning in _words_in_order(languages):
        strings.setdefault(term.replace("_", " "), meaning)
    by_first: dict[str, list[str]] = {}
    for term in sorted(strings, key=len, reverse=True):
        by_first.setdefault(term[0], []).append(term)
    begin_words = [term for term, _ in _words_in_order(one for one in languages if one.directions.strings.begin_words)]
    around = merged([one.directions.strings for one in languages] or [Strings()])
    nothing = "(?!)"
    return StringLexicon(
        strings,
        {first: tuple(some) for first, some in by_first.items()},
        frozenset(term.replace("_", " ") for term in begin_words),
        re.compile(f"(?:{around.denied_before or nothing})(?:{around.between or nothing})?$"),
        compiled(around.denied_behind),
        compiled(around.exceptions),
        compiled(around.others),
        compiled(around.not_others),
        re.compile(f"(?:{around.theirs_before or nothing})$"),
        compiled(around.theirs_behind),
    )
