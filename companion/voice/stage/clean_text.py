"""What is left to be spoken, put together so that no trace of what was removed remains. Pure.

Words are told apart by one blank. Where something was removed (a gap), no blank is left before punctuation or between
Chinese or Japanese characters, words do not run together, and a comma or stop that has nothing left to close goes.
"""

from __future__ import annotations

from companion.events import Cue, CueSource
from companion.voice.stage.lexicon import Feeling
from companion.voice.stage.scanner import is_cjk, is_word

_CLOSING = frozenset(".,!?;:%…。，！？；：、)’”")
_ORPHANS = frozenset(".,;:。，；：、")
_ENDS = frozenset(".!?…。！？,;:，；：、~")
_WIDE = frozenset("…—“”‘’")
"""Marks that Chinese and Japanese share with other writing."""
_STARTS_QUOTE = frozenset("\"“‘'")


class CleanText:
    """Collects spoken text and cues in order."""

    def __init__(self) -> None:
        self._pieces: list[str | Cue] = []
        self._length = 0
        self._last = ""
        self._blank = False
        self._gap = False
        self._blank_after = False
        self._quoted = False
        self._cjk = False

    @property
    def at_line_start(self) -> bool:
        """Whether nothing of the current line is spoken yet."""
        return self._last in ("", "\n")

    @property
    def at_sentence_start(self) -> bool:
        """Whether what comes next begins a line or follows the end of a sentence."""
        return self._last in ("", "\n", ".", "!", "?", "…", "。", "！", "？", "”", '"', "」")

    @property
    def after_gap(self) -> bool:
        """Whether something was removed since the last character."""
        return self._gap

    def text(self, text: str) -> None:
        """Add a word, or a run of punctuation; no white space in it."""
        first = text[0]
        orphan = first in _ORPHANS and (first != "." or not text.startswith(".."))
        if self._gap and orphan and (self.at_line_start or self._last in _ENDS):
            return
        separator = self._separator(first, text)
        self._put(separator + text)
        self._last, self._blank, self._gap, self._blank_after = text[-1], False, False, False
        if text[-1].isalnum():
            self._cjk = is_cjk(text[-1])
        self._quoted ^= text.count('"') % 2 == 1

    def blank(self) -> None:
        """White space stood here."""
        self._blank = True
        self._blank_after = self._gap

    def gap(self) -> None:
        """Something was removed here."""
        self._gap = True
        self._blank_after = False

    def newline(self) -> None:
        """A line ended here."""
        if not self.at_line_start:
            self._put("\n")
            self._last = "\n"
        self._blank = self._gap = False

    def cue(self, feeling: Feeling, source: CueSource) -> None:
        """The body acts here."""
        self._pieces.append(Cue(feeling.emotion, feeling.gesture, feeling.intensity, self._length, source))

    def take(self) -> list[str | Cue]:
        """What was added since the last call; neighbouring texts are one."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def _put(self, text: str) -> None:
        self._length += len(text)
        if self._pieces and isinstance(before := self._pieces[-1], str):
            self._pieces[-1] = before + text
        else:
            self._pieces.append(text)

    def _separator(self, first: str, text: str) -> str:
        last = self._last
        if self.at_line_start:
            return ""
        if not self._gap:
            return " " if self._blank else ""
        closes = first in _CLOSING and (not text.startswith("..") or not self._blank_after)
        if self._cjk and not self._blank and last in _WIDE and first in _WIDE:
            return ""
        inside_quotes = self._quoted and '"' in (first, last)
        if closes or inside_quotes or last in "“‘" or (is_cjk(first) and (is_cjk(last) or last in _WIDE)):
            return ""
        if self._blank:
            return "" if is_cjk(last) and not last.isalnum() else " "
        joins = is_word(first) or first in _STARTS_QUOTE
        return " " if joins and not is_cjk(last) and (is_word(last) or last in _CLOSING or last == '"') else ""
