"""Clean text in, sentences out: each as soon as it is complete, so that it can be synthesized. Pure.

A sentence ends at `. ! ? ; 。！？；…` or at the end of a line, unless the mark belongs to a number, an abbreviation, an
initial or an address, or the text goes on in small letters (`Wait... what`). The first piece of a reply may already end
at a comma, so that the voice can start early. A piece without a letter or digit is never spoken alone; it waits for the
next one. Cues stay with the text where they stood; between two sentences they belong to the second.
"""

from __future__ import annotations

import re
from dataclasses import replace

from companion.events import Cue, Sentence
from companion.languages.understood import Understood, understood
from companion.voice.stage.scanner import CJK_RANGES, LONGEST_RUN, Incomplete, Lookahead, is_cjk

LONGEST = 200
"""Characters. A longer sentence is cut at its last comma or blank, because voices keep all of it in memory."""

_FIRST_WORDS = 2
_FIRST_CJK = 4
_SEMICOLON_AFTER = 24
"""Characters that must stand before a semicolon if it is to end a piece."""

_MARK = re.compile("[.!?;:,。！？；：，、…\n]|\\s[—–-]\\s|——")
_SURELY_WHOLE = re.compile(
    rf"[^\W_][\w'’,-]*\s(?:.*\s)?(?P<word>(?:[^\W\d_{CJK_RANGES}]|['’]){{2,}})[.!?]\Z", re.DOTALL
)
"""Two or more words, the last one of letters only, then a mark: not an address, number, initial or ellipsis."""
_SPOKEN = re.compile(r"[^\W_]")
_WORDS = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_CLAUSE = re.compile(r"[,;:，、；：—…](?=\D|$)|\s")
_CLOSING = "”’」』)）》»"
_ENDS = ".!?。！？…‥"
_QUOTES = ("「」", "『』", "“”", "《》", "„“", "«»")


