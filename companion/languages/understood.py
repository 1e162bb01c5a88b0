"""The languages that one device understands: its persona's, and those that are understood beside it.

What a person or a model says may be in any of them, so most questions ("is this a question?", "is this private?") are
asked of all at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from companion.languages.language import Language, language
from companion.languages.loader import AnyPart, LanguageError, Part
from companion.languages.stage import Speech

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
