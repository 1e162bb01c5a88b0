"""Takes out of what somebody said who they are and where they are found: before it is kept, or sent anywhere. Pure.

By the patterns of each language that a unit understands (`private.toml`), and by one rule for all of them: a long row
of digits, in figures or as words, is the number of a telephone, a card or an account, unless somebody is counting. Of
a full name the first one stays. In doubt it takes out too much; the talk goes on with what stands in its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise

from companion.config.policy import PRIVATE_KINDS, PrivateKind
from companion.languages.language import Language, language
from companion.languages.loader import alternation
from companion.languages.understood import Understood, closed_up

PHONE_DIGITS = 6
"""From so many digits in a row on it is a number that belongs to somebody."""
ACCOUNT_DIGITS = 12
"""From so many on it is that of a card or an account."""

_ORDER: tuple[PrivateKind, ...] = ("email", "account", "address", "school", "phone", "full_name")
"""What is looked for first takes its words away from what comes later."""
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_BANK_ACCOUNT = re.compile(r"(?<!\w)[a-z]{2}\d{2}(?: ?[a-z\d]{4}){3,7}(?: ?[a-z\d]{1,3})?(?!\w)", re.IGNORECASE)
_DATE = re.compile(r"(?:\d{4}-\d\d?-\d\d?|\d\d?[./-]\d\d?[./-]\d{2,4})[.,]?")
_ROUND_OR_DECIMAL = re.compile(r"[1-9]\d{0,2}(?:[ .,]?000)+|[1-9]\d{0,2}[.,]\d+|0[.,]\d+")
_TENS = frozenset(map(str, range(20, 100, 10)))
_BLANKS = re.compile(r"\s+")

Replace = Callable[[re.Match[str]], str]


class PrivateFilter:
    """Some kinds of private details, in the languages that a unit understands."""

    def __init__(self, kinds: Collection[PrivateKind], languages: Understood) -> None:
        self._rules = [rule for kind in _ORDER if kind in kinds for rule in _rules(kind, languages)]
        self._numbers = [(_run(one), one) for one in languages if not {"phone", "account"}.isdisjoint(kinds)]
        self._gaps = {gap for one in languages for gap in one.private.instead.values() if gap}
        self._kinds = frozenset(kinds)
        self._last = "", ""
        """What was cleaned last, and what came of it: an answer asks for the same words several times."""

    def clean(self, said: str) -> str:
        """What was said without what is private in it; as it stands where there is nothing."""
        if self._last[0] != said:
            cleaned, kinds = self._cleaned(said)
            self._last = said, cleaned if kinds else said
        return self._last[1]

    def finds(self, text: str) -> PrivateKind | None:
        """The first kind of private detail in a text; None where there is none."""
        _, kinds = self._cleaned(text)
        return min(kinds, key=PRIVATE_KINDS.index) if kinds else None

    def holds_gap(self, text: str) -> bool:
        """Whether something was taken out of a text: "(an address)" stands in it."""
        return any(one in text for one in self._gaps)

    def _cleaned(self, said: str) -> tuple[str, set[PrivateKind]]:
        if not self._kinds:
            return said, set()
        text = closed_up(_BLANKS.sub(" ", unicodedata.normalize("NFKC", said).translate(_QUOTES)))
        kinds: set[PrivateKind] = set()
        for rule in self._rules:
            if rule.kind == "phone":
                text = self._without_numbers(text, kinds)
            text = rule.applied(text, kinds)
        if "phone" not in self._kinds:
            text = self._without_numbers(text, kinds)
        return _BLANKS.sub(" ", text).strip(), kinds

    def _without_numbers(self, text: str, kinds: set[PrivateKind]) -> str:
        for pattern, one in self._numbers:
            text = pattern.sub(partial(self._instead_of_number, one, kinds), text)
        return text

    def _instead_of_number(self, of: Language, kinds: set[PrivateKind], found: re.Match[str]) -> str:
        parts = _numbers_in(found[0], of)
        count = sum(map(len, parts))
        if count < PHONE_DIGITS or _is_counting(parts) or _is_harmless(found[0]):
            return found[0]
        longest: PrivateKind = "account" if count >= ACCOUNT_DIGITS else "phone"
        kind: PrivateKind = longest if longest in self._kinds else "phone" if "phone" in self._kinds else "account"
        if kind == "account" and count < ACCOUNT_DIGITS:
            return found[0]
        kinds.add(kind)
        return of.private.instead.get(kind, "")


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: PrivateKind
    pattern: re.Pattern[str]
    language: Language

    def applied(self, text: str, kinds: set[PrivateKind]) -> str:
        return self.pattern.sub(partial(self._instead, kinds), text)

    def _instead(self, kinds: set[PrivateKind], found: re.Match[str]) -> str:
        groups = self.pattern.groupindex
        start, end = found.span("private" if "private" in groups else 0)
        if self.kind == "full_name":
            if "first" in groups and found["first"].casefold() not in _first_names(self.language):
                return found[0]
            end = start + _length_of_names(found.string[start:end], self.language)
        if start >= end:
            return found[0]
        kinds.add(self.kind)
        before, after = found.string[found.start() : start], found.string[end : found.end()]
        instead = self.language.private.instead.get(self.kind, "")
        if not instead and not found.string[end : end + 1].isalnum():
            before = before.rstrip()
        return f"{before}{instead}{after}"


def _rules(kind: PrivateKind, languages: Understood) -> Iterator[_Rule]:
    for one in languages:
        if kind == "email":
            yield _Rule(kind, _EMAIL, one)
        elif kind == "account":
            yield _Rule(kind, _BANK_ACCOUNT, one)
        for pattern in _patterns(one, kind):
            yield _Rule(kind, pattern, one)
    if kind == "phone":
        # Numbers are looked for where no language has a pattern, too.
        yield _Rule(kind, re.compile(r"(?!)"), languages.own)


@cache
def _patterns(of: Language, kind: PrivateKind) -> tuple[re.Pattern[str], ...]:
    # One by one: each may have a group `private`.
    texts: tuple[str, ...] = getattr(of.private, kind)
    whole = (rf"(?<!\w)(?:{one})(?!\w)" if of.is_spaced else one for one in texts)
    return tuple(re.compile(one, re.IGNORECASE) for one in whole)


@cache
def _first_names(of: Language) -> frozenset[str]:
    return of.names.first_names.union(*(language(code).names.first_names for code in of.names.first_names_of))


def _length_of_names(text: str, of: Language) -> int:
    """Of how many characters the names are with which the text begins."""
    if not of.is_spaced:
        return len(text)
    end = 0
    for word in re.finditer(r"[^\s]+", text):
        small = word[0].casefold()
        if small in of.private.name_particles:
            continue
        looks = of.names.never_looks
        is_name = (
            small in of.private.family_names
            or small in _first_names(of)
            or not (
                small in of.names.never or not small[0].isalpha() or (looks is not None and re.fullmatch(looks, small))
            )
        )
        if not is_name:
            break
        end = word.end()
    return end


@cache
def _number(of: Language) -> re.Pattern[str]:
    words = _numbers(of)
    inside = "|".join(filter(None, (alternation(words) if words else "", r"\d+")))
    return re.compile(rf"(?<![^\W\d])(?:{inside})(?![^\W\d])" if of.is_spaced else inside, re.IGNORECASE)


@cache
def _numbers(of: Language) -> dict[str, str]:
    """Numbers as words, and in digits."""
    return {word: digits for digits, words in of.private.digits.items() for word in words}


@cache
def _run(of: Language) -> re.Pattern[str]:
    """Numbers one after the other, in figures or as words."""
    joints = alternation(of.private.joints) if of.private.joints else r"(?!)"
    between = rf"[\s.()/-]{{0,3}}(?:{joints}\s*)?" if not of.is_spaced else rf"[\s.()/-]{{1,3}}(?:{joints}\s)?"
    one = f"(?:{_number(of).pattern})"
    return re.compile(rf"\+?\(?{one}(?:{between}\(?{one})*", re.IGNORECASE)


def _numbers_in(run: str, of: Language) -> list[str]:
    """The numbers of a run, in digits; "twenty five" is one."""
    found: list[str] = []
    for one in _number(of).finditer(run):
        digits = _numbers(of).get(one[0].casefold(), one[0])
        is_unit = len(digits) == 1 and digits != "0" and found[-1:] and found[-1] in _TENS
        if is_unit and not one[0].isdigit():
            digits = str(int(found.pop()) + int(digits))
        found.append(digits)
    return found


def _is_counting(parts: list[str]) -> bool:
    """Whether somebody counts, up or down, by ones or by fives; a small child may leave one out."""
    values = [int(part) for part in parts]
    steps = {after - before for before, after in pairwise(values)}
    return len(values) > 3 and steps != {0} and (len(steps) == 1 or steps <= {1, 2} or steps <= {-1, -2})


def _is_harmless(run: str) -> bool:
    run = run.strip(" ,.()")
    return _DATE.fullmatch(run) is not None or _ROUND_OR_DECIMAL.fullmatch(run) is not None
