"""Recognises people who introduce themselves: "my name is ana", "hi, i'm tom". Pure.

Speech to text gives small letters without punctuation, so only the words can tell a name from the rest. A wrong switch
gives one person's memories to another, while a missed one is put right by saying it again: in doubt, nobody switches.
So a form counts only at the beginning of an utterance, after greetings at most; questions and negations do not count. A
new name must not be in the lists of words that are no names (`names.toml`). Where the form could say anything ("i'm
...") nothing else may be said, and without a greeting only a common first name counts, because no list holds everything
that people can be. A language has forms as words (writing with blanks), as patterns, or both (`introductions.toml`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from companion.languages.language import Language, language
from companion.languages.memory import Names
from companion.languages.understood import understood
from companion.mind.memory.index_words import UNSPACED

_LONGEST = 200
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_AROUND_CHARACTERS = re.compile(f"(?<=[{UNSPACED}])\\s+|\\s+(?=[{UNSPACED}])")
_CLOSING = "。！! "
_NOTHING = r"(?!)"


def introduced_name(
    text: str, languages: Iterable[Language], known: Sequence[str] = (), character: Sequence[str] = ()
) -> str | None:
    """The name by which the speaker of `text` introduces themselves in one of the languages, or None.

    `known` are names heard before, which are returned as they are written there; `character` are the names of those
    who are spoken to, which may stand before the form and are never the speaker's.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if text.endswith(("?", "？")) or len(text) > _LONGEST:
        return None
    others = {name.casefold() for name in character}
    for one in languages:
        name = _by_words(text, one, known, character) or _by_patterns(text, one, known, character)
        if name and name.casefold() not in others:
            return name
    return None


def prepare(languages: Iterable[Language], known: Sequence[str] = (), character: Sequence[str] = ()) -> None:
    """Make the patterns now that `introduced_name` needs for these: it takes tens of milliseconds on a slow board."""
    for one in languages:
        _patterns(one, tuple(known), tuple(character))


@dataclass(frozen=True, slots=True)
class _WordForms:
    """A language's forms as tuples of words, the longest first."""

    greetings: frozenset[str]
    says: tuple[tuple[str, ...], ...]
    says_only: frozenset[tuple[str, ...]]
    may_say: tuple[tuple[str, ...], ...]
    presents: frozenset[tuple[str, ...]]


@cache
def _word_forms(language: Language) -> _WordForms:
    forms = language.introductions
    says_only = [tuple(_folded(form)) for form in forms.says_only]
    says = [*(tuple(_folded(form)) for form in forms.says), *says_only]
    may_say = [tuple(_folded(form)) for form in forms.may_say]
    return _WordForms(
        frozenset(forms.greetings),
        tuple(sorted(says, key=len, reverse=True)),
        frozenset(says_only),
        tuple(sorted(may_say, key=len, reverse=True)),
        frozenset(tuple(_folded(form)) for form in forms.presents),
    )


def _by_words(text: str, language: Language, known: Sequence[str], character: Sequence[str]) -> str | None:
    forms, rules = _word_forms(language), language.introductions
    original = [word.replace("’", "'") for word in _WORD.findall(text)]
    words = [word.lower() for word in original]
    skipped = forms.greetings | {word for name in character for word in _folded(name)}
    at = 0
    while at < len(words) and words[at] in skipped and not _form(words, at, forms.says):
        at += 1
    sure = _form(words, at, forms.says)
    form = sure or _form(words, at, forms.may_say)
    start = at + len(form)
    if not form or start >= len(words):
        return None
    for name in sorted(known, key=len, reverse=True):
        folded = _folded(name)
        after = start + len(folded)
        follows = words[after : after + 1]
        if folded and words[start:after] == folded and rules.never_follows.isdisjoint(follows):
            return name
    rest = words[start:]
    while len(rest) > 1 and rest[-1] in rules.may_follow:
        rest.pop()
    if not _may_be_name(rest[0], language, sure=bool(sure)) or not rules.never_follows.isdisjoint(words[start + 1 :]):
        return None
    if not sure:
        presents = form in forms.presents
        # "this is ana" may introduce somebody else; "this is ana speaking" does not.
        somebody_else = presents and len(rest) == len(words) - start
        greeted = rules.greeting_is_enough and at > 0
        likely = presents or greeted or rest[0] in _first_names(language)
        return None if somebody_else or len(rest) > 1 or not likely else _titled(original[start : start + 1])
    if form in forms.says_only and len(rest) > 2:
        return None
    whole = len(rest) == 2 and _may_be_name(rest[1], language, sure=False)
    return _titled(original[start : start + (2 if whole else 1)])


