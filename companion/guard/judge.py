"""Judges sentences by a policy, before they are spoken. Pure.

A judge knows the rules of the languages that a unit understands (`guard.toml`). Whoever asks gives the sentence as the
voice would say it, and what was said before it in the same answer, since a clause alone may look harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal

from companion.config.policy import CATEGORIES, Category, Policy
from companion.guard.reading import readings
from companion.languages.guard import CategoryRules
from companion.languages.language import Language
from companion.languages.understood import Understood


class Judge:
    """One policy over some languages."""

    def __init__(self, policy: Policy, languages: Understood) -> None:
        self.policy = policy
        self._rules = [rules for one in languages for rules in _rules_of(one, policy)]

    def verdict(self, sentence: str, before: str = "") -> Category | None:
        """The category for which this may not be said; None where it may.

        `before` is the beginning of the same sentence, where it was said already.
        """
        for text in readings(f"{before} {sentence}" if before else sentence):
            for rules in self._rules:
                if rules.matches(text):
                    return rules.category
        return None

    def of_person(self, said: str) -> Category | None:
        """The category for which the person's words are not put to the character; None where they are."""
        found = self.verdict(said)
        return found if found in self.policy.filter.person else None


class _Rules:
    def __init__(self, category: Category, harmless: re.Pattern[str] | None, blocked: re.Pattern[str]) -> None:
        self.category, self._harmless, self._blocked = category, harmless, blocked

    def matches(self, text: str) -> bool:
        if self._blocked.search(text) is None:
            return False
        return self._harmless is None or self._blocked.search(self._harmless.sub("\n", text)) is not None


def _rules_of(language: Language, policy: Policy) -> Iterable[_Rules]:
    for category in CATEGORIES:
        level = policy.filter.level(category)
        if level != "off" and (rules := _compiled(language, category, level)) is not None:
            yield rules


@cache
def _compiled(language: Language, category: Category, level: Literal["grave", "all"]) -> _Rules | None:
    data: CategoryRules = getattr(language.guard, category)
    blocked = data.grave if level == "grave" else data.grave + data.mild
    if not blocked:
        return None
    return _Rules(category, _pattern(language, data.harmless) if data.harmless else None, _pattern(language, blocked))


def _pattern(language: Language, patterns: Iterable[str]) -> re.Pattern[str]:
    inside = "|".join(f"(?:{one})" for one in patterns)
    return re.compile(rf"(?<!\w)(?:{inside})(?!\w)" if language.is_spaced else inside)
