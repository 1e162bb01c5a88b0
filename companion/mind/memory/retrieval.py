"""Which memories matter for what a person says now. Pure.

Two kinds are weighed. A fact is told when its kind is asked for ("how old am I"), when its subject is named by somebody
who speaks of themselves ("my dog is hungry"), or when its own words are said ("rex", "pizza"). A sentence that the
person once said is quoted when enough of the weight of what is said now lies in words that both have in common. A word
weighs more the fewer sentences hold it, and words for the same thing count as shared (`related_words`). Questions about
oneself need less in common than questions about the world; among several quotes, one that looks like an answer comes
first: a time for "when". Somebody who asks about the character is told nothing about themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from companion.languages.language import Language
from companion.languages.memory import FACT_KINDS
from companion.languages.understood import Understood, any_of
from companion.mind.memory.index_words import index_words, is_character, is_pair, related_words
from companion.mind.memory.utterance import (
    answers,
    asks_why,
    is_about_character,
    is_about_self,
    is_private,
    is_question,
    plain,
    without_asking_words,
)
from companion.mind.summary import count_tokens

LONGEST_QUOTE = 160
"""Characters of one quoted sentence; half of that in unspaced writing."""
MOST_TOKENS = 200
"""Of everything that is told for one sentence."""

_ASKS_OF_SELF = 0.42
_TELLS = 0.6
_ASKS_OF_WORLD = 0.75
"""Share of the weight of what is said that a quote must have in common with it."""
_ALL_OF_IT = 0.8
"""From this share on, a question about oneself is answered with it even where no shared word is rare."""
_RELATED = 0.8
"""The weight of a word for the same thing, relative to the word itself."""
_ANSWERS = 0.5
"""Added to the score of what looks like an answer, for the order only."""
_RARE = 4
_RARE_SHARE = 0.01
"""A word is rare that stands in at most so many sentences, or in at most this share of them."""
_MOST_QUOTES = 3
_CHARACTER = 0.35
"""What a single Chinese character weighs beside a whole word, and two that never stood side by side before: mostly the
end of one word and the beginning of another."""


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact as the store keeps it."""

    id: int
    kind: str
    reminders: tuple[str, ...]
    """Index words, one of which is enough where the person speaks of themselves."""
    value: str
    text: str
    exchange: int | None
    """The exchange in which it was told."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Something that the person said earlier."""

    id: int
    said: str
    at: datetime
    words: frozenset[str]
    """By which it is found: of what is no fact in it."""


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody says now, as it is looked up."""

    text: str
    """In small letters."""
    language: Language
    languages: Understood
    words: tuple[str, ...]
    """Its own index words."""
    search_words: tuple[str, ...]
    """Those, and words for the same things."""
    asks: bool
    of_self: bool
    of_character: bool
    asks_why: bool


def prepare_queries(languages: Understood) -> None:
    """Compile what queries need ahead of time: on a slow board it takes tenths of a second."""
    for language in languages:
        make_query(language.general.sample, languages)
    for kind in FACT_KINDS:
        _asked_for(kind, languages)


def make_query(said: str, languages: Understood) -> Query:
    """Read what somebody says now."""
    text = plain(said)
    language = languages.of(text)
    own = index_words(without_asking_words(text, languages), languages, language)
    return Query(
        text.lower(),
        language,
        languages,
        own,
        tuple(dict.fromkeys([*own, *(other for word in own for other in related_words(word, language))])),
        is_question(said, languages),
        is_about_self(said, languages),
        is_about_character(said, languages),
        asks_why(said, languages),
    )


def quotable_words(said: str, rest: str, languages: Understood) -> tuple[str, ...]:
    """The words by which something may be quoted later: those of the `rest` that is no fact.

    None where it asks, is private, or has too few words to find it by.
    """
    found = index_words(rest, languages, languages.of(plain(said)))
    return found if len(found) >= 2 and not is_question(said, languages) and not is_private(said, languages) else ()


def choose(
    query: Query,
    known: Sequence[KnownFact],
    quotes: Sequence[Quote],
    frequency: Mapping[str, int],
    total: int,
    besides: Collection[int],
    most: int,
) -> tuple[str, ...]:
    """The sentences to tell the model, at most `most` and about `MOST_TOKENS`: facts first, then quotes, best first.

    `frequency`: in how many of the `total` sentences of the index each of the query's `search_words` stands.
    `besides`: ids of exchanges that the model sees anyway.
    """
    weights = {word: _weight(word, frequency.get(word, 0), total, query.language) for word in query.words}
    scored: list[tuple[float, int, str]] = []
    quoted: list[tuple[float, int, str]] = []
    for fact in known:
        score = _fact_score(fact, query, weights, frequency)
        # None is looked for in every number of a range, which never ends here.
        is_seen = fact.exchange is not None and fact.exchange in besides
        if score and not is_seen:
            scored.append((score, fact.id, fact.text))
    asks_of_self = query.asks and query.of_self and not query.of_character and not query.asks_why
    least = (_ASKS_OF_SELF if query.of_self else _ASKS_OF_WORLD) if query.asks else _TELLS
    for quote in () if query.asks and not query.of_self and query.of_character else quotes:
        if quote.id in besides:
            continue
        shared = {word: match for word in weights if (match := _matched(word, quote.words, query.language))}
        score = _share([word for word in shared if word == shared[word]], weights)
        score += _RELATED * _share([word for word in shared if word != shared[word]], weights)
        all_of_it = asks_of_self and score >= _ALL_OF_IT and is_about_self(quote.said, query.languages)
        if score >= least and (all_of_it or _tells_enough(list(shared.values()), frequency, total)):
            order = score + (_ANSWERS if query.asks and answers(query.text, quote.said, query.languages) else 0.0)
            quoted.append((order, quote.id, _quoted(quote, query.languages)))
    facts = [text for score, _, text in sorted(scored, reverse=True)]
    # Where everything that they like is asked for, there must be room left for what else they said.
    if quoted:
        facts = facts[: max(1, most - _MOST_QUOTES)]
    best = [*facts, *(text for _, _, text in sorted(quoted, reverse=True)[:_MOST_QUOTES])]
    return _bounded(best, most)


def _fact_score(fact: KnownFact, query: Query, weights: Mapping[str, float], frequency: Mapping[str, int]) -> float:
    """0 where it does not matter, else up to 3."""
    if _asked_for(fact.kind, query.languages).search(query.text):
        return 2.0
    # The value's words by the query's language: they are compared with its words.
    own = index_words(fact.value, query.languages, query.language)
    if own and fact.kind in ("promise", "remember"):
        shared = [word for word in own if word in weights]
        telling = len(shared) > 1 or any(frequency.get(word, 0) <= _RARE and not is_character(word) for word in shared)
        return share if telling and (share := _share(shared, weights)) >= _ASKS_OF_SELF else 0.0
    if query.of_self and any(word in weights for word in fact.reminders):
        return 3.0
    if fact.kind in ("likes", "dislikes"):
        own = fact.reminders
    whole = [word for word in own if not is_character(word)] or list(own)
    if whole and all(word in weights for word in whole) and fact.kind not in ("age", "grade", "birthday"):
        return 1.0
    return 0.0


@cache
def _asked_for(kind: str, languages: Understood) -> re.Pattern[str]:
    return any_of(
        languages, lambda language: {str(key): one for key, one in language.facts.asked_for.items()}.get(kind)
    )


def _weight(word: str, frequency: int, total: int, language: Language) -> float:
    """The inverse document frequency. A word that nobody ever said weighs no more than one said once."""
    weight = math.log1p(max(total, 1) / (max(frequency, 1) + 0.5))
    chance = is_character(word) or (not frequency and is_pair(word) and not related_words(word, language))
    return max(weight, 0.05) * (_CHARACTER if chance else 1.0)


def _matched(word: str, found_by: Collection[str], language: Language) -> str:
    """The word itself or one of the same thing, whichever the quote has; empty where it has neither."""
    if word in found_by:
        return word
    return next((other for other in related_words(word, language) if other in found_by), "")


def _share(shared: Sequence[str], weights: Mapping[str, float]) -> float:
    whole = sum(weights.values())
    return sum(weights[word] for word in shared) / whole if whole else 0.0


def _tells_enough(shared: Sequence[str], frequency: Mapping[str, int], total: int) -> bool:
    """At least one word in common that is rare here; a lone character never is enough."""
    rare = max(_RARE, total * _RARE_SHARE)
    return any(frequency.get(word, 0) <= rare for word in shared if not is_character(word)) or (
        sum(frequency.get(word, 0) <= rare for word in shared) >= 2
    )


def _quoted(quote: Quote, languages: Understood) -> str:
    language = languages.of(quote.said)
    longest = LONGEST_QUOTE if language.is_spaced else LONGEST_QUOTE // 2
    text = plain(quote.said)
    if len(text) > longest:
        text = text[:longest].rsplit(" ", 1)[0] + "…"
    return language.prompts.facts.said.format(value=text, day=language.date(quote.at))


def _bounded(texts: Sequence[str], most: int) -> tuple[str, ...]:
    chosen: list[str] = []
    left = MOST_TOKENS
    for text in texts:
        if len(chosen) >= most:
            break
        if text not in chosen and count_tokens(text) <= left:
            chosen.append(text)
            left -= count_tokens(text)
    return tuple(chosen)