def _form(words: Sequence[str], at: int, forms: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The longest form that stands there; empty where none does."""
    return next((form for form in forms if tuple(words[at : at + len(form)]) == form), ())


def _may_be_name(word: str, language: Language, *, sure: bool) -> bool:
    """Whether a word is a new name; `sure` is behind a form that says a name and nothing else."""
    if not 2 <= len(word) <= 20 or not word.replace("-", "").replace("'", "").isalpha():
        return False
    names = language.names
    if word in names.never or "'" in word[-2:]:
        return False
    if sure or word in _first_names(language):
        return True
    return word not in names.seldom and not _looks_wrong(names, word)


def _looks_wrong(names: Names, word: str) -> bool:
    return names.never_looks is not None and re.fullmatch(names.never_looks, word) is not None


@cache
def _first_names(of: Language) -> frozenset[str]:
    names = of.names
    borrowed = (name for code in names.first_names_of for name in language(code).names.first_names)
    return names.first_names | {name for name in borrowed if name not in names.never and not _looks_wrong(names, name)}


def _titled(words: Iterable[str]) -> str:
    """Names as they are written: speech-to-text knows no capitals."""
    return " ".join(word.title() if word.islower() else word for word in words)


def _folded(name: str) -> list[str]:
    return [word.replace("’", "'").lower() for word in _WORD.findall(unicodedata.normalize("NFC", name))]


@dataclass(frozen=True, slots=True)
class _Patterns:
    """A language's patterns for one device: the character's name may stand before them."""

    known: tuple[re.Pattern[str], ...]
    says: tuple[re.Pattern[str], ...]
    may_say: tuple[re.Pattern[str], ...]
    asks: re.Pattern[str]


@lru_cache(maxsize=16)
def _patterns(language: Language, known: tuple[str, ...], character: tuple[str, ...]) -> _Patterns:
    forms = language.introductions
    before = "|".join(re.escape(one) for one in sorted({*forms.greetings, *character}, key=len, reverse=True))
    greetings = f"(?:{before or _NOTHING}|[，、。！,! ])*"
    any_known = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True)) or _NOTHING

    def compiled(form: str, name: str) -> re.Pattern[str]:
        return re.compile(greetings + form.replace("{name}", f"(?P<name>{name})"), re.IGNORECASE)

    new = forms.name or _NOTHING
    return _Patterns(
        tuple(
            compiled(form, any_known) for form in (*forms.says_patterns, *forms.may_say_patterns, *forms.known_patterns)
        ),
        tuple(compiled(form, new) for form in forms.says_patterns),
        tuple(compiled(form, new) for form in forms.may_say_patterns),
        re.compile(forms.asks or _NOTHING),
    )


def _by_patterns(text: str, language: Language, known: Sequence[str], character: Sequence[str]) -> str | None:
    patterns = _patterns(language, tuple(known), tuple(character))
    text = (text if language.is_spaced else _AROUND_CHARACTERS.sub("", text)).rstrip(_CLOSING)
    if not (patterns.says or patterns.may_say) or patterns.asks.search(text):
        return None
    for pattern in patterns.known:
        if found := pattern.match(text):
            return next((name for name in known if name.casefold() == found["name"].casefold()), None)
    for pattern in patterns.says:
        if (found := pattern.match(text)) and not _is_never_a_name(found["name"], language):
            return _as_written(found["name"], language)
    for pattern in patterns.may_say:
        if (found := pattern.match(text)) and not _is_never_a_name(found["name"], language):
            name, names = found["name"], language.names
            likely = (names.likely, names.likely_after_greeting if found.start("name") > 0 else None)
            if name.lower() in _first_names(language) or any(one and re.fullmatch(one, name) for one in likely):
                return _as_written(name, language)
    return None


def _is_never_a_name(name: str, language: Language) -> bool:
    names = language.names
    if name.isascii() and not language.is_spaced:
        # A word in Latin letters belongs to another language.
        return any(name.lower() in one.names.never for one in understood(language.code).spaced[:1])
    return name.lower() in names.never or name.startswith(names.never_begins) or _looks_wrong(names, name)


def _as_written(name: str, language: Language) -> str:
    return _titled([name]) if language.is_spaced else name
