"""Marks of emphasis (`**`, `_`, `~`, `<i>`, `-waves-`), which at times enclose a stage direction. Pure.

Each function looks at one place and returns the token there. `emphasis_grammar` decides whether marked words are said
or done. It is asked where the mark opens, so at most `_LENGTH` code points are held back for it.
"""

from __future__ import annotations

from companion.languages.understood import Understood
from companion.voice.stage.brackets import STARS
from companion.voice.stage.emphasis_grammar import is_direction, is_emphasis, is_known_action
from companion.voice.stage.scanner import Lookahead, Token, is_cjk, is_small_letter, is_word_char, takes_particles

_LENGTH = 120
"""Code points within which a mark must close, on the same line, to enclose a direction."""
_HALF_LENGTH = 60
_TILDES = "~～〜"
_BOLD_TAGS = ("b", "strong")
PAIRED = "-–—:/=^"
"""Marks that some models put around directions, and that are not used for emphasis."""


def emphasis_mark(look: Lookahead, start: int, begins: bool, languages: Understood) -> Token | None:
    """A run of `**` or `_`: a mark that is dropped, or a direction. `begins`: a sentence begins here."""
    ch = look.text[start]
    run = start + 1
    if ch in STARS:
        if look.at(run) not in STARS or not look.at(run):
            return None
        run += 1
        if look.at(start - 1).isdigit() and look.at(run).isdigit():
            return Token(run, "text", look.text[start:run])
        if look.at(run) and look.at(run) in STARS and (crossed := _crossed_out(look, start)):
            return crossed
        opens = (not (before := look.at(start - 1)) or before.isspace()) and not look.at(run).isspace()
        if opens and (half := _half_bold(look, run)):
            return half
        return _marked(look, start, run, STARS, begins, languages) or Token(run, "mark")
    run = look.skip("_", run)
    if is_word_char(look.at(start - 1)) and is_word_char(look.at(run)):
        return Token(run, "text", look.text[start:run])
    return _marked(look, start, run, "_", begins, languages) or Token(run, "mark")


def stressed_words(look: Lookahead, start: int, begins: bool, languages: Understood) -> Token | None:
    """Words in one or three stars that are said: `I *love* honey`. None: the stars open a direction, or nothing."""
    run = look.skip(STARS, start + 1)
    before = look.at(start - 1)
    if run - start not in (1, 3) or (is_word_char(before) and not is_cjk(before)) or before == "_":
        return None
    for index in range(run, run + _HALF_LENGTH):
        ch = look.at(index)
        if ch and ch in STARS:
            end = look.skip(STARS, index)
            said = look.text[run:index]
            # Particles of Korean are glued to the word, and Chinese puts no blanks: `너는 *최고*야`.
            glued = is_word_char(look.at(end)) and not (takes_particles(said[-1:]) and takes_particles(look.at(end)))
            closes = end - index == run - start and not glued
            stands = said and (said[0].isalnum() or said[0] in "¡¿") and (said[-1].isalnum() or said[-1] in "!?！？")
            stressed = closes and stands and is_emphasis(look, start, end, said, begins, languages)
            return Token(end, "again", said) if stressed else None
        if not (ch.isalnum() or (ch and ch in " '’-!?！？¡¿")):
            return None
    return None


def tilde(look: Lookahead, start: int, begins: bool, languages: Understood) -> Token:
    """`~` lengthens a vowel and is dropped, or encloses a direction. Before a number it means "about" or "to"."""
    end = look.skip(_TILDES, start + 1)
    if end == start + 1:
        blank = look.at(start - 1) == look.at(end) == " "
        if look.at(end).isdigit() or (blank and look.at(start - 2).isdigit() and look.at(end + 1).isdigit()):
            return Token(end, "text", look.text[start])
    words = look.skip(" ", end) if begins else end
    return _marked(look, start, words, _TILDES, begins, languages) or Token(end, "gap")


