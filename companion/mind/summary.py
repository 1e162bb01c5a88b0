"""The rolling summary of a talk: what the model is asked to write, and what is kept of its answer. Pure.

Each summary is made of the one before and of the exchanges since then, and never grows beyond `MOST_TOKENS`. Tokens are
estimated on the safe side: 1 for each character of an East Asian script, 1 for each 3 others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from companion.languages.language import Language
from companion.mind.memory.index_words import UNSPACED
from companion.mind.proposed_facts import facts_instruction

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
