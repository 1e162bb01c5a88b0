"""Judges sentences by a policy, before they are spoken. Pure.

A judge knows the rules of the languages that a unit understands (`guard.toml`). Whoever asks gives the sentence as the
voice would say it, and what was said before it in the same answer, since a clause alone may look harmless, and so may
two sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from companion.config.policy import CATEGORIES, Category, Level, Policy
from companion.guard.likeness import Likeness
from companion.guard.reading import Spelling, readings
from companion.languages.guard import CategoryRules, NegationRules
from companion.languages.language import Language
from companion.languages.understood import Understood, joined

LONGEST = 400
"""Characters of what was said before that are looked at."""

_WHOLE = re.compile(r"[.!?…。！？\n][\"'”’»』」)）\]]*\s*$")
_NOTHING = re.compile("(?!)")


@dataclass(frozen=True)
class Said:
    """What of an answer was said already."""

    earlier: tuple[str, ...] = ()
    """Its last two whole sentences."""
    begun: str = ""
    """The beginning of the present sentence."""

    def then(self, piece: str) -> Said:
        """The same once this piece was said, too."""
        begun = joined(self.begun, piece)[-LONGEST:]
        return Said((*self.earlier, begun)[-2:]) if _WHOLE.search(piece) else Said(self.earlier, begun)


class Judge:
    """One policy over some languages."""

    def __init__(self, policy: Policy, languages: Understood) -> None:
        self.policy = policy
        levels = tuple((category, policy.filter.level(category)) for category in CATEGORIES)
        self._rules = [(one, _rules_of(one, levels)) for one in languages]
        self._languages = languages

    def verdict(self, sentence: str, said: Said | None = None) -> Category | None:
        """The category for which this may not be said; None where it may. `said`: before it, in the same answer."""
        said = said or Said()
        return self.by_rules(sentence, said) or self._likeness(joined(said.begun, sentence))

    def by_rules(self, sentence: str, said: Said | None = None) -> Category | None:
        """The same without what was learnt: what is only like something bad is no fault of whoever wrote it."""
        return next(self._all(sentence, said or Said()), None)

    def _likeness(self, text: str) -> Category | None:
        # A model knows its own language alone: in others it sees likenesses that are none.
        count = tuple(self._languages.surely(text))
        only = count[0] if len(count) == 1 else self._languages.own
        return next((rules.likeness(text) for language, rules in self._rules if language is only), None)

    def orders(self, sentence: str) -> Category | None:
        """The category of what this sentence of a persona's profile may not order; None where it orders nothing bad."""
        found = (rules.orders(sentence) for _, rules in self._rules)
        return next((one for one in found if one is not None), None)

    def plays_relative(self, sentence: str) -> bool:
        """Whether this sentence of a profile makes the character a relative or a partner of the person."""
        return any(rules.plays_relative(sentence) for _, rules in self._rules)

    def _all(self, sentence: str, said: Said) -> Iterator[Category]:
        text = joined(said.begun, sentence)
        count = self._languages.surely(text)
        for language, rules in self._rules:
            if language in count:
                yield from rules.verdicts(text, said.earlier)

    def of_person(self, said: str) -> Category | None:
        """The category for which the person's words are not put to the character; None where they are.

        Who speaks of suicide, or of being hurt, is in danger, and that comes first under every policy that knows it.
        """
        if self.policy.filter.self_harm != "off" and any(rules.in_danger(said) for _, rules in self._rules):
            return "self_harm"
        wanted = set(self.policy.filter.person)
        if any(rules.is_out_of_danger(said) for _, rules in self._rules):
            wanted.discard("self_harm")
        return next((one for one in self._all(said, Said()) if one in wanted), None)


