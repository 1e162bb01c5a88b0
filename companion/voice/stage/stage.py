"""Stage directions and cues out of streamed text: what a character says goes on, what it does becomes cues. Pure.

The text is read once, token by token. A token is recognised only when no later text could make it another one, so the
result does not depend on how the answer was cut into deltas; what is still open waits. The rules stand with the marks
they read: `brackets`, `markup`, `emphasis`, `emoticons`, `emoji_cues`; `clean_text` closes the gaps they leave.
Bracketed and starred text is never spoken, whatever it says, nor what marks of emphasis hold if it is a direction
(`direction_grammar`); every other word is.
"""

from __future__ import annotations

import re
from functools import cache

from companion.events import Cue, CueSource
from companion.languages.understood import Understood, understood
from companion.voice.stage import emoji, emphasis, markup
from companion.voice.stage.brackets import CLOSING, OPENING, STARS, bracket, star
from companion.voice.stage.clean_text import CleanText
from companion.voice.stage.emoji import JOINERS, PICTOGRAPH, XIAOZHI, feeling_of, keycap_end, pictograph
from companion.voice.stage.lexicon import Feeling
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.scanner import CJK_RANGES, Incomplete, Lookahead, Token, is_word

_CONTEXT = 32
"""Code points kept behind the place being read: rules look a little way back."""

_SPACED = f"(?:(?![{CJK_RANGES}])[^\\W_٩୧ლʕ‿⁀])+"
_UNSPACED = f"(?:(?=[{CJK_RANGES}])[^\\W_ヽヾ])+"
_WORD = re.compile(f"{_SPACED}|{_UNSPACED}")
_BLANK = re.compile(r"[^\S\n]+")
_SILENT = "\u200b\u2060\ufeff\xad" + JOINERS + "\U000e0020"
_LABEL = re.compile(
    r"""[\[【{<]\s*(?:(?P<plain>\w+)|["']?(?:emotion|emo|mood)["']?\s*[:=：]\s*["']?(?P<quoted>\w+)["']?)\s*,?\s*[\]】}>]""",
    re.IGNORECASE,
)
"""One name alone, as devices of the xiaozhi family write emotions: `[happy]`, `{"emotion": "happy"}`."""

_SOURCES: dict[str, CueSource] = {"direction": "direction", "tag": "tag", "emoji": "emoji", "face": "emoji"}


