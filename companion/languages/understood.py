"""The languages that one device understands: its persona's, and those that are understood beside it.

What a person or a model says may be in any of them, so most questions ("is this a question?", "is this private?") are
asked of all at once. The same holds for what a person says to the device itself rather than to the character ("stop",
"goodbye", "say that another way"): `spoken_command`. Such a phrase counts when it is the whole utterance, apart from
the character's name and small words around it: "okay goodbye Momo" is a command, "say goodbye to the cat" is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, Literal

from companion.languages.language import Language, language
from companion.languages.loader import AnyPart, LanguageError, Part
from companion.languages.stage import Speech

_TELLING = 6
"""A sentence of so many words has some of the commonest of its language."""

DEFAULT = "en"
"""The language of a text of which nothing is known, as in `companion parse`."""


class Understood:
    """Some languages taken together, the persona's own first. `understood(code)` gives it."""

    def __init__(self, languages: tuple[Language, ...]) -> None:
        self.languages = languages
        self.own = languages[0]
        self.spaced = tuple(one for one in languages if one.is_spaced)
        self.unspaced = tuple(one for one in languages if not one.is_spaced)

    def __iter__(self) -> Iterator[Language]:
        return iter(self.languages)

    @cached_property
    def speech(self) -> Speech:
        """The `speech.toml` of all of them."""
        return merged([one.speech for one in self.languages])

    def named(self, code: str) -> Language | None:
        """The language of that code, if it is one of these."""
        return next((one for one in self.languages if one.code == code), None)

    def of(self, text: str) -> Language:
        """The language that a text most likely is in; the persona's own where nothing tells."""
        for one in self.languages:
            if one.general.script and re.search(one.general.script, text):
                return one
        for one in self.languages:
            if one.general.shared_script and re.search(one.general.shared_script, text):
                return one
        small = text.lower()
        found = [(len(re.findall(words, small)), one) for one in self.spaced if (words := one.general.common_words)]
        most = max((count for count, _ in found), default=0)
        likely = [one for count, one in found if count == most]
        if most and len(likely) == 1:
            return likely[0]
        # Without a blank between words it would have been told by its script.
        return next(iter(self.spaced), self.own)

    def surely(self, text: str) -> tuple[Language, ...]:
        """The languages that a text may be in: one of those in each kind of writing where its words tell surely, else
        all of them."""
        by_script = [one for one in self.languages if one.general.script and re.search(one.general.script, text)]
        shared = [one for of in self._shared_scripts for one in re.findall(of, text)]
        # Whoever has a script of their own beside the shared one uses it in all but the shortest sentences.
        by_script = by_script or [
            one
            for one in self.languages
            if shared and not one.is_spaced and (one.general.shared_script or len(shared) < _TELLING)
        ]
        small = text.lower()
        if by_script and not re.search("[a-z]", small):
            return tuple(by_script)
        counts = {one: len(re.findall(words, small)) for one in self.spaced if (words := one.general.common_words)}
        first, second = (*sorted(counts.values(), reverse=True), 0, 0)[:2]
        if first < 2 or first < 3 * second:
            if len(small.split()) < _TELLING:
                return self.languages
            # So many words, and none of the commonest of a language: it is not that one.
            return tuple(one for one in self.languages if one in (self.own, *by_script) or counts.get(one))
        return (*by_script, next(one for one, count in counts.items() if count == first))

    @cached_property
    def _shared_scripts(self) -> tuple[str, ...]:
        return tuple(one.general.shared_script for one in self.languages if one.general.shared_script)


def merged(parts: Sequence[AnyPart]) -> AnyPart:
    """The same part of several languages as one: all words, and patterns that match where one of theirs does."""
    values = {name: _merged([getattr(part, name) for part in parts]) for name in type(parts[0]).model_fields}
    return type(parts[0]).model_construct(**values)


def _merged(values: Sequence[Any]) -> Any:
    match values[0]:
        case bool():
            return any(values)
        case Part():
            return merged(values)
        case frozenset():
            return frozenset().union(*values)
        case tuple():
            return tuple(dict.fromkeys(one for value in values for one in value))
        case Mapping():
            return {key: _merged([value.get(key, ()) for value in values]) for value in values for key in value}
        case _:
            return "|".join(f"(?:{value})" for value in values if value) or None


def any_of(languages: Iterable[Language], regex: Callable[[Language], str | None], flags: int = 0) -> re.Pattern[str]:
    """One pattern that matches where that of any of the languages does; of none, where none has one."""
    parts = [f"(?:{part})" for one in languages if (part := regex(one))]
    return compiled("|".join(parts), flags)


def compiled(regex: str | None, flags: int = 0) -> re.Pattern[str]:
    """The pattern, or one that matches nothing where there is none."""
    return re.compile(regex or "(?!)", flags)


@cache
def understood(code: str = DEFAULT) -> Understood:
    """What a device whose persona speaks `code` understands. Raises `LanguageError` for a code that there is not."""
    own = language(code)
    others = [language(other) for other in own.general.understands if other != code]
    if unknown := [other for other in own.general.understands if other == code]:
        raise LanguageError(f"languages/{code}/language.toml: understands: {unknown[0]} is the language itself")
    return Understood((own, *others))


Command = Literal["stop", "goodbye", "again", "guest", "learn_voice"]
COMMANDS: tuple[Command, ...] = ("goodbye", "stop", "guest", "again", "learn_voice")
"""In the order in which they are looked for: of two that an utterance could be, the first."""

Phrases = Mapping[Command, Sequence[str]]

_WORD = re.compile(r"[\w']+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_BLANK_WITHIN = re.compile(rf"(?<={_UNSPACED.pattern})\s+(?={_UNSPACED.pattern})")


def spoken_command(
    text: str, phrases: Iterable[Phrases], names: Collection[str], small_words: Collection[str]
) -> Command | None:
    """The command that `text` is, if it is one.

    `phrases` are those of each language. `names` (the characters') and `small_words` may stand around them.
    """
    said = words_of(text)
    around = {word for name in names for word in words_of(name)} | set(small_words)
    for of_language in phrases:
        for command in COMMANDS:
            if _is_one_of(said, of_language.get(command, ()), around):
                return command
    return None


def _is_one_of(said: list[str], phrases: Iterable[str], around: Collection[str]) -> bool:
    for phrase in phrases:
        wanted = words_of(phrase)
        for start in range(len(said) - len(wanted) + 1):
            rest = said[:start] + said[start + len(wanted) :]
            if said[start : start + len(wanted)] == wanted and all(word in around for word in rest):
                return True
    return False


def words_of(text: str) -> list[str]:
    """Words without case and punctuation; scripts that write no spaces give one word for each character."""
    return _WORD.findall(_UNSPACED.sub(r" \g<0> ", text.casefold().replace("’", "'")))


def closed_up(text: str) -> str:
    """The text without the blanks that speech to text puts between words of scripts that write none."""
    return _BLANK_WITHIN.sub("", text)


def joined(before: str, after: str) -> str:
    """Two pieces of one utterance; without a blank where one of them is written without blanks at the seam."""
    seam = before[-1:] + after[:1]
    return f"{before}{after}" if _UNSPACED.search(seam) else f"{before} {after}".strip()
