"""Facts that a summary proposes, as lines of one fixed form at the end of the model's answer. Pure.

The form is the same in every language, so that facts are found in languages without patterns too, at no further
request. The model is not trusted: a line that is not exactly of this form, too long, private, or without anything to
keep is dropped, and a model that writes no such lines does no harm.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from companion.languages.language import Language
from companion.languages.memory import FACT_KINDS, FactKind
from companion.languages.understood import Understood
from companion.mind.memory.fact_values import (
    MOST_WORDS,
    MOST_WORDS_LIKED,
    canonical_subject,
    clause_in,
    name_in,
    place_in,
    thing_in,
)
from companion.mind.memory.facts import Fact, make_fact
from companion.mind.memory.utterance import is_private

FORM = "FACT kind | subject | value"
"""How a line is written; `-` stands for what is missing."""

MOST = 12
"""Facts of one summary."""

LONGEST_SUBJECT = 40
LONGEST_VALUE = 160
"""Characters."""

_LINE = re.compile(r"[\s>*\-•·`_]*(?:FACT\b|(?i:fact)\b(?=.*\|))(?P<rest>.*)")
_AROUND = ' \t`*_"“”'
_MISSING = {"", "-", "–", "—"}


@dataclass(frozen=True, slots=True)
class ProposedFact:
    """One line of the right form; what it says may still be refused."""

    kind: FactKind
    subject: str
    """Empty where it has none."""
    value: str


def facts_instruction(language: Language) -> str:
    """What asks the model for the lines."""
    return language.prompts.summary.facts.format(most=MOST, form=FORM, kinds=", ".join(FACT_KINDS))


def split_proposed(answer: str) -> tuple[str, tuple[ProposedFact, ...]]:
    """The answer without its lines of facts, and those of them that are of the right form, at most `MOST`."""
    rest: list[str] = []
    proposed: list[ProposedFact] = []
    for line in answer.splitlines():
        if found := _LINE.fullmatch(unicodedata.normalize("NFKC", line)):
            if one := _parsed(found["rest"]):
                proposed.append(one)
        else:
            rest.append(line)
    return "\n".join(rest), tuple(dict.fromkeys(proposed))[:MOST]


def accepted_facts(proposed: Iterable[ProposedFact], at: datetime, languages: Understood) -> tuple[Fact, ...]:
    """Those that may be kept, in the device's own language. `at` is when the person said the last of it."""
    facts = []
    for one in proposed:
        fact = _accepted(one, at, languages.own)
        if fact is not None and not is_private(f"{fact.subject} {fact.value}", languages):
            facts.append(fact)
    return tuple(facts)


def _parsed(line: str) -> ProposedFact | None:
    parts = [" ".join(part.split()).strip(_AROUND) for part in line.split("|")]
    if len(parts) != 3 or parts[0] not in FACT_KINDS:
        return None
    kind, subject, value = (part if part not in _MISSING else "" for part in parts)
    is_printable = all(part.isprintable() for part in parts)
    if not is_printable or len(subject) > LONGEST_SUBJECT or len(value) > LONGEST_VALUE or not (subject or value):
        return None
    return ProposedFact(cast(FactKind, kind), subject, value)


def _accepted(proposed: ProposedFact, at: datetime, language: Language) -> Fact | None:
    """The fact, its value held against the same lists as what a person tells; None where there is nothing to keep."""
    kind, subject, value = proposed.kind, proposed.subject, proposed.value
    match kind:
        case "likes" | "dislikes":
            value = thing_in(value or subject, language, MOST_WORDS_LIKED)
            subject = re.sub(language.facts.activity, "", value) if language.facts.activity else value
        case "favourite":
            value = thing_in(value, language, MOST_WORDS) if subject else ""
        case "has":
            named = name_in(value, language) if value else ""
            if not subject or named is None:
                return None
            return make_fact(kind, canonical_subject(subject, language), named, language, at)
        case "name":
            subject, value = "", name_in(value, language) or ""
        case "lives":
            subject, value = "", place_in(value, language)
        case "promise" | "remember":
            value = subject = clause_in(value, language)
        case "birthday":
            # "Tomorrow" is another day by now.
            subject, value = "", "" if value.lower() in language.facts.days_ahead else value
        case _:
            subject, value = "", thing_in(value, language, MOST_WORDS)
    return make_fact(kind, subject, value, language, at) if value else None
