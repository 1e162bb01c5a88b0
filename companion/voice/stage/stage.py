"""Streamed text in, spoken text and cues out: what a character says is passed on, what it does becomes cues. Pure.

The text is read once, token by token. A token is recognised only when no later text can change it, so the result does
not depend on how the answer was cut into deltas; text that is still open waits. The rules are in `brackets`, `markup`,
`emphasis` and `emoji`; `spoken_text` closes the gaps that they leave.

Text in brackets is not spoken unless it is a number, and text in single stars only where it is a stressed word inside a
sentence. Quoted speech in either is spoken, and where nothing else is left of the answer what reads as speech
(`enclosed_speech`). Text in other marks of emphasis is not spoken if it is a stage direction (`emphasis_grammar`).
Lines with a label may be unspoken (`labels`). Every other word is spoken.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import assert_never

from companion.events import Cue, CueSource
from companion.languages.understood import Understood, understood
from companion.voice.stage import emoji, emphasis, markup, notation
from companion.voice.stage.brackets import CLOSING, OPENING, STARS, bracket, star
from companion.voice.stage.emoji import JOINERS, PICTOGRAPH, XIAOZHI_EMOTIONS, feeling_of_emoji, keycap_end, pictograph
from companion.voice.stage.enclosed_speech import freed_quotations, reads_as_speech
from companion.voice.stage.labels import Labels
from companion.voice.stage.lexicon import Feeling
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.narration import Narration
from companion.voice.stage.scanner import CJK_RANGES, Incomplete, Lookahead, Token, is_word_char
from companion.voice.stage.spoken_text import SpokenText

_CONTEXT = 32
"""Code points that are kept before the current place, because rules look back a little."""

_PIECE = 500
"""Code points that are read at once, because rules copy or search all of what has arrived."""

_SPACED = f"(?:(?![{CJK_RANGES}])[^\\W_٩୧ლʕ‿⁀])+"
_UNSPACED = f"(?:(?=[{CJK_RANGES}])[^\\W_ヽヾ])+"
_WORD = re.compile(f"{_SPACED}|{_UNSPACED}")
_BLANK = re.compile(r"[^\S\n]+")
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]+"
)
"""Soft hyphens, marks of direction, and characters without a width."""
_LABEL = re.compile(
    r"""[\[【{<]\s*(?:(?P<plain>\w+)|["']?(?:emotion|emo|mood)["']?\s*[:=：]\s*["']?(?P<quoted>\w+)["']?)\s*,?\s*[\]】}>]""",
    re.IGNORECASE,
)
"""A single name, as devices of the xiaozhi family write emotions: `[happy]`, `{"emotion": "happy"}`."""

_MARKS = re.compile(f"[{re.escape(''.join((*OPENING, *CLOSING)))}{STARS}_~]")

_SOURCES: dict[str, CueSource] = {"direction": "direction", "tag": "tag", "emoji": "emoji", "face": "emoji"}


class Stage:
    """Feed it the deltas of one answer, then close it.

    The text that it returns contains no stage directions, markup or emoji; the end of a line is `"\\n"`. The `at` of a
    cue counts the code points of all text before it.
    """

    def __init__(self, name: str | None = "", languages: Understood | None = None) -> None:
        """`name` is the character's. It is dropped before a line (`Name: ...`). None: guess it from the first line.

        `languages` are those that the device understands; if not given, English and the languages understood with it.
        """
        self._languages = languages or understood()
        self._name = None if name is None else name.strip().casefold()
        self._spoken = SpokenText()
        self._narration = Narration(self._languages)
        self._labels = Labels(self._languages)
        self._text = ""
        self._at = 0
        self._unsaid: list[str] = []
        """The words of the directions before the first spoken word."""

    def feed(self, delta: str) -> list[str | Cue]:
        """Take the next piece of the answer; return what is certain so far."""
        delta = _INVISIBLE.sub("", delta)
        for begin in range(0, len(delta), _PIECE):
            self._text += delta[begin : begin + _PIECE]
            self._advance(final=False)
        return self._spoken.take()

    def close(self) -> list[str | Cue]:
        """End the answer and return the rest. A direction that is still open is dropped."""
        self._advance(final=True)
        if not self._spoken.has_words:
            said = [words for words in self._unsaid if reads_as_speech(words, self._name or "", self._languages)]
            # Without marks it cannot become a direction again.
            self._text, self._at, self._unsaid = _MARKS.sub("", " ".join(said)), 0, []
            self._advance(final=True)
        return self._spoken.take()

    def _advance(self, final: bool) -> None:
        look = Lookahead(self._text, final)
        try:
            while self._at < len(look.text):
                look = self._step(look)
        except Incomplete:
            pass
        # Keep a little of the text for the rules that look back.
        spent = max(0, self._at - _CONTEXT)
        self._text = look.text[spent:]
        self._at -= spent

    def _step(self, look: Lookahead) -> Lookahead:
        """Read one token and return the text to continue with.

        Raises `Incomplete`, before anything is changed, if more text must decide.
        """
        text, start, spoken = look.text, self._at, self._spoken
        ch = text[start]
        if ch == "\n":
            spoken.add_newline()
            self._labels.end_line()
            self._at += 1
            return look
        if blank := _BLANK.match(text, start):
            spoken.add_blank()
            self._at = blank.end()
            return look
        token = self._token(look, start, ch)
        assert token.end > start, f"{token} ends where it began: the stage would read it for ever"
        match token.kind:
            case "text":
                spoken.add_text(token.value)
            case "gap":
                spoken.add_gap()
            case "again":
                return Lookahead(text[:start] + token.value + text[token.end :], look.final)
            case "direction" if ch in STARS and notation.is_number(said := token.value.strip(STARS)):
                return Lookahead(text[:start] + said + text[token.end :], look.final)
            case "direction" if ch not in "{｛" and (freed := freed_quotations(token.value)):
                return Lookahead(text[:start] + freed + text[token.end :], look.final)
            case "direction" | "tag" | "emoji" | "face":
                if token.kind == "direction" and not spoken.has_words:
                    self._unsaid.append(token.value)
                spoken.add_gap()
                label = _LABEL.fullmatch(text, start, token.end)
                named = label and XIAOZHI_EMOTIONS.get((label["quoted"] or label["plain"]).casefold())
                if feeling := named or _feeling(token, self._name, self._languages):
                    spoken.add_cue(feeling, "tag" if named else _SOURCES[token.kind])
            case "mark":
                pass
            case _:
                assert_never(token.kind)
        self._at = token.end
        return look

    def _token(self, look: Lookahead, start: int, ch: str) -> Token:
        """The token at `start`, from the first rule that recognises one."""
        spoken = self._spoken
        if found := self._labels.token(
            look,
            start,
            begins_sentence=spoken.at_sentence_start,
            begins_line=spoken.at_line_start,
            begins_answer=not spoken.has_words,
        ):
            return found
        if found := self._narration.token(look, start, self._name or "", self._spoken.in_quotes):
            return found
        word_start = not is_word_char(look.at(start - 1))
        if ch in emoji.ARMS and word_start and (found := emoji.kaomoji(look, start)):
            return found
        if ch in OPENING and (found := emoji.kaomoji(look, start)):
            return found
        if (
            ch in emoji.EMOTICON_STARTS
            and (word_start or not is_word_char(ch))
            and (found := emoji.emoticon(look, start))
        ):
            return found
        if self._spoken.at_line_start:
            if self._name is None and ch.isalpha():
                self._name = markup.guess_speaker(look, start, self._languages)
            if (
                self._name
                and ch.casefold() == self._name[0]
                and (found := markup.speaker_name(look, start, self._name))
            ):
                return found
            if not ch.isalnum() and (found := markup.line_mark(look, start)):
                return found
            if self._name is None and ch in STARS and look.at(start + 1).isspace():
                # A list item does not begin with a name.
                self._name = ""
        if (word := _WORD.match(look.text, start)) is not None:
            return _word(look, start, word.end())
        return self._sign(look, start, ch)

    def _sign(self, look: Lookahead, start: int, ch: str) -> Token:
        """The token at a character that is neither letter nor digit."""
        if ch in "\\$" and (found := notation.formula(look, start)):
            return found
        if ch == "{" and self._spoken.is_empty and (found := notation.json_answer(look, start)):
            return found
        if ch == "(" and (found := notation.called(look, start)):
            return found
        if ch in "(（" and (found := notation.number_in_brackets(look, start)):
            return found
        if ch == "&" and (found := notation.entity(look, start)):
            return found
        if ch in OPENING:
            return (markup.link(look, start) if ch == "[" else None) or bracket(look, start)
        if ch in CLOSING:
            listed = ch in ")）" and _enumerator(self._languages).search(look.text[max(0, start - 6) : start])
            return Token(start + 1, "text", ch) if listed else Token(start + 1, "gap")
        begins = self._spoken.at_sentence_start
        if ch in STARS or ch == "_":
            stressed = emphasis.stressed_words(look, start, begins, self._languages) if ch in STARS else None
            return stressed or emphasis.emphasis_mark(look, start, begins, self._languages) or star(look, start)
        if begins and ch in emphasis.PAIRED and (found := emphasis.paired_marks(look, start, self._languages)):
            return found
        if ch == "!" and (found := markup.image(look, start)):
            return found
        if ch == ":" and (found := markup.shortcode(look, start)):
            return found
        if ch in "<＜‹" and (found := markup.tag(look, start, begins, self._languages)):
            return found
        if ch in "~～〜":
            return emphasis.tilde(look, start, begins, self._languages)
        if ch == "`":
            return markup.backtick(look, start)
        if PICTOGRAPH.match(ch):
            return pictograph(look, start)
        if ch == "|":
            return Token(start + 1, "gap")
        if ch == "\\" and (found := notation.escape(look, start)):
            return found
        if ch == "\\":
            if (after := look.at(start + 1)) and not after.isalnum():
                return Token(start + 1, "mark")
            in_path = is_word_char(look.at(start - 1)) or look.at(start - 1) == ":"
            return Token(start + 1, "text", ch) if after and in_path else Token(start + 1, "gap")
        if ch in JOINERS or unicodedata.category(ch) in ("Cf", "Cc", "Co") or "\ufe00" <= ch <= "\ufe0f":
            return Token(start + 1, "mark")
        if ch in markup.MAY_BE_STRAY and markup.is_stray(look, start):
            return Token(start + 1, "gap")
        if ch == "#" and (end := keycap_end(look, start)) > start:
            return Token(end, "gap")
        if ch == "#":
            # `#1` is a number and `C#` a note; `#honey` is a word.
            after = look.at(start + 1)
            means = after.isdigit() or (is_word_char(look.at(start - 1)) and not is_word_char(after))
            return Token(start + 1, "text" if means else "gap", ch)
        if ch == "." and self._spoken.after_gap:
            end = look.skip(".", start)
            return Token(end, "text", look.text[start:end])
        return Token(start + 1, "text", ch)


@cache
def _enumerator(languages: Understood) -> re.Pattern[str]:
    """A number before a closing bracket in a list: `1)`, `b)`, `iv)`, `三）`."""
    numbers = languages.speech.enumerators or "(?!)"
    return re.compile(rf"(?:^|[\s,;:.，；：。、])(?:\d{{1,3}}|[A-Za-z]|[ivxIVX]{{2,4}}|{numbers})$")


def _word(look: Lookahead, start: int, end: int) -> Token:
    """A word, or as much of it as has arrived. A digit may still turn out to be a keycap."""
    last = end - 1
    if look.text[last] in "0123456789" and (keycap := keycap_end(look, last)) > last:
        return Token(keycap, "gap") if last == start else Token(last, "text", look.text[start:last])
    return Token(end, "text", look.text[start:end])


def _feeling(token: Token, name: str | None, languages: Understood) -> Feeling | None:
    """What a token tells the body. `name` is the character's."""
    match token.kind:
        case "emoji":
            feeling = feeling_of_emoji(token.value)
            if feeling is None or token.strength == 1:
                return feeling
            return feeling._replace(intensity=round(min(1.0, feeling.intensity + 0.1 * (token.strength - 1)), 2))
        case "face":
            return emoji.feeling_of_face(token.value)
        case "tag":
            return XIAOZHI_EMOTIONS.get(token.value.strip().casefold()) or read_direction(
                token.value, name or "", languages
            )
        case _:
            return read_direction(token.value, name or "", languages)
