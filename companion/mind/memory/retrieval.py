"""Which of all that a person told matters for what they say now. Pure.

Two kinds of memory are weighed. A fact is told when its kind is asked for ("how old am I"), when its subject is named
by somebody who speaks of themselves ("my dog is hungry"), or when its own words are said ("rex", "pizza"). A sentence
that the person once said is quoted when enough of the weight of what is said now lies in words that both have in
common; a word weighs the more the fewer sentences hold it, and words of one thing meet each other (`kindred`). Those
who ask about themselves are reminded more readily than those who ask about the world, and of what has the shape of an
answer first: a time for "when". Who asks about the character is told nothing of themselves.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from companion.mind.memory.fact_sentences import ASKED, TEMPLATES, day
from companion.mind.memory.index_words import is_character, is_pair, kindred, words
from companion.mind.memory.utterance import (
    answers,
    asks_why,
    is_about_character,
    is_about_self,
    is_private,
    is_question,
    language_of,
    plain,
    without_asking,
)
from companion.mind.summary import tokens

LONGEST_QUOTE = 160
"""Characters of one quoted sentence; half of that in Chinese and Japanese."""
MOST_TOKENS = 200
"""Of everything that is told for one sentence."""

_ASKS_OF_SELF = 0.42
_TELLS = 0.6
_ASKS_OF_WORLD = 0.75
"""Share of the weight of what is said that a quote must have in common with it."""
_ALL_OF_IT = 0.8
"""From this share on, those who ask about themselves are told it though it is nothing rare."""
_KINDRED = 0.8
"""What a word of the same thing weighs beside the very word."""
_ANSWERS = 0.5
"""Added to the share of what has the shape of an answer, for the order only."""
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
    about: tuple[str, ...]
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


def quotable(said: str, rest: str) -> tuple[str, ...]:
    """The words by which something may be quoted later: those of the `rest` that is no fact.

    None where it asks, is private, or has too few words to find it by.
    """
    found = words(rest)
    return found if len(found) >= 2 and not is_question(said) and not is_private(said) else ()


def searched(said: str) -> tuple[str, ...]:
    """The words by which quotes for this are looked for: its own, and those of the same things."""
    own = words(without_asking(plain(said)))
    return tuple(dict.fromkeys([*own, *(other for word in own for other in kindred(word))]))


def chosen(
    said: str,
    known: Sequence[KnownFact],
    quotes: Sequence[Quote],
    frequency: Mapping[str, int],
    total: int,
    besides: Collection[int],
    most: int,
) -> tuple[str, ...]:
    """The sentences to tell the model, at most `most` and about `MOST_TOKENS`: facts first, then quotes, best first.

    `frequency`: in how many of the `total` sentences of the index each word of `searched(said)` stands. `besides`: ids
    of exchanges that the model sees anyway.
    """
    asked, small = words(without_asking(plain(said))), plain(said).casefold()
    of_self = is_about_self(said)
    weights = {word: _weight(word, frequency.get(word, 0), total) for word in asked}
    ranked: list[tuple[float, int, str]] = []
    quoted: list[tuple[float, int, str]] = []
    for fact in known:
        score = _fact_score(fact, small, weights, frequency)
        if score and fact.exchange not in besides:
            ranked.append((score, fact.id, fact.text))
    asks = is_question(said)
    asks_of_self = asks and of_self and not is_about_character(said) and not asks_why(said)
    least = (_ASKS_OF_SELF if of_self else _ASKS_OF_WORLD) if asks else _TELLS
    for quote in () if asks and not of_self and is_about_character(said) else quotes:
        if quote.id in besides:
            continue
        shared = {word: met for word in weights if (met := _met(word, quote.words))}
        score = _share([word for word in shared if word == shared[word]], weights)
        score += _KINDRED * _share([word for word in shared if word != shared[word]], weights)
        all_of_it = asks_of_self and score >= _ALL_OF_IT and is_about_self(quote.said)
        if score >= least and (all_of_it or _tells_enough(list(shared.values()), frequency, total)):
            order = score + (_ANSWERS if asks and answers(said, quote.said) else 0.0)
            quoted.append((order, quote.id, _quoted(quote)))
    facts = [text for score, _, text in sorted(ranked, reverse=True)]
    # Where all that they like is asked for, there must be room left for what they said besides.
    if quoted:
        facts = facts[: max(1, most - _MOST_QUOTES)]
    best = [*facts, *(text for _, _, text in sorted(quoted, reverse=True)[:_MOST_QUOTES])]
    return _bounded(best, most)


def _fact_score(fact: KnownFact, said: str, weights: Mapping[str, float], frequency: Mapping[str, int]) -> float:
    """0 where it does not matter, else up to 3. `said` in small letters."""
    of_self = is_about_self(said)
    if (asked_for := ASKED.get(fact.kind)) and asked_for.search(said):
        return 2.0
    own = words(fact.value)
    if own and fact.kind in ("promise", "remember"):
        shared = [word for word in own if word in weights]
        telling = len(shared) > 1 or any(frequency.get(word, 0) <= _RARE and not is_character(word) for word in shared)
        return share if telling and (share := _share(shared, weights)) >= _ASKS_OF_SELF else 0.0
    if of_self and any(word in weights for word in fact.about):
        return 3.0
    if fact.kind in ("likes", "dislikes"):
        own = fact.about
    whole = [word for word in own if not is_character(word)] or list(own)
    if whole and all(word in weights for word in whole) and fact.kind not in ("age", "grade", "birthday"):
        return 1.0
    return 0.0


def _weight(word: str, frequency: int, total: int) -> float:
    """The inverse document frequency. A word that nobody ever said weighs no more than one said once."""
    weight = math.log1p(max(total, 1) / (max(frequency, 1) + 0.5))
    chance = is_character(word) or (not frequency and is_pair(word) and not kindred(word))
    return max(weight, 0.05) * (_CHARACTER if chance else 1.0)


def _met(word: str, found_by: Collection[str]) -> str:
    """The word itself or one of the same thing, whichever the quote has; empty where it has neither."""
    return word if word in found_by else next((other for other in kindred(word) if other in found_by), "")


def _share(shared: Sequence[str], weights: Mapping[str, float]) -> float:
    whole = sum(weights.values())
    return sum(weights[word] for word in shared) / whole if whole else 0.0


def _tells_enough(shared: Sequence[str], frequency: Mapping[str, int], total: int) -> bool:
    """At least one word in common that is rare here; a lone Chinese character never is enough."""
    rare = max(_RARE, total * _RARE_SHARE)
    return any(frequency.get(word, 0) <= rare for word in shared if not is_character(word)) or (
        sum(frequency.get(word, 0) <= rare for word in shared) >= 2
    )


def _quoted(quote: Quote) -> str:
    language = language_of(quote.said)
    longest = LONGEST_QUOTE // 2 if language in ("zh", "ja") else LONGEST_QUOTE
    text = plain(quote.said)
    if len(text) > longest:
        text = text[:longest].rsplit(" ", 1)[0] + "…"
    return TEMPLATES[language]["said"].format(v=text, day=day(quote.at, language))


def _bounded(texts: Sequence[str], most: int) -> tuple[str, ...]:
    told: list[str] = []
    left = MOST_TOKENS
    for text in texts:
        if len(told) >= most:
            break
        if text not in told and tokens(text) <= left:
            told.append(text)
            left -= tokens(text)
    return tuple(told)
