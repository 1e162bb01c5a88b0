"""What a person tells about themselves, as facts: name, birthday, likes, pets, family, town, promises. Pure.

By the patterns of the language that the text is in (`facts.toml`), on text as speech to text gives it: small letters,
no marks. Never invents: what stands in a question, behind "if", "I wish", "she said", in a dream or a game gives
nothing, nor does a sentence with anything private in it (`utterance.is_private` lists what that is). Where a rule is in
doubt there is no fact; the sentence itself can still be found by its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from companion.languages.language import Language
from companion.languages.memory import FACT_KINDS, FactKind
from companion.languages.understood import Understood
from companion.mind.memory.fact_values import (
    MOST_WORDS,
    any_subject,
    canonical_subject,
    clause_in,
    date_in,
    name_in,
    place_in,
    thing_in,
    things_in,
)
from companion.mind.memory.index_words import index_words, is_character
from companion.mind.memory.utterance import is_private, plain

LONGEST = 600
"""Characters of one utterance that are read; patterns over more than that are a waste of time."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known about a person."""

    kind: FactKind
    subject: str
    """What of that kind: the thing liked, `dog`, `colour`; empty where a person has only one, such as a name."""
    value: str
    """The name of the dog, the colour, the words of the promise; may be empty (they have a dog, and that is all)."""
    text: str
    """The sentence that tells it to the model, in the language in which it was said."""
    language: str
    """The code of that language."""


@dataclass(frozen=True, slots=True)
class FactsFound:
    """What one utterance tells."""

    facts: tuple[Fact, ...]
    """In the order of the patterns; of each slot the last only."""
    rest: str
    """The words outside of all facts: what can only be remembered as it was said."""


def find_facts(said: str, at: datetime, languages: Understood) -> FactsFound:
    """The facts in one utterance, said at `at`, and the rest of it. Nothing is taken from private words."""
    text = plain(said)[:LONGEST]
    if not text or is_private(text, languages):
        return FactsFound((), text)
    language = languages.of(text)
    rules = _rules(language)
    found: dict[str, Fact] = {}
    rests = []
    for sentence in _sentences(text, rules):
        rest = list(sentence)
        for kind, pattern in rules.patterns:
            for match in pattern.finditer(sentence):
                before, after = sentence[: match.start()].lower(), sentence[match.start() :].lower()
                if rules.blocked_before.search(before) or rules.blocked_after.search(after):
                    continue
                for fact in _facts_of(kind, match, language, at):
                    start, end = _span(match, fact)
                    if not _says_more(sentence[start:end], fact, languages):
                        rest[start:end] = "\n" * (end - start)
                    slot = slot_of(fact.kind, fact.subject, languages, language)
                    # "I have a dog" after its name in the same breath adds nothing.
                    if slot not in found or fact.value or not found[slot].value:
                        found[slot] = fact
        rests.append("".join(rest))
    return FactsFound(tuple(found.values()), " ".join(" ".join(rests).split()) if found else text)


def prepare_facts(languages: Understood) -> None:
    """Compile the patterns ahead of time: on a slow board it takes tenths of a second."""
    for language in languages:
        _rules(language)


def make_fact(kind: FactKind, subject: str, value: str, language: Language, at: datetime) -> Fact:
    """The fact with the sentence that tells it."""
    sentence: str = getattr(language.prompts.facts, "has_named" if kind == "has" and value else kind)
    return Fact(
        kind, subject, value, sentence.format(subject=subject, value=value, day=language.date(at)), language.code
    )


def slot_of(kind: str, subject: str, languages: Understood, language: Language) -> str:
    """A later fact with the same slot takes an earlier one's place: "I hate peas" takes that of "I like peas"."""
    words = index_words(subject, languages, language)
    return f"{'likes' if kind == 'dislikes' else kind}:{' '.join(words) or subject.casefold()}"


def reminders_of(kind: str, subject: str, languages: Understood, language: Language) -> tuple[str, ...]:
    """Index words that call a fact to mind, one being enough, when the person speaks of themselves."""
    if kind not in ("has", "favourite", "likes", "dislikes"):
        return ()
    found = index_words(subject, languages, language)
    if kind == "has":
        any_word = " ".join(any_subject(subject, language))
        found = (*found, *index_words(any_word, languages, language))
    # One character of a longer word says nothing by itself.
    return tuple(word for word in found if not is_character(word) or word == subject)


