"""What of a persona its policy does not allow: lines that it would say by itself, and what its profile orders. Pure.

Its own lines are said as they stand, unguarded, so they are examined before; the profile is what makes a model say what
the guard would have to block all day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from companion.config.persona import Persona, Profile
from companion.config.policy import Category
from companion.guard.judge import Judge, Said

Key = tuple[str | int, ...]

_SENTENCES = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_ORDERED: frozenset[Category] = frozenset({"sex", "self_harm", "drugs", "weapons", "dangerous_acts"})
"""What a profile has no reason to speak of at all; of the others it may ("you never ask where a child lives")."""
_WORDS: dict[Category, str] = {
    "violence": "violence",
    "sex": "sex or romance",
    "drugs": "drugs, alcohol or smoking",
    "weapons": "weapons",
    "self_harm": "self-harm",
    "frightening": "what frightens children",
    "insults": "insults",
    "dangerous_acts": "dangerous acts",
    "contact": "where somebody is found, secrets or meetings",
    "clinging": "not letting somebody go",
    "buying": "buying",
    "claims_human": "being human",
}


def persona_faults(persona: Persona, judge: Judge) -> Iterator[tuple[Key, str]]:
    """The key of each fault, and a sentence that says what is wrong and what to do."""
    for key, line in _own_lines(persona):
        if (category := _of_line(line, judge)) is not None:
            yield key, f'"{line}" is about {_WORDS[category]}, which the policy does not allow; write something else'
    profiles: list[tuple[Key, Profile]] = [(("profile",), persona.profile)]
    profiles += [(("cast", at, "profile"), member.profile) for at, member in enumerate(persona.cast)]
    for key, profile in profiles:
        for part, text in profile:
            for sentence in _SENTENCES.findall(text):
                if (wrong := _of_profile(sentence.strip(), judge)) is not None:
                    yield (*key, part), wrong


def own_faults(persona: Persona, judge: Judge) -> list[str]:
    """The same in sentences, for a unit that is about to start with this persona."""
    return [f"{persona.name}: {'.'.join(map(str, key))}: {text}" for key, text in persona_faults(persona, judge)]


def _own_lines(persona: Persona) -> Iterator[tuple[Key, str]]:
    if persona.opening:
        yield ("opening",), persona.opening
    for kind, lines in persona.lines:
        for line in lines:
            yield ("lines", kind), line
    for category, lines in persona.blocked.items():
        for line in lines:
            yield ("blocked", category), line


def _of_line(line: str, judge: Judge) -> Category | None:
    said = Said()
    for sentence in _SENTENCES.findall(line):
        if (category := judge.by_rules(sentence.strip(), said)) is not None:
            return category
        said = said.then(sentence.strip())
    return None


def _of_profile(sentence: str, judge: Judge) -> str | None:
    short = sentence if len(sentence) <= 80 else f"{sentence[:79]}…"
    if not judge.policy.consent.relatives and judge.plays_relative(sentence):
        return f'"{short}" makes it a relative or a partner of the person, which the policy does not allow; take it out'
    category = judge.orders(sentence)
    if category is None and (found := judge.by_rules(sentence)) in _ORDERED:
        category = found
    if category is None:
        return None
    return f'"{short}" leads to {_WORDS[category]}, which the policy does not allow; take it out'