class _LanguageRules:
    """The rules of one language, of all categories that a policy blocks."""

    def __init__(self, language: Language, levels: Iterable[tuple[Category, Level]]) -> None:
        data = language.guard
        self._spelling = Spelling.of(data.letters, data.accents, data.masked)
        self._likeness = Likeness.of(language)
        # The model has learnt what is mild, too.
        self._learnt = [category for category, level in levels if level == "all"]
        self._negations = _Negations(language, data.negations)
        of_relatives = data.relatives
        # No category of a sentence: these judge a persona.
        self._relatives = _Rules(language, "sex", of_relatives, of_relatives.grave + of_relatives.mild)
        self._orders = [
            (category, _pattern(language, patterns))
            for category, level in levels
            if level != "off" and (patterns := getattr(data.orders, category))
        ]
        self._in_danger = _pattern(language, data.asked.in_danger)
        self._no_danger = _pattern(language, data.asked.not_in_danger)
        self._rules = [
            rules
            for category, level in levels
            if level != "off" and (rules := _Rules.of(language, category, level)) is not None
        ]

    def verdicts(self, sentence: str, earlier: tuple[str, ...]) -> Iterator[Category]:
        """The categories for which this is blocked."""
        for text in readings(sentence, self._spelling):
            yield from (rules.category for rules in self._rules if rules.matches(text))
        if not earlier or not any(rules.across for rules in self._rules):
            return
        before = readings(" ".join(earlier), self._spelling)[0]
        for text in readings(sentence, self._spelling):
            yield from (rules.category for rules in self._rules if rules.matches_across(before, text))

    def likeness(self, sentence: str) -> Category | None:
        """The category of which this is like, as far as the language has learnt that."""
        if self._likeness is None:
            return None
        texts, is_whole = readings(sentence, self._spelling), _WHOLE.search(sentence) is not None
        return self._likeness.category(texts, self._learnt, is_whole=is_whole)

    def plays_relative(self, sentence: str) -> bool:
        """Whether this makes a character a relative or a partner."""
        return self._relatives.matches(readings(sentence, self._spelling)[0])

    def orders(self, sentence: str) -> Category | None:
        """The category of what this orders."""
        text = readings(sentence, self._spelling)[0]
        for category, pattern in self._orders:
            if any(not self._negations.stand_before(text, found.start()) for found in pattern.finditer(text)):
                return category
        return None

    def is_out_of_danger(self, said: str) -> bool:
        """Whether this only sounds like danger: "I cut myself on the paper"."""
        return self._no_danger.search(readings(said, self._spelling)[0]) is not None

    def in_danger(self, said: str) -> bool:
        """Whether who says this may be in danger."""
        return any(self._in_danger.search(self._no_danger.sub("\n", one)) for one in readings(said, self._spelling))


class _Rules:
    """The rules of one category."""

    def __init__(self, language: Language, category: Category, data: CategoryRules, blocked: tuple[str, ...]) -> None:
        self.category = category
        self.across = bool(data.across)
        negations = language.guard.negations
        self._negations = None if category in negations.not_for else _Negations(language, negations)
        self._blocked = _pattern(language, blocked)
        self._always = _pattern(language, data.always)
        self._across = _pattern(language, data.across)
        self._harmless = _pattern(language, data.harmless)

    @staticmethod
    def of(language: Language, category: Category, level: Level) -> _Rules | None:
        data: CategoryRules = getattr(language.guard, category)
        blocked = data.grave if level == "grave" else data.grave + data.mild
        return _Rules(language, category, data, blocked) if blocked or data.always or data.across else None

    def matches(self, text: str) -> bool:
        if not self._found(text):
            return False
        rest = self._harmless.sub("\n", text)
        return rest == text or self._found(rest)

    def matches_across(self, before: str, text: str) -> bool:
        """Whether something begins in what was said `before` and ends in this text."""
        both = self._harmless.sub("\n", f"{before} {text}")
        begins = len(both) - len(self._harmless.sub("\n", text))
        return any(found.end() > begins and not self._is_negated(both, found) for found in self._across.finditer(both))

    def _found(self, text: str) -> bool:
        if self._always.search(text) is not None:
            return True
        return any(not self._is_negated(text, found) for found in self._blocked.finditer(text))

    def _is_negated(self, text: str, found: re.Match[str]) -> bool:
        return self._negations is not None and self._negations.hold(text, found.start(), found.end())


class _Negations:
    def __init__(self, language: Language, data: NegationRules) -> None:
        self._before, self._within, self._after = (
            _pattern(language, one) for one in (data.before, data.within, data.after)
        )
        self._clause_end = re.compile(data.clause_end)

    def stand_before(self, text: str, start: int) -> bool:
        """Whether one stands in the clause before the place `start`."""
        begins = max((one.end() for one in self._clause_end.finditer(text, 0, start)), default=0)
        return self._before.search(text, begins, start) is not None

    def hold(self, text: str, start: int, end: int) -> bool:
        """Whether the words from `start` to `end` are negated by others of their clause."""
        ends = following.start() if (following := self._clause_end.search(text, end)) else len(text)
        return (
            self.stand_before(text, start)
            or self._within.search(text, start, end) is not None
            or self._after.search(text, end, ends) is not None
        )


@cache
def _rules_of(language: Language, levels: tuple[tuple[Category, Level], ...]) -> _LanguageRules:
    return _LanguageRules(language, levels)


def _pattern(language: Language, patterns: Iterable[str]) -> re.Pattern[str]:
    inside = "|".join(f"(?:{one})" for one in patterns)
    if not inside:
        return _NOTHING
    return re.compile(rf"(?<!\w)(?:{inside})(?!\w)" if language.is_spaced else inside)
