"""Stage directions in brackets or stars: where they close. Pure.

The text between them is never spoken, so it is held back until the direction closes. It may contain a blank line, but
no other direction may begin after that.

A direction that does not close within `HOLD` code points ends at a mark of another kind that closes on its line, as in
`(smiles] Hi`. Where there is none it costs a clause at most, so that a forgotten bracket cannot silence the rest of the
answer: it ends at the first emoji of its line or at the end of its first sentence there; at the end of its first clause
if whole sentences follow; else at the end of the line or of the answer (a direction that was cut off). It never reaches
over another direction that begins inside it.
"""

from __future__ import annotations

import re
import unicodedata

from companion.voice.stage.scanner import Incomplete, Lookahead, Token, is_cjk, is_word_char

HOLD = 600
"""Code points. Nearly all directions that models write are shorter, and whole answers are longer."""

LOOSE = 80
"""Code points within which a star between blanks or inside a word must close."""

_DEEPEST = 8
"""Directions inside one another. Beyond that the outermost counts as never closed, which costs no further search."""

_LOOK_BACK = 16
"""Code points. The stage keeps more than this before the current place, however the text was cut."""

# Families of brackets: a model that opens with a wide one often closes with a narrow one.
_FAMILIES = ("(（⦅｟ )）⦆｠", "[［【〔〖 ]］】〕〗", "{｛ }｝", "ʕ ʔ")
OPENING = {ch: family for family, pairs in enumerate(_FAMILIES) for ch in pairs.split()[0]}
CLOSING = {ch: family for family, pairs in enumerate(_FAMILIES) for ch in pairs.split()[1]}
STARS = "*＊"

_BRACKET = re.compile(f"[{re.escape(''.join((*OPENING, *CLOSING)))}]|\\n[ \\t\\r]*\\n")
_STAR = re.compile(f"[{STARS}]+|[{re.escape(''.join(OPENING))}]|\\n[ \\t\\r]*\\n")
_SENTENCE_END = re.compile(r"[。！？!?]+[\"”'’」』]*|\.+(?=\s)")
_CLAUSE_END = re.compile(r"[,;:—–](?=\s)|[，、；：]|—")
_WHOLE = re.compile(r"[。！？!?.…][^\w,;:]*\Z")
"""The end of a line that was not cut off."""
_EYES = ":;="
_NO_END = re.compile(r"(?:[:;=][-^']?|\^|[\s,;，、。；](?:\d{1,3}|[A-Za-z]))$")
"""What stands before a `)` that is the mouth of a smiley or numbers a list."""


def bracket(look: Lookahead, start: int) -> Token:
    """The direction whose bracket opens at `start`."""
    end, stop = _partner(look, start)
    return Token(end, "direction", look.text[start + 1 : end - 1]) if end else _unclosed(look, start, stop)


def end_of_bracket(look: Lookahead, start: int) -> int:
    """The position just after the bracket that closes the one at `start`; 0 if it never closes."""
    return _partner(look, start)[0]


def _partner(look: Lookahead, start: int) -> tuple[int, int]:
    """The position just after the closing bracket, or 0; and how far the direction may reach at most."""
    stack: list[int] = []
    inner, blank, stray = 0, 0, False
    for found in _BRACKET.finditer(look.text, start, start + HOLD):
        ch = found.group()
        if ch in OPENING:
            if blank or stray:
                return 0, blank or found.start()
            inner = inner or (found.start() if stack else 0)
            stack.append(OPENING[ch])
            if len(stack) > _DEEPEST:
                return 0, inner
        elif ch not in CLOSING:
            blank = blank or found.start() + 1
            if len(stack) > 1:
                return 0, blank
        elif CLOSING[ch] not in stack:
            stray = stray or len(stack) == 1
        elif (blank or stray) and _NO_END.search(look.text[max(start, found.start() - 5) : found.start()]):
            continue
        elif not _smiles(look, found.start(), len(stack)):
            # A closing bracket of an outer family closes the inner ones, too.
            while stack.pop() != CLOSING[ch]:
                pass
            if not stack:
                return found.end(), found.end()
    return 0, min(_searched(look, start + HOLD), blank or inner or start + HOLD)


def _searched(look: Lookahead, stop: int) -> int:
    """Where a search up to `stop` that found nothing ended. Raises `Incomplete` if more text may change the result."""
    if look.final or len(look.text) >= stop:
        return min(stop, len(look.text))
    raise Incomplete


def star(look: Lookahead, start: int) -> Token:
    """A single star: it opens a direction, multiplies, or is a stray mark."""
    before, after = look.at(start - 1), look.at(start + 1)
    if after in "\ufe0f\u20e3" and after:
        return Token(look.skip("\ufe0f\u20e3", start + 1), "gap")
    if _is_operator(look, start):
        return Token(start + 1, "text", look.text[start])
    if after and not after.isspace():
        inside_word = is_word_char(before)
        end, stop = _star_partner(look, start, LOOSE if inside_word else HOLD)
        inner = look.text[start + 1 : end]
        if inside_word and (not end or _SENTENCE_END.search(inner) or (len(inner) < 4 and is_word_char(look.at(end)))):
            return Token(start + 1, "mark")
        if not end and after in ",;:!?)":
            return Token(start + 1, "gap")
        return Token(end, "direction", inner) if end else _unclosed(look, start, stop)
    if not is_word_char(before) and after and (end := _loose_partner(look, start)):
        return Token(end, "direction", look.text[start + 1 : end])
    return Token(start + 1, "mark")


