"""The rolling summary of a talk: what the model is asked to write, and what is kept of its answer. Pure.

Each summary is made of the one before and of the exchanges since then, and never grows beyond `MOST_TOKENS`. Tokens are
estimated on the safe side: 1 for each character of an East Asian script, 1 for each 3 others.

At its end the model proposes facts, as lines of one fixed form. The form is the same in every language, so that facts
are found in languages without patterns too, at no further request. The model is not trusted: a line that is not exactly
of this form, too long, private, or without anything to keep is dropped. A model that writes no such lines does no harm.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

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
from companion.mind.memory.index_words import UNSPACED
from companion.mind.memory.utterance import is_private

MOST_TOKENS = 1000

_CJK = re.compile(f"[{UNSPACED}\u3000-\u303f\uff00-\uffef\uac00-\ud7af]")


class Spoken(Protocol):
    """One exchange, of the history or of the long-term memory."""

    @property
    def said(self) -> str: ...
    @property
    def heard(self) -> str: ...
    @property
    def speaker(self) -> str: ...


def count_tokens(text: str) -> int:
    """About how many tokens the text has, rather too many than too few."""
    cjk = len(_CJK.findall(text))
    return cjk + -(-(len(text) - cjk) // 3)


def summary_instruction(language: Language) -> str:
    """The system message of a request for a summary, with facts at its end. Begins with the language's marker."""
    asked = language.prompts.summary
    return language.blank.join((asked.marker, asked.instruction, facts_instruction(language)))


def summary_request(previous_summary: str, exchanges: Sequence[Spoken], language: Language) -> str:
    """The user message of that request: the summary so far (where there is one), then the exchanges line by line."""
    asked = language.prompts.summary
    lines = [asked.so_far, previous_summary.strip(), ""] if previous_summary.strip() else []
    lines.append(asked.since)
    for one in exchanges:
        if one.said.strip():
            lines.append(f"{asked.person}: {_one_line(one.said)}")
        if one.heard.strip():
            lines.append(f"{one.speaker or asked.character}: {_one_line(one.heard)}")
    return "\n".join(lines)


_MARKUP = (
    (re.compile(r"```\w*\n?|`"), ""),
    (re.compile(r"^[ \t]*(?:#{1,6}|>|[-*•·]|\d{1,2}[.)、])[ \t]+", re.MULTILINE), ""),
    (re.compile(r"\*\*|__|~~"), ""),
    (re.compile(r"(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)"), ""),
    (re.compile(r"^[ \t]*[-=_*|]{3,}[ \t]*$", re.MULTILINE), ""),
    (re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),
    (re.compile(r"</?\w+[^>\n]*>"), ""),
)
_ENDS = re.compile(r"[.!?。！？…](?:[\"'”’」』)）]*)(?=\s|$|[\u3040-\u9fff])|\n")


def trim_summary(text: str, language: Language) -> str:
    """The model's answer as it is kept: no markup, and not longer than `MOST_TOKENS`, cut where a sentence ends."""
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r"\s*\n\s*", "\n", text).strip()
    text = text.removeprefix(language.prompts.summary.marker).lstrip()
    if count_tokens(text) <= MOST_TOKENS:
        return text
    # The estimate grows with every character: the longest beginning that fits is found by halving.
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(text[:middle]) <= MOST_TOKENS:
            low = middle
        else:
            high = middle - 1
    head = text[:low]
    ends = [match.end() for match in _ENDS.finditer(head)]
    return head[: ends[-1]].strip() if ends else head.rsplit(" ", 1)[0].strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())


FORM = "FACT kind | subject | value"
"""How a line is written; `-` stands for what is missing."""

MOST_FACTS = 12
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
    return language.prompts.summary.facts.format(most=MOST_FACTS, form=FORM, kinds=", ".join(FACT_KINDS))


def split_proposed(answer: str) -> tuple[str, tuple[ProposedFact, ...]]:
    """The answer without its lines of facts, and those of them that are of the right form, at most `MOST_FACTS`."""
    rest: list[str] = []
    proposed: list[ProposedFact] = []
    for line in answer.splitlines():
        if found := _LINE.fullmatch(unicodedata.normalize("NFKC", line)):
            if one := _parsed(found["rest"]):
                proposed.append(one)
        else:
            rest.append(line)
    return "\n".join(rest), tuple(dict.fromkeys(proposed))[:MOST_FACTS]


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
