"""Collects what is spoken and leaves no trace of what was removed: blanks, punctuation, the places of cues. Pure."""

from __future__ import annotations

import itertools

from companion.events import Cue, CueSource
from companion.voice.stage.lexicon import Feeling
from companion.voice.stage.scanner import is_cjk, is_word_char

_CLOSES = frozenset(".,!?;:%…。，！？；：、)’”")
_ORPHANS = frozenset(".,;:。，；：、")
_ENDS_CLAUSE = frozenset(".!?…。！？,;:，；：、~")
_WIDE = frozenset("…—“”‘’")
"""Marks that Chinese and Japanese writing shares with others."""
_STARTS_QUOTE = frozenset("\"“‘'")


class SpokenText:
    """Collects spoken text and cues in order, and leaves no trace of what was removed.

    Words are separated by one blank. Where something was removed (a gap), no blank is left before punctuation or
    between Chinese or Japanese characters, words do not run together, and a comma or full stop that no longer closes
    anything is dropped.
    """

    def __init__(self) -> None:
        self._pieces: list[str | Cue] = []
        self._length = 0
        self._last = ""
        self._blank = False
        self._gap = False
        self._blank_after = False
        self._quoted = False
        self._cjk = False
        self.has_words = False
        """Whether there was a letter or digit yet."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was spoken yet."""
        return self._length == 0

    @property
    def at_line_start(self) -> bool:
        """Whether the current line has no spoken text yet."""
        return self._last in ("", "\n")

    @property
    def at_sentence_start(self) -> bool:
        """Whether the next text begins a line or follows the end of a sentence."""
        return self._last in ("", "\n", ".", "!", "?", "…", "。", "！", "？", "”", '"', "」")

    @property
    def in_quotes(self) -> bool:
        """Whether a straight quotation mark is open."""
        return self._quoted

    @property
    def after_gap(self) -> bool:
        """Whether something was removed since the last character."""
        return self._gap

    def add_text(self, text: str) -> None:
        """Add a word or a run of punctuation, without white space."""
        first = text[0]
        orphan = first in _ORPHANS and (first != "." or not text.startswith(".."))
        if self._gap and orphan and (self.at_line_start or self._last in _ENDS_CLAUSE):
            return
        separator = self._separator(first, text)
        self._put(separator + text)
        self._last, self._blank, self._gap = text[-1], False, False
        if text[-1].isalnum():
            self._cjk, self.has_words = is_cjk(text[-1]), True
        self._quoted ^= text.count('"') % 2 == 1

    def add_blank(self) -> None:
        """There was white space here."""
        self._blank = True
        self._blank_after = self._gap

    def add_gap(self) -> None:
        """Something was removed here."""
        self._gap = True
        self._blank_after = False

    def add_newline(self) -> None:
        """A line ended here."""
        if not self.at_line_start:
            self._put("\n")
            self._last = "\n"
        self._blank = self._gap = False

    def add_cue(self, feeling: Feeling, source: CueSource) -> None:
        """The body does something here."""
        self._pieces.append(Cue(feeling.emotion, feeling.gesture, feeling.intensity, self._length, source))

    def take(self) -> list[str | Cue]:
        """Return what was added since the last call; adjacent texts are joined."""
        pieces: list[str | Cue] = []
        for kind, group in itertools.groupby(self._pieces, type):
            run = list(group)
            pieces += ["".join(map(str, run))] if kind is str else run
        self._pieces = []
        return pieces

    def _put(self, text: str) -> None:
        self._length += len(text)
        self._pieces.append(text)

    def _separator(self, first: str, text: str) -> str:
        last = self._last
        if self.at_line_start:
            return ""
        if not self._gap:
            return " " if self._blank else ""
        closes = first in _CLOSES and (not text.startswith("..") or not self._blank_after)
        if self._cjk and not self._blank and last in _WIDE and first in _WIDE:
            return ""
        inside_quotes = self._quoted and '"' in (first, last)
        if closes or inside_quotes or last in "“‘" or (is_cjk(first) and (is_cjk(last) or last in _WIDE)):
            return ""
        if self._blank:
            return "" if is_cjk(last) and not last.isalnum() else " "
        joins = is_word_char(first) or first in _STARTS_QUOTE
        return " " if joins and not is_cjk(last) and (is_word_char(last) or last in _CLOSES or last == '"') else ""