@dataclass(frozen=True, slots=True)
class _Rules:
    """A language's patterns, compiled."""

    patterns: tuple[tuple[FactKind, re.Pattern[str]], ...]
    blocked_before: re.Pattern[str]
    blocked_after: re.Pattern[str]
    ignored: re.Pattern[str]
    short_forms: tuple[tuple[re.Pattern[str], str], ...]
    dotted_ordinals: bool


@cache
def _rules(language: Language) -> _Rules:
    facts = language.facts
    never = r"(?!)"
    return _Rules(
        tuple(
            (kind, re.compile(pattern, re.IGNORECASE))
            for kind in FACT_KINDS
            for pattern in facts.patterns.get(kind, ())
        ),
        re.compile(facts.blocked_before or never),
        re.compile(facts.blocked_after or never),
        re.compile(facts.ignored or never, re.IGNORECASE),
        tuple((re.compile(one.short, re.IGNORECASE), one.full) for one in facts.short_forms),
        language.speech.dotted_ordinals,
    )


_QUOTED = re.compile(r"[\"“„«»「『][^\"“”„«»「」『』]*[\"”“«»」』]")
_ORDINAL_DOT = re.compile(r"(?<=\b\d)\.(?=\s*[^\W\d_])|(?<=\b\d\d)\.(?=\s*[^\W\d_])")
_SENTENCE = re.compile(r"[^.!?。！？…\n]+[.!?。！？…]*")


def _sentences(text: str, rules: _Rules) -> Iterator[str]:
    """The sentences that tell something: no questions, nothing between quotation marks, short forms written out."""
    text = _QUOTED.sub(",", text)
    if rules.dotted_ordinals:
        text = _ORDINAL_DOT.sub("", text)
    for sentence in _SENTENCE.findall(text):
        if sentence.rstrip().endswith("?"):
            continue
        for short, full in rules.short_forms:
            sentence = short.sub(full, sentence)
        sentence = rules.ignored.sub(",", sentence.rstrip(".!。！… ")).strip(" ,，")
        if sentence:
            yield sentence


def _facts_of(kind: FactKind, match: re.Match[str], language: Language, at: datetime) -> Iterator[Fact]:
    """The facts of one match, or none where its value is none."""
    groups = match.groupdict()
    value, subject = (groups.get("value") or "").strip(" ,，、"), (groups.get("subject") or "").strip()
    if kind in ("name", "has"):
        named = name_in(value, language)
        if named is None and (kind == "name" or value):
            return
        value = named or ""
    if kind == "has":
        if not language.facts.not_real.isdisjoint((groups.get("adjective") or "").lower().split()):
            return
        subject = canonical_subject(subject, language)
        one = make_fact(kind, subject, value, language, at)
        is_another = bool(groups.get("another") and value)
        yield Fact(kind, f"{subject} {value}", value, one.text, one.language) if is_another else one
        return
    if kind in ("likes", "dislikes"):
        for thing, under in things_in(value, language):
            yield make_fact(kind, under, thing, language, at)
        return
    if kind == "birthday":
        value = date_in(value, language, at)
    elif kind == "lives":
        value = place_in(value, language)
    elif kind in ("favourite", "job"):
        value = thing_in(value, language, MOST_WORDS)
    elif kind in ("promise", "remember"):
        value = subject = clause_in(value, language)
    if value:
        yield make_fact(kind, subject, value, language, at)


def _says_more(part: str, fact: Fact, languages: Understood) -> bool:
    """Whether the words from which a fact was taken hold more than it: "two sisters", "most of all the big one"."""
    if fact.kind not in ("likes", "dislikes", "has"):
        return False
    language = languages.named(fact.language) or languages.own
    fact_words = {
        *index_words(fact.text, languages, language),
        *reminders_of(fact.kind, fact.subject, languages, language),
    }
    return not set(index_words(part, languages, language)) <= fact_words


def _span(match: re.Match[str], fact: Fact) -> tuple[int, int]:
    """Where the fact stands in its sentence. The pattern of a name takes in what follows it."""
    place = -1
    if fact.kind in ("name", "has") and fact.value:
        place = match.group("value").lower().find(fact.value.lower())
    return match.start(), match.end() if place < 0 else match.start("value") + place + len(fact.value)