def style_tag(look: Lookahead, start: int, run: int, kind: str, begins: bool, languages: Understood) -> Token:
    """`<i>`, whose `>` stands before `run`: a mark, or a direction up to its `</i>`."""
    closing = f"</{kind}>"
    for index in range(run, run + _LENGTH):
        ch = look.at(index)
        if ch in ("", "\n"):
            break
        if ch == "<":
            end, said = index + len(closing), look.text[run:index]
            look.at(end - 1)
            if look.text[index:end].casefold() != closing:
                continue
            if is_direction(look, start, end, said, begins, kind in _BOLD_TAGS, languages):
                return Token(end, "direction", said)
            break
    return Token(run, "mark")


def paired_marks(look: Lookahead, start: int, languages: Understood) -> Token | None:
    """`-waves-`, `-- waves --`, `::waves::`, `/waves/` where a sentence begins; not `- 5`, `/home/x`, `—No!`."""
    mark = look.text[start]
    before = look.at(start - 1)
    run = look.skip(mark, start + 1)
    length = run - start
    spaced = mark in "-–—" and length >= (2 if mark == "-" else 1) and look.at(run) == " "
    run += spaced
    if (before and not before.isspace()) or length > 3 or not look.at(run).isalpha():
        return None
    for index in range(run, run + _HALF_LENGTH):
        ch = look.at(index)
        if ch == mark:
            end = look.skip(mark, index)
            stands = look.text[index - 1].isspace() == spaced and not is_word_char(look.at(end))
            said = look.text[run:index].rstrip()
            is_direction = stands and end - index == length and is_known_action(said, languages)
            return Token(end, "direction", said) if is_direction else None
        if not (ch.isalpha() or (ch and ch in " ,.'’")):
            return None
    return None


def _marked(look: Lookahead, start: int, run: int, marks: str, begins: bool, languages: Understood) -> Token | None:
    """The direction between the marks from `start` to `run` and the same marks later on the line."""
    first = look.at(run)
    if not first or first.isspace() or is_word_char(look.at(start - 1)):
        return None
    if not (is_small_letter(first) or begins) and not is_cjk(first) and first not in "*_~":
        return None
    least = 1 if marks == _TILDES else min(2, run - start)
    index = run
    while index < run + _LENGTH:
        ch = look.at(index)
        if ch in ("", "\n"):
            return None
        if ch not in marks:
            index += 1
            continue
        end = look.skip(marks, index)
        inside_word = is_word_char(look.text[index - 1]) and is_word_char(look.at(end))
        closes = marks == _TILDES or not look.text[index - 1].isspace()
        if end - index >= least and closes and not inside_word:
            said = look.text[run:index]
            bold = least == 2
            return (
                Token(end, "direction", said) if is_direction(look, start, end, said, begins, bold, languages) else None
            )
        index = end
    return None


def _crossed_out(look: Lookahead, start: int) -> Token | None:
    """Three or more stars that replace letters: `f***ing`, `他***的`, `****`. Not those around words."""
    run = look.skip(STARS, start)
    before = look.at(start - 1)
    if is_word_char(before):
        return Token(run, "mark")
    if not is_word_char(look.at(run)) and not is_cjk(look.at(run)) and (not before or before.isspace()):
        return Token(run, "gap") if run - start > 3 else None
    if not is_cjk(before) or not before.isalnum():
        return None
    for index in range(run, run + _HALF_LENGTH):
        ch = look.at(index)
        if ch in STARS or ch in ("", "\n"):
            return None if ch and ch in STARS and look.starts_with(ch, index + 1) else Token(run, "mark")
    return Token(run, "mark")


def _half_bold(look: Lookahead, start: int) -> Token | None:
    """A direction between marks that do not match: `**smiles* Hello`, if no `**` closes later on its line."""
    end = 0
    for index in range(start, start + _HALF_LENGTH):
        ch = look.at(index)
        if ch in ("", "\n"):
            break
        if ch in STARS:
            after = look.at(index + 1)
            before = look.text[index - 1]
            if after and after in STARS:
                return None
            end = end or (index if not before.isspace() and not before.isdigit() and not is_word_char(after) else -1)
    return Token(end + 1, "direction", look.text[start:end]) if end > 0 else None
