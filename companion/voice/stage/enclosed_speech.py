"""Speech that stands where directions stand: `*"Come in!" she calls.*`, or a whole answer in brackets. Pure.

A quotation inside a direction is speech where it ends with a mark, as what somebody says does; a title or the word on
a sign does not. An answer of which nothing else is left is spoken without its brackets or stars where it reads as
speech: a sentence that tells the body nothing, or an exclamation or question in the first person.
"""

from __future__ import annotations

import re

from companion.languages.understood import Understood
from companion.voice.stage.brackets import CLOSING, OPENING, STARS
from companion.voice.stage.emphasis_grammar import grammar_of
from companion.voice.stage.meaning import read_direction

_SPEECH = r"\s*[\w¡¿…]{}*[.!?…,。！？，]\s*"
_QUOTATION = re.compile(
    "("
    + "|".join(a + _SPEECH.format(f"[^{a}{b}\n]") + f"[{b}]" for a, b in ('""', "“”", ("„", "“”"), "«»", "「」"))
    + ")"
)
_ENCLOSES = re.compile(f"[{re.escape(''.join((*OPENING, *CLOSING, STARS)))}]")
_SENTENCE = re.compile(r"[.!?]+(?=\W*(?:\s|\Z))|[…。！？]")
_EXCLAMATION = re.compile(r"[!?！？]")


def freed_quotations(inner: str) -> str:
    """What to read in place of a direction with speech in it: its quotations free, the rest in brackets.

    Empty where there is no speech in it.
    """
    parts = _QUOTATION.split(inner.strip(STARS))
    rest = parts[::2]
    if len(parts) == 1 or any(_ENCLOSES.search(part) for part in rest):
        return ""
    parts[::2] = [f"({part})" if any(ch.isalnum() for ch in part) else "" for part in rest]
    return " ".join(part for part in parts if part)


def reads_as_speech(words: str, name: str, languages: Understood) -> bool:
    """Whether the words of a direction are rather what the character `name` says than what it does."""
    if read_direction(words, name, languages) is None:
        return _SENTENCE.search(words) is not None
    return _EXCLAMATION.search(words) is not None and grammar_of(languages).first_person.search(words) is not None
