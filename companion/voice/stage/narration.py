"""Novel style: prose about the character around its quoted words. `"You came," she whispers. "Shall we go?"` Pure.

Only an answer that begins with a quotation is read so, or with a few words about the character before one. A story that
it tells has quotations too, but begins otherwise, or somebody else speaks in it. What such prose is stands in the
language's `speech.toml` (`narration`): the character is "she" there, or has its name. A dialogue with dashes (`—Pasa
—dice ella—.`) puts prose between them, and in French behind a comma (`— Entre, dit-elle.`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from companion.languages.understood import Understood
from companion.voice.stage.scanner import Incomplete, Lookahead, Token, is_cjk, takes_particles

_CLOSING = {'"': '"', "“": "”", "„": "“”", "‘": "’", "«": "»", "»": "«", "「": "」", "『": "』"}
"""A mark that opens a quotation, and those that close it."""
_DASHES = "—–―"
_REACH = 160
"""Code points of prose that are held back before the first quotation, and of a quotation that is looked through."""
_LONGEST = 400
"""Code points of prose behind a quotation."""
_LONGEST_SUBJECT = 30
"""Code points in which prose before a quotation shows that it is about the character ..."""
_SUBJECT_WORDS = 3
"""... or words: an answer that merely begins with "I" must not wait."""
_BEFORE = " \t\xa0\u202f\u3000,，、"
_LINES = _BEFORE + "\r\n"
_ENDS = tuple(".,!?…。！？，~～♪")
_LEADS_TO_QUOTATION = tuple(":：,，")
_ENDS_SENTENCE = ".!?…。！？"


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
        if not self._opening or ch.isspace():
            return None
        if self._opening in _DASHES:
            return self._between_dashes(look, start, ch, name)
        if ch == self._opening or in_quotes:
            return None
        before = _last_before(look, start, _LINES)
        if not look.at(before) or look.at(before) not in _CLOSING[self._opening]:
            return None
        # A title has no mark at its end: `"Moana" she likes best`.
        ended = look.at(_last_before(look, before, " \xa0\u202f")) in _ENDS or look.at(before + 1) in (",", "，", "、")
        return self._prose(look, start, self._opening, name) if ended or is_cjk(ch) else None

    def _first(self, look: Lookahead, start: int, ch: str, name: str) -> Token | None:
        self._opening = ""
        if ch in _CLOSING or ch in _DASHES:
            self._opening = ch
            return None
        subjects = frozenset(word for one in self._languages for word in one.speech.narrated)
        try:
            index = self._first_quotation(look, start, name, subjects | {name} if name else subjects)
        except Incomplete:
            self._opening = None
            raise
        if not index:
            return None
        self._opening = look.text[index]
        return Token(index, "direction", look.text[start:index].strip())

    def _first_quotation(self, look: Lookahead, start: int, name: str, subjects: frozenset[str]) -> int:
        """Where the first quotation begins, if prose about the character leads to it; else 0."""
        if not _may_begin(look, start, subjects):
            return 0
        about = _about(self._languages, name)
        for index in range(start, start + _REACH):
            mark = look.at(index)
            if mark == "" or (mark == "\n" and look.at(look.skip(_LINES, index)) not in _CLOSING):
                return 0
            so_far = look.text[start:index].rstrip()
            opens = mark in _CLOSING and mark != "‘"
            begun = index == start + _LONGEST_SUBJECT or mark in _ENDS_SENTENCE
            begun = begun or (mark == " " and so_far.count(" ") == _SUBJECT_WORDS - 1)
            if (opens or begun) and not about.match(so_far):
                return 0
            if opens:
                leads = so_far.endswith(_LEADS_TO_QUOTATION)
                return index if leads or (so_far[-1] in _ENDS_SENTENCE and _is_said(look, index)) else 0
        return 0

    def _between_dashes(self, look: Lookahead, start: int, ch: str, name: str) -> Token | None:
        before = look.at(_last_before(look, start, " \t\xa0\u202f"))
        if ch in _DASHES:
            # At the beginning of a line it opens what the next one says.
            return self._prose(look, start + 1, _DASHES, name) if before not in ("", "\n") else None
        if not before or before not in ",!?…":
            return None
        inside = self._prose(look, start, _DASHES + _ENDS_SENTENCE, name)
        return inside if inside and _inside(self._languages, name).match(look.text[start : inside.end + 1]) else None

    def _prose(self, look: Lookahead, begin: int, until: str, name: str) -> Token | None:
        end = begin
        while end < begin + _LONGEST and look.at(end) not in ("", "\n") and look.at(end) not in until:
            end += 1
        said = look.text[begin:end].strip(_BEFORE)
        if not said or not _about(self._languages, name).match(said):
            return None
        closes = until == _DASHES and look.at(end) in tuple(_DASHES)
        return Token(end + 1 if closes else end, "direction", said)


def _last_before(look: Lookahead, start: int, blanks: str) -> int:
    """The last position before `start` at which none of `blanks` stands."""
    start -= 1
    while look.at(start) and look.at(start) in blanks:
        start -= 1
    return start


def _is_said(look: Lookahead, start: int) -> bool:
    """Whether the quotation that opens at `start` ends with a mark or ends its line, or does not end soon.

    No title does, and Japanese puts no mark before `」`.
    """
    closing = _CLOSING[look.text[start]]
    for index in range(start + 1, start + _REACH):
        if look.at(index) in ("", "\n"):
            return False
        if look.text[index] in closing:
            ends_line = look.at(index + 1) in ("", "\n")
            return ends_line or look.at(_last_before(look, index, " \xa0\u202f")) in _ENDS
    return True


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
    named = re.escape(name) + ("" if takes_particles(name[-1]) else r"(?!\w)") if name else "(?!)"
    return _one_of([named, *(one.speech.narration or "" for one in languages)], name)


@cache
def _inside(languages: Understood, name: str) -> re.Pattern[str]:
    """Prose about the character inside a dialogue with dashes, without a mark of its own."""
    return _one_of((one.speech.narration_inside or "" for one in languages), name)


def _one_of(patterns: Iterable[str], name: str) -> re.Pattern[str]:
    named = (one.replace("{name}", re.escape(name) or "(?!)") for one in patterns if one)
    return re.compile("|".join(f"(?:{one})" for one in named) or "(?!)", re.IGNORECASE)
