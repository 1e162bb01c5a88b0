"""The choice among several answers. Pure.

The criteria, in this order: it says something; it was not said lately; it has few stage directions, because what is in
brackets is never heard; it is whole; it is within the wanted length; then the service's own order counts. Every choice
comes with reasons, for whoever tunes a persona.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

LATELY = 6
"""How many of the last answers are compared."""

NEAR = 0.6
"""From this share of common pieces on, two answers are the same in other words."""

_FEW = 12
"""Letters; fewer tell nothing."""

_DIRECTION = re.compile(r"\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]|【[^【】]*】|\*+[^*\n]+\*+")
_OPEN = re.compile(r"[(（\[【]")
_SAID = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the answers that the service gave."""

    text: str
    whole: bool = True
    """False where it was cut by `max_tokens`, or refused."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What speaks against one candidate; less is better, and earlier fields count more."""

    index: int
    empty: bool
    cut: bool
    directions: int
    said_lately: bool
    too_long: int
    """Characters above the wanted length."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """In words."""
        reasons_that_hold = (
            (self.empty, "says nothing"),
            (self.cut, "is cut off"),
            (self.directions, f"{self.directions} stage direction{'s' if self.directions > 1 else ''}"),
            (self.said_lately, "was said lately"),
            (self.too_long, f"{self.too_long} characters too long"),
        )
        return tuple(words for holds, words in reasons_that_hold if holds)

    @property
    def _weight(self) -> tuple[int, ...]:
        return (self.empty, self.said_lately, self.directions, self.cut, self.too_long, self.index)


def rank_candidates(candidates: Sequence[Candidate], longest: int, lately: Sequence[str] = ()) -> list[Verdict]:
    """All of them, the best first. `lately` are the last answers, in any order."""
    pieces = [_pieces(text) for text in lately if text]
    verdicts = [_verdict(index, one, longest, pieces) for index, one in enumerate(candidates)]
    return sorted(verdicts, key=lambda verdict: verdict._weight)


def likeness(text: str, earlier: Sequence[str]) -> float:
    """From 0 to 1: how like the most similar of the earlier answers this one is."""
    own = _pieces(_DIRECTION.sub(" ", text))
    return max((_likeness(own, _pieces(_DIRECTION.sub(" ", one))) for one in earlier), default=0.0)


def may_repeat(begun: str, earlier: Sequence[str]) -> bool:
    """Whether an answer that begins so may turn out to be one of the earlier ones."""
    spoken = _DIRECTION.sub(" ", begun)
    if len(_SAID.findall(spoken)) < _FEW:
        return bool(earlier)
    own = _pieces(spoken)
    return any(len(own & _pieces(one)) >= NEAR * len(own) for one in earlier)


def _verdict(index: int, candidate: Candidate, longest: int, lately: Sequence[frozenset[str]]) -> Verdict:
    text = candidate.text
    spoken = _DIRECTION.sub(" ", text)
    directions = len(_DIRECTION.findall(text)) + len(_OPEN.findall(spoken))
    own = _pieces(spoken)
    return Verdict(
        index,
        empty=not _SAID.search(spoken),
        cut=not candidate.whole,
        directions=directions,
        said_lately=any(_likeness(own, one) >= NEAR for one in lately),
        too_long=max(0, len(" ".join(spoken.split())) - longest),
    )


def _pieces(text: str) -> frozenset[str]:
    """Runs of three letters: they tell likeness in every script."""
    letters = "".join(_SAID.findall(unicodedata.normalize("NFKC", text).casefold()))
    return frozenset(letters[at : at + 3] for at in range(max(1, len(letters) - 2))) if letters else frozenset()


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index of the two."""
    together = one | other
    return len(one & other) / len(together) if together else 0.0
