"""Novel style: prose about the character around its quoted words. `"You came," she whispers. "Shall we go?"` Pure.

Only an answer that begins with a quotation is read so, or with a few words about the character before one. A story that
it tells has quotations too, but begins otherwise, or somebody else speaks in it. What such prose is stands in the
language's `speech.toml` (`narration`): the character is "she" there, or has its name.
"""

from __future__ import annotations

import re
from functools import cache

from companion.languages.understood import Understood
from companion.voice.stage.scanner import Lookahead, Token, is_cjk

_CLOSING = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", "—": "—"}
"""A mark that opens a quotation, and those that close it."""
_REACH = 160
"""Code points of prose that are held back."""
_BEFORE = " \t,，、"
_ENDS = tuple(".,!?…。！？，")


class Narration:
    """Finds the prose of one answer. Ask it at every token, in order."""

    def __init__(self, languages: Understood) -> None:
        self._languages = languages
        self._opening: str | None = None
        """The mark that opened the answer; empty where the answer is no novel; None before the first token."""

    def token(self, look: Lookahead, start: int, name: str, in_quotes: bool) -> Token | None:
        """The prose that begins at `start`, if any. `in_quotes`: whether a straight `"` is open there."""
        ch = look.text[start]
        if self._opening is None:
            return self._first(look, start, ch, name)
        if not self._opening:
            return None
        if self._opening == "—":
            return self._prose(look, start + 1, "—", name) if ch == "—" else None
        if ch == self._opening or in_quotes:
            return None
        before = start - 1
        while look.at(before) and look.at(before) in _BEFORE:
            before -= 1
        if not look.at(before) or look.at(before) not in _CLOSING[self._opening]:
            return None
        # A title has no mark at its end: `"Moana" she likes best`.
        if look.at(before - 1) not in _ENDS and look.at(before + 1) not in _BEFORE[2:] and not is_cjk(ch):
            return None
        return self._prose(look, start, self._opening, name)

    def _first(self, look: Lookahead, start: int, ch: str, name: str) -> Token | None:
        if ch in _CLOSING and ch != "»":
            self._opening = ch
            return None
        about = _about(self._languages, name)
        subjects = frozenset(word for one in self._languages for word in one.speech.narrated)
        if not _may_begin(look, start, subjects | {name} if name else subjects):
            self._opening = ""
            return None
        for index in range(start, start + _REACH):
            mark = look.at(index)
            if mark in ("", "\n"):
                break
            if mark in _CLOSING and mark != "—":
                stands = look.text[start:index].rstrip()[-1:] in (":", "：", ",", "，")
                if stands and about.match(look.text, start):
                    self._opening = mark
                    return Token(index, "direction", look.text[start:index].strip())
                break
        self._opening = ""
        return None

    def _prose(self, look: Lookahead, begin: int, until: str, name: str) -> Token | None:
        end = begin
        while end < begin + _REACH and look.at(end) not in ("", "\n", until):
            end += 1
        said = look.text[begin:end].strip(_BEFORE)
        if not said or not _about(self._languages, name).match(said):
            return None
        return Token(end + 1 if until == "—" and look.at(end) == "—" else end, "direction", said)


def _may_begin(look: Lookahead, start: int, subjects: frozenset[str]) -> bool:
    """Whether an answer begins with a word for the character. Waits for no more than that word."""
    end = start
    while end < start + 16:
        word = look.text[start : end + 1].casefold()
        if word in subjects and (is_cjk(word[-1]) or not look.at(end + 1).isalnum()):
            return True
        if not look.at(end) or not any(subject.startswith(word) for subject in subjects):
            return False
        end += 1
    return False


@cache
def _about(languages: Understood, name: str) -> re.Pattern[str]:
    """Prose about the character, matched where it begins."""
    named = re.escape(name) + ("" if is_cjk(name[-1]) else r"(?!\w)") if name else "(?!)"
    parts = [named, *(one.speech.narration for one in languages if one.speech.narration)]
    return re.compile("|".join(f"(?:{part})" for part in parts), re.IGNORECASE)