class Sentences:
    """Feed it the pieces of one reply as they come from `Stage`, then close it."""

    def __init__(self, first_clause: bool = True, languages: Understood | None = None) -> None:
        """`first_clause`: whether the first piece may end at a comma.

        `languages` are those that the device understands; if not given, English and the languages understood with it.
        """
        self._languages = languages or understood()
        self._first = first_clause
        self._text = ""
        self._base = 0
        self._searched = 0
        self._cues: list[Cue] = []

    def feed(self, piece: str | Cue) -> list[Sentence]:
        """Take the next piece; return the sentences that are complete now."""
        if isinstance(piece, Cue):
            self._cues.append(piece)
            return []
        sentences = []
        for begin in range(0, len(piece), LONGEST):
            self._text += piece[begin : begin + LONGEST]
            sentences += self._complete(final=False)
        return sentences

    def pause(self) -> list[Sentence]:
        """No more text has arrived for now: return what is certainly a complete sentence, whatever follows.

        `feed` would wait for the next character, which a service sends 25 to 100 ms later.
        """
        sure = _SURELY_WHOLE.search(self._text) if self._text.endswith((".", "!", "?")) else None
        if sure is None or any(ch.isupper() for ch in sure["word"]) or _is_quoted(self._text, len(self._text)):
            return []
        speech = self._languages.speech
        if sure["word"].casefold() in speech.abbreviations | speech.abbreviations_at_end:
            return []
        return [self._take_out(len(self._text))]

    def close(self) -> list[Sentence]:
        """End the reply and return the rest. Cues after the last sentence come with it, or with an empty one."""
        sentences = self._complete(final=True)
        if _SPOKEN.search(self._text):
            sentences.append(self._take_out(len(self._text)))
        if self._cues:
            last = sentences.pop() if sentences else Sentence("")
            at = len(last.text)
            sentences.append(replace(last, cues=last.cues + tuple(replace(cue, at=at) for cue in self._cues)))
            self._cues = []
        return sentences

    def _complete(self, final: bool) -> list[Sentence]:
        sentences = []
        try:
            while (end := self._find_end(Lookahead(self._text, final))) is not None:
                sentences.append(self._take_out(end))
        except Incomplete:
            pass
        return sentences

    def _find_end(self, look: Lookahead) -> int | None:
        """Where the first complete piece ends. Raises `Incomplete` if the next character must decide."""
        for mark in _MARK.finditer(look.text, self._searched, LONGEST + 2):
            if mark.start() >= LONGEST:
                break
            end = self._end_at(look, mark)
            if end is not None and _SPOKEN.search(look.text, 0, end):
                return end
            self._searched = max(mark.end(), end or 0)
        if len(look.text) > LONGEST:
            places = [found.end() for found in _CLAUSE.finditer(look.text, LONGEST // 4, LONGEST)]
            strong = [end for end in places if not look.text[end - 1].isspace()]
            end = (strong or places or [LONGEST])[-1]
            return end if _SPOKEN.search(look.text, 0, end) else None
        return None

    def _end_at(self, look: Lookahead, mark: re.Match[str]) -> int | None:
        """Where the piece ends that this mark closes; None if it closes none."""
        start, sign = mark.start(), mark.group()
        if sign == "\n":
            return start + 1
        if sign in "。！？":
            return self._cjk_full_stop(look, start)
        if sign in "!?":
            end = _skip_closing(look, start + 1, self._languages.speech.closing_quotes)
            return end if _ends_word(look.at(end)) or look.at(end).isalpha() else None
        if sign == ".":
            return self._full_stop(look, start)
        if sign == "…":
            return _ellipsis_end(look, start, self._languages.speech.closing_quotes)
        if sign in ";；" and (start >= _SEMICOLON_AFTER or is_cjk(sign)):
            return start + 1 if is_cjk(sign) or _ends_word(look.at(start + 1)) else None
        return self._clause_end(look, mark) if self._first else None

    def _cjk_full_stop(self, look: Lookahead, start: int) -> int | None:
        """A Chinese or Japanese full stop with the closing marks after it. Waits only if a quotation is open."""
        text = look.text
        if _is_quoted(text, start):
            # A quotation may stand in the middle of its sentence: `「そうだね。」と言った。`.
            end = _skip_closing(look, start + 1, self._languages.speech.closing_quotes)
            return None if look.at(end) in self._languages.speech.after_quotation else end
        # Do not wait for another mark: those at the end of one sentence seldom arrive apart.
        return _skip_closing(Lookahead(text, final=True), start + 1, self._languages.speech.closing_quotes)

    def _full_stop(self, look: Lookahead, start: int) -> int | None:
        if look.at(start - 1) == ".":
            return None
        end = look.skip(".", start + 1)
        if end - start > 1:
            return _ellipsis_end(look, start, self._languages.speech.closing_quotes)
        end = _skip_closing(look, end, self._languages.speech.closing_quotes)
        if not _ends_word(look.at(end)):
            return None
        word = re.split(r"[\s\"“‘'(]", look.text[:start])[-1].casefold()
        if look.text[:start].strip().isdigit():
            # It numbers an item of a list.
            return None
        if len(word) <= 2 and word.isdigit() and self._languages.own.speech.dotted_ordinals:
            return None if look.at(end) else end
        speech = self._languages.speech
        initial = len(word) == 1 and "a" <= word <= "z" and look.text[start - 1] not in speech.one_letter_words
        if initial or word in speech.abbreviations:
            return None if look.at(end) else end
        if word in speech.abbreviations_at_end:
            after = look.at(_skip_blanks(look, end))
            return None if after.islower() or after.isdigit() else end
        return end

    def _clause_end(self, look: Lookahead, mark: re.Match[str]) -> int | None:
        """An early end of the first piece, if it is long enough to sound natural."""
        before = look.text[: mark.start()]
        cjk = sum(1 for ch in before if is_cjk(ch) and ch.isalnum())
        if cjk < _FIRST_CJK and (cjk or len(_WORDS.findall(before)) < _FIRST_WORDS):
            return None
        sign = mark.group()
        if sign.isspace() or not is_cjk(sign[0]):
            return mark.end() if len(sign) > 1 or look.at(mark.end()).isspace() else None
        return mark.end()

    def _take_out(self, end: int) -> Sentence:
        """Take out the text up to `end`, with the cues in it."""
        raw, self._text = self._text[:end], self._text[end:]
        text = raw.replace("\n", " ").strip()
        begins = self._base + len(raw) - len(raw.lstrip())
        self._base += end
        inside = [cue for cue in self._cues if cue.at < self._base]
        self._cues = self._cues[len(inside) :]
        self._searched, self._first = 0, False
        return Sentence(text, tuple(replace(cue, at=min(max(cue.at - begins, 0), len(text))) for cue in inside))


def _is_quoted(text: str, index: int) -> bool:
    """Whether a quotation is open at `index`."""
    return any(text.count(pair[0], 0, index) > text.count(pair[1], 0, index) for pair in _QUOTES) or (
        text.count('"', 0, index) % 2 == 1
    )


def _skip_closing(look: Lookahead, index: int, closing_quotes: frozenset[str]) -> int:
    """The first position from `index` on after further end marks and closing marks.

    `closing_quotes` are those that open a quotation in other languages.
    """
    last = index + LONGEST_RUN
    while index < last and (ch := look.at(index)):
        if ch in _ENDS or ch in _CLOSING:
            closes = True
        elif ch in "\"'":
            closes = look.text.count(ch, 0, index) % 2 == 1
        elif ch in closing_quotes:
            closes = not (after := look.at(index + 1)) or after.isspace()
        elif ch.isspace() and look.text.count("«", 0, index) > look.text.count("»", 0, index):
            # French sets a blank there.
            closes = look.at(index + 1) == "»"
        else:
            closes = False
        if not closes:
            break
        index += 1
    return index


def _ends_word(after: str) -> bool:
    """Whether a mark can end a sentence before this character: the end, white space or Chinese writing."""
    return after == "" or after.isspace() or is_cjk(after)


def _ellipsis_end(look: Lookahead, start: int, closing_quotes: frozenset[str]) -> int | None:
    """The position just after an ellipsis that ends its sentence; None if that goes on in small letters."""
    if look.at(start - 1) in (".", "…"):
        return None
    end = _skip_closing(look, start + 1, closing_quotes)
    after = look.at(_skip_blanks(look, end))
    return None if after.islower() or after in (",", ";") else end


def _skip_blanks(look: Lookahead, index: int) -> int:
    while (ch := look.at(index)) and ch.isspace():
        index += 1
    return index