class Stage:
    """Feed it the deltas of one answer, then close it.

    Text pieces hold no stage directions, markup or emoji; a line's end is `"\\n"`. The `at` of a cue counts the code
    points of all text pieces before it.
    """

    def __init__(self, name: str | None = "", languages: Understood | None = None) -> None:
        """`name` is the character's own, dropped where it stands before a line (`Name: ...`); None: guess it.

        `languages` are those that the device understands; English and what goes with it where nothing is known.
        """
        self._languages = languages or understood()
        self._name = None if name is None else name.strip().casefold()
        self._clean = CleanText()
        self._text = ""
        self._at = 0

    def feed(self, delta: str) -> list[str | Cue]:
        """Take the next piece of the answer; return what is certain by now."""
        self._text += delta
        self._advance(final=False)
        return self._clean.take()

    def close(self) -> list[str | Cue]:
        """The answer ends: return the rest. A direction that is still open is dropped."""
        self._advance(final=True)
        return self._clean.take()

    def _advance(self, final: bool) -> None:
        look = Lookahead(self._text, final)
        try:
            while self._at < len(look.text):
                look = self._step(look)
        except Incomplete:
            pass
        # Keep a little of what was read, for the rules that look back.
        spent = max(0, self._at - _CONTEXT)
        self._text = look.text[spent:]
        self._at -= spent

    def _step(self, look: Lookahead) -> Lookahead:
        """Read one token and return the text to go on with.

        Raises `Incomplete`, having changed nothing, where more text must decide.
        """
        text, start, clean = look.text, self._at, self._clean
        ch = text[start]
        if ch == "\n":
            clean.newline()
            self._at += 1
            return look
        if blank := _BLANK.match(text, start):
            clean.blank()
            self._at = blank.end()
            return look
        token = self._token(look, start, ch)
        match token.kind:
            case "text":
                clean.text(token.value)
            case "gap":
                clean.gap()
            case "again":
                return Lookahead(text[:start] + token.value + text[token.end :], look.final)
            case "direction" | "tag" | "emoji" | "face":
                clean.gap()
                label = _LABEL.fullmatch(text, start, token.end)
                named = label and XIAOZHI.get((label["quoted"] or label["plain"]).casefold())
                if feeling := named or _feeling(token, self._name, self._languages):
                    clean.cue(feeling, "tag" if named else _SOURCES[token.kind])
        self._at = token.end
        return look

    def _token(self, look: Lookahead, start: int, ch: str) -> Token:
        """What stands at `start`: the first rule that knows it."""
        word_start = not is_word(look.at(start - 1))
        if ch in emoji.ARMS and word_start and (found := emoji.kaomoji(look, start)):
            return found
        if ch in OPENING and (found := emoji.kaomoji(look, start)):
            return found
        if ch in emoji.FIRST and (word_start or not is_word(ch)) and (found := emoji.face(look, start)):
            return found
        if self._clean.at_line_start:
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
                # What a list begins with is no name.
                self._name = ""
        if (word := _WORD.match(look.text, start)) is not None:
            return _word(look, start, word.end())
        return self._sign(look, start, ch)

    def _sign(self, look: Lookahead, start: int, ch: str) -> Token:
        """The token of a character that is neither letter nor digit."""
        if ch in OPENING:
            return (markup.link(look, start) if ch == "[" else None) or bracket(look, start)
        if ch in CLOSING:
            listed = ch in ")）" and _enumerator(self._languages).search(look.text[max(0, start - 6) : start])
            return Token(start + 1, "text", ch) if listed else Token(start + 1, "gap")
        begins = self._clean.at_sentence_start
        if ch in STARS or ch == "_":
            return emphasis.emphasis_mark(look, start, begins, self._languages) or star(look, start)
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
        if ch == "\\":
            escapes = (after := look.at(start + 1)) and not after.isalnum()
            return Token(start + 1, "mark") if escapes else Token(start + 1, "text", ch)
        if ch in _SILENT or "\U000e0020" <= ch <= "\U000e007f" or "\ufe00" <= ch <= "\ufe0f":
            return Token(start + 1, "mark")
        if ch == "#" and (end := keycap_end(look, start)) > start:
            return Token(end, "gap")
        if ch == "." and self._clean.after_gap:
            end = look.skip(".", start)
            return Token(end, "text", look.text[start:end])
        return Token(start + 1, "text", ch)


@cache
def _enumerator(languages: Understood) -> re.Pattern[str]:
    """What stands before a bracket that closes nothing and numbers a list: `1)`, `b)`, `iv)`, `三）`."""
    numbers = languages.speech.enumerators or "(?!)"
    return re.compile(rf"(?:^|[\s,;:.，；：。、])(?:\d{{1,3}}|[A-Za-z]|[ivxIVX]{{2,4}}|{numbers})$")


def _word(look: Lookahead, start: int, end: int) -> Token:
    """A word, or as much of it as has arrived. A digit may yet turn out to be a keycap."""
    last = end - 1
    if look.text[last] in "0123456789" and (keycap := keycap_end(look, last)) > last:
        return Token(keycap, "gap") if last == start else Token(last, "text", look.text[start:last])
    return Token(end, "text", look.text[start:end])


def _feeling(token: Token, name: str | None, languages: Understood) -> Feeling | None:
    """What a token tells the body. `name` is the character's own."""
    match token.kind:
        case "emoji":
            feeling = feeling_of(token.value)
            if feeling is None or token.strength == 1:
                return feeling
            return feeling._replace(intensity=round(min(1.0, feeling.intensity + 0.1 * (token.strength - 1)), 2))
        case "face":
            return emoji.feeling_of_face(token.value)
        case "tag":
            return XIAOZHI.get(token.value.strip().casefold()) or read_direction(token.value, name or "", languages)
        case _:
            return read_direction(token.value, name or "", languages)