def _star_partner(look: Lookahead, start: int, hold: int) -> tuple[int, int]:
    """The position just after the star that closes the one at `start`, or 0; and how far the direction may reach."""
    spare, inner, blank, index, text = 0, 0, 0, start + 1, look.text
    open_runs = [1]
    while found := _STAR.search(text, index, start + hold):
        index, run = found.end(), found.group()
        before, after = text[found.start() - 1], look.at(index)
        lines = "\n" in text[start : found.start()]
        if run[0] == "\n":
            blank = blank or found.start() + 1
            if spare or inner:
                return spare, inner or blank
        elif run[0] not in STARS:
            # Stars inside a bracket do not close the direction: `*hops (*^▽^*) away*`.
            index = (end_of_bracket(look, found.start()) if after and after in STARS else 0) or index
        elif (after and after in "\ufe0f\u20e3") or (len(run) == 1 and _is_operator(look, found.start())):
            continue
        elif (before.isspace() or before in OPENING) and after and not after.isspace() and after not in ".,!?;:":
            # It opens a direction inside this one, or this one was never closed.
            inner = inner or found.start()
            open_runs.append(len(run))
            if lines or len(open_runs) > _DEEPEST:
                return spare, blank or inner
        elif len(run) == 2 and open_runs[-1] != 2:
            # Bold inside the direction, or a direction that is closed with one star too many.
            spare = spare or (0 if is_word_char(after) else index)
        elif not lines or not after.isalnum():
            closed = open_runs.pop()
            while open_runs and closed < len(run):
                closed += open_runs.pop()
            if not open_runs:
                return found.start() + min(closed, len(run)), index
    return spare, min(_searched(look, start + hold), blank or inner or start + hold)


def _loose_partner(look: Lookahead, start: int) -> int:
    """The position just after the closing star, where a blank follows the opening one (`* smiles *`), or 0."""
    for index in range(start + 1, start + LOOSE):
        ch = look.at(index)
        if ch in ("", "\n"):
            return 0
        if ch in STARS:
            after = look.at(index + 1)
            opens = look.text[index - 1].isspace() and after and not after.isspace()
            return 0 if opens or _is_operator(look, index) else index + 1
    return 0


def _is_operator(look: Lookahead, index: int) -> bool:
    """Whether the star multiplies: between numbers or single letters, with a blank on both sides or on neither."""
    text = look.text
    left = index - 1
    while left >= max(0, index - _LOOK_BACK) and text[left] in " \t":
        left -= 1
    operand = text[left] if left >= 0 else ""
    if not is_word_char(operand) or (operand.isalpha() and left > 0 and is_word_char(text[left - 1])):
        return False
    right = look.skip(" \t", index + 1)
    other = look.at(right)
    if (right == index + 1) != (left == index - 1) or not is_word_char(other):
        return False
    return other.isdigit() or not is_word_char(look.at(right + 1))


def _unclosed(look: Lookahead, start: int, stop: int) -> Token:
    """A direction that does not close up to `stop`; the docstring of the module tells where it ends."""
    held = look.text[start:stop]
    line = held.partition("\n")[0]
    end = start + (_other_end(line) or _first_clause(line) or len(line))
    return Token(end, "direction", look.text[start + 1 : end])


def _first_clause(line: str) -> int:
    """Where the direction ends that `line` begins with, by its emoji and punctuation; 0 if they do not tell."""
    emoji = next((at for at, ch in enumerate(line) if ch > "\u2190" and unicodedata.category(ch) == "So"), 0)
    sentence = _SENTENCE_END.search(line)
    clause = _CLAUSE_END.search(line) if _WHOLE.search(line) else None
    return emoji or min((found.end() for found in (sentence, clause) if found), default=0)


def _other_end(held: str) -> int:
    """The position just after a mark of another kind that closes `held`, as in `(smiles] Hi`; 0 if there is none."""
    inner = ""
    for index in range(1, len(held)):
        ch, after = held[index], held[index + 1 : index + 2]
        if ch in STARS and not held[index - 1].isspace() and not is_word_char(after):
            if "*" not in inner:
                return index + 1
            inner = inner.partition("*")[0]
        elif ch in OPENING or (ch in STARS and after and not after.isspace()):
            inner += "*" if ch in STARS else "("
        elif ch in CLOSING:
            if "(" not in inner:
                return index + 1
            inner = inner.rpartition("(")[0]
    return 0


def _smiles(look: Lookahead, index: int, depth: int) -> bool:
    """Whether the `)` at `index` is the mouth of a smiley and the bracket closes later: `(hops :) away)`."""
    face = index - 1
    if look.at(face) == "-":
        face -= 1
    if depth != 1 or look.at(face) not in _EYES or not look.at(face - 1).isspace():
        return False
    for ahead in range(index + 1, index + LOOSE):
        ch = look.at(ahead)
        if ch and ch in ")）":
            return look.at(ahead - 1) not in _EYES + "-"
        if ch in "(（.!?。！？\n" or is_cjk(ch):
            return False
    return False
