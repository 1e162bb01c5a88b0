"""What of a match can be kept: a name, a thing that is liked, a place, a promise, a date. Pure.

The lists are those of the language (`facts.toml`, `names.toml`); what differs between writing with blanks and without
them is here. A value that says nothing by itself ("it", "your voice", "a big house") is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

from companion.languages.language import Language
from companion.mind.memory.index_words import UNSPACED

MOST_WORDS_LIKED = 6
MOST_WORDS = 4
"""Of a place, a job, a favourite."""
_LONGEST_NAME = 60
_LONGEST_THING = 60
_LONGEST_CLAUSE = 160

_NAME_WORD = re.compile(r"[^\W\d_][\w'-]*")
_THREE_CHARACTERS = re.compile(f"[{UNSPACED}]{{3,}}")


def name_in(value: str, language: Language) -> str | None:
    """A name at the start of `value`; None where there is none. Small letters get a capital one."""
    rules = language.facts
    if rules.not_name and re.search(rules.not_name, value):
        return None
    if not language.is_spaced:
        return value or None
    found: list[str] = _NAME_WORD.findall(value)
    if not found or found[0].lower() in rules.not_names:
        return None
    ends = [place for place, one in enumerate(found) if place and one.lower() in rules.not_names | rules.name_ends]
    found = found[: ends[0]] if ends else found
    several = 1
    if found[0].lower() in language.names.titles or len(found) == 2:
        several = min(2, len(found))
    elif value != value.lower():
        while several < min(len(found), 4) and found[several][:1].isupper() and found[several] != "I":
            several += 1
    name = " ".join(one if one != one.lower() else one[:1].upper() + one[1:] for one in found[:several])
    return name[:_LONGEST_NAME]


def thing_in(value: str, language: Language, most: int) -> str:
    """Something that can be liked, a place or a job, of at most `most` words; empty where it says nothing by itself."""
    rules = language.facts
    value = _articles(language).sub("", value.strip(" ,，、"))
    if not language.is_spaced:
        value = value.strip(rules.particle) if rules.particle else value
        return "" if _begins(rules.not_things, language).match(value) else value
    too_long = len(value.split()) > most
    return "" if too_long or _begins(rules.not_things, language).match(value) else value[:_LONGEST_THING]


def things_in(value: str, language: Language) -> Iterable[tuple[str, str]]:
    """Each thing of a list of things that are liked, and the word under which it is remembered."""
    rules = language.facts
    for one in re.split(rules.separators, value) if rules.separators else [value]:
        if thing := thing_in(one, language, MOST_WORDS_LIKED):
            yield thing, re.sub(rules.activity, "", thing) if rules.activity else thing


def place_in(value: str, language: Language) -> str:
    """A town or country; empty where it is only a house, or an address."""
    value = thing_in(value, language, MOST_WORDS)
    not_places = language.facts.not_places
    if language.is_spaced:
        is_none = _begins(not_places, language).match(value) is not None
    else:
        is_none = any(word in value for word in not_places)
    return "" if is_none or re.search(r"\d", value) else value


def clause_in(value: str, language: Language) -> str:
    """The words of a promise or of something to remember; empty where there is too little to keep."""
    value = value.strip(" ,，、:：")
    small = value.lower()
    if len(small.split()) < 2 and not _THREE_CHARACTERS.search(small):
        return ""
    return "" if _begins(language.facts.not_clauses, language).match(small) else value[:_LONGEST_CLAUSE]


def date_in(value: str, language: Language, at: datetime) -> str:
    """Today and tomorrow as the day that they are; other dates as they were said."""
    days = language.facts.days_ahead.get(value.lower())
    return value if days is None else language.date(at + timedelta(days=days))


def canonical_subject(said: str, language: Language) -> str:
    """One word for one animal or relative: "puppies" is `dog`."""
    small = said.lower()
    return _canonical(language).get(small, small)


def any_subject(subject: str, language: Language) -> tuple[str, ...]:
    """Words by which somebody speaks of any pet, or any relative, whichever the subject is."""
    rules = language.facts
    is_pet = any(subject == pet or subject.startswith(f"{pet} ") for pet in rules.pets)
    return rules.any_pet if is_pet else rules.any_relative


@cache
def _canonical(language: Language) -> dict[str, str]:
    tables = (language.facts.pets, language.facts.family)
    return {one.lower(): word for table in tables for word, others in table.items() for one in (word, *others)}


@cache
def _begins(words: Iterable[str], language: Language) -> re.Pattern[str]:
    """Matches a text that begins with one of the words; whole words, where blanks stand between them."""
    if not words:
        return re.compile(r"(?!)")
    whole = r"\b" if language.is_spaced else ""
    return re.compile(f"(?:{'|'.join(map(re.escape, words))}){whole}", re.IGNORECASE)


@cache
def _articles(language: Language) -> re.Pattern[str]:
    articles = [re.escape(one) + ("" if one.endswith("'") else " ") for one in language.facts.articles]
    return re.compile(rf"^(?:{'|'.join(articles)})(?=\w)" if articles else r"(?!)", re.IGNORECASE)
