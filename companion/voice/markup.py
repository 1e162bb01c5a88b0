"""Marks that models write for the eye: markdown, tags, the speaker's name. Pure.

Marks are dropped and their words kept; what a mark hides (an address, a line of thought) goes with it. Each function
looks at one place and returns the token there, or None if the place is ordinary text.
"""

from __future__ import annotations

import re

from companion.voice.brackets import STARS, closed_bracket
from companion.voice.directions import read
from companion.voice.lookahead import Lookahead, Token, is_cjk, is_word

_TAG_LENGTH = 80
_EMPHASIS_LENGTH = 60
_SHORTCODE_LENGTH = 32
_BULLETS = "-+•·‣◦▪●○*＊–"
_THOUGHTS: tuple[str, ...] = (
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "reflection",
    "analysis",
    "inner_thought",
)
_THOUGHTS += ("思考", "想法", "心理", "内心", "心声", "思考過程", "pikiran")
_STYLE_TAGS = ("b", "i", "u", "s", "em", "strong", "span", "sub", "sup", "code", "font", "mark", "ruby", "rt")
_DIRECTION_TAGS: tuple[str, ...] = (
    "action",
    "emotion",
    "gesture",
    "mood",
    "expression",
    "motion",
    "emote",
    "feeling",
    "face",
    "pose",
)
_DIRECTION_TAGS += (
    "动作",
    "表情",
    "神态",
    "情绪",
    "旁白",
    "動作",
    "感情",
    "仕草",
    "aksi",
    "tindakan",
    "gerakan",
    "ekspresi",
)
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|[/#]|\S*\w[./]\w)\S*(?:\s+\"[^\"]*\")?\s*", re.IGNORECASE)
_STANDS_FOR_ACTION = re.compile(r"[^\W\d_]+(?:s|ing|ly|ed)\b|(?:ter|ber|me)[a-z]{3,}|[\u3040-\u9fff]{2}")


def line_mark(look: Lookahead, start: int) -> Token | None:
    """The mark that a line begins with: heading, quotation, bullet, fence, rule, or a table's ruling."""
    ch = look.text[start]
    after = look.at(start + 1)
    run = start + 1
    if ch in "-=_*~`#:" and after and after in "-=_*~`#":
        fill = after if ch == ":" else ch
        run = look.skip(fill, start + 1)
    length = run - start
    if ch == "#":
        return Token(run, "mark") if length <= 6 and look.at(run) in (" ", "\t") else None
    if ch == ">":
        return Token(start + 1, "mark") if not after.isdigit() and after != "=" else None
    if ch == "`" and length >= 3:
        info = run
        while is_word(look.at(info)):
            info += 1
        return Token(info if look.line_end(info) else run, "mark")
    if length >= 3 and look.line_end(run):
        return Token(run, "mark")
    if ch in "-:" and length >= 2 and look.at(after_colon := look.skip(":", run)) == "|":
        return Token(after_colon, "mark")
    if ch in _BULLETS and ch not in STARS and after in (" ", "\t", "\u3000"):
        return Token(start + 2, "mark")
    return None


def link(look: Lookahead, start: int) -> Token | None:
    """A link `[words](address)`: its words are read again, its address is not spoken."""
    end = closed_bracket(look, start)
    if not end or look.at(end) != "(" or look.text[start] != "[":
        return None
    close = closed_bracket(look, end)
    if not close or not _ADDRESS.fullmatch(look.text[end + 1 : close - 1]):
        return None
    return Token(close, "again", look.text[start + 1 : end - 1])


def image(look: Lookahead, start: int) -> Token | None:
    """`![words](address)`, whose `!` stands at `start`: nothing of it is spoken."""
    found = link(look, start + 1) if look.at(start + 1) == "[" else None
    return Token(found.end, "gap") if found else None


def shortcode(look: Lookahead, start: int) -> Token | None:
    """A pictograph by its name, `:smile:`; not the colons of `8:30:15` or `a::b`."""
    end = start + 1
    while (ch := look.at(end)) and (ch.islower() or ch in "_+-" or ch.isdigit()) and end < start + _SHORTCODE_LENGTH:
        end += 1
    if ch != ":" or end < start + 3 or not look.text[start + 1].islower() or is_word(look.at(start - 1)):
        return None
    return None if is_word(look.at(end + 1)) else Token(end + 1, "tag", look.text[start + 1 : end].replace("_", " "))


def tag(look: Lookahead, start: int) -> Token | None:
    """`<br>`, `<think>...</think>`, `<happy>`; not the sign in `3 < 5`."""
    after = look.at(start + 1)
    if after == "|":
        end = start + 2
        while (ch := look.at(end)) not in (">", "\n", "") and end < start + _TAG_LENGTH:
            end += 1
        return Token(end + 1, "gap") if ch == ">" else None
    if not (after == "/" or after.isalpha() or (after == "!" and look.at(start + 2) == "-")):
        return None
    end = start + 1
    while (ch := look.at(end)) not in (">", "＞"):
        if ch in ("", "\n", "<") or end > start + _TAG_LENGTH:
            return None
        end += 1
    inside = look.text[start + 1 : end].strip()
    if is_word(look.at(start - 1)) and is_word(look.at(end + 1)) and " " in inside:
        return None
    kind = re.match(r"/?[\w-]*", inside.casefold())
    said = kind.group() if kind else ""
    if said in ("br", "p", "/p", "hr", "br/"):
        return Token(end + 1, "again", "\n")
    if said in _THOUGHTS:
        closing = re.compile(rf"</{said}\s*>", re.IGNORECASE).search(look.text, end)
        return Token(closing.end(), "gap") if closing else _rest(look)
    if said in _DIRECTION_TAGS and not inside.endswith("/"):
        return _tagged_direction(look, end + 1, said)
    if said.strip("/") in _STYLE_TAGS:
        return Token(end + 1, "mark")
    return Token(end + 1, "tag", "" if inside.startswith("/") else inside.replace("_", " ").rstrip("/"))


def _tagged_direction(look: Lookahead, start: int, said: str) -> Token:
    """`<action>waves</action>`; where the closing tag is missing, the tag alone goes."""
    for index in range(start, start + 200):
        ch = look.at(index)
        if ch in ("", "\n"):
            break
        if ch == "<" and look.starts(f"</{said}>", index):
            return Token(index + len(said) + 3, "tag", look.text[start:index])
    return Token(start, "gap")


def _rest(look: Lookahead) -> Token:
    """A line of thought that never ends is never spoken."""
    look.at(len(look.text))
    return Token(len(look.text), "gap")


def emphasis(look: Lookahead, start: int, at_sentence_start: bool) -> Token | None:
    """A run of `**` or `_`: a mark to drop, or a direction where it stands alone and reads like one."""
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
    else:
        run = look.skip("_", run)
        if is_word(look.at(start - 1)) and is_word(look.at(run)):
            return Token(run, "text", look.text[start:run])
    first = look.at(run)
    if at_sentence_start and not is_word(look.at(start - 1)) and (first.islower() or is_cjk(first)):
        return _bold_direction(look, run, look.text[start]) or Token(run, "mark")
    return Token(run, "mark")


def _crossed_out(look: Lookahead, start: int) -> Token | None:
    """Three stars and more that stand for letters: `f***ing`, `他***的`, `****`. Not those around words."""
    run = look.skip(STARS, start)
    before = look.at(start - 1)
    if is_word(before):
        return Token(run, "mark")
    if not is_word(look.at(run)) and not is_cjk(look.at(run)) and (not before or before.isspace()):
        return Token(run, "gap") if run - start > 3 else None
    if not is_cjk(before) or not before.isalnum():
        return None
    for index in range(run, run + _EMPHASIS_LENGTH):
        ch = look.at(index)
        if ch in STARS or ch in ("", "\n"):
            return None if ch and ch in STARS and look.starts(ch, index + 1) else Token(run, "mark")
    return Token(run, "mark")


def _half_bold(look: Lookahead, start: int) -> Token | None:
    """A direction between marks that do not match, `**smiles* Hello`: behind it no `**` closes on its line."""
    end = 0
    for index in range(start, start + _EMPHASIS_LENGTH):
        ch = look.at(index)
        if ch in ("", "\n"):
            break
        if ch in STARS:
            after = look.at(index + 1)
            before = look.text[index - 1]
            if after and after in STARS:
                return None
            end = end or (index if not before.isspace() and not before.isdigit() and not is_word(after) else -1)
    return Token(end + 1, "direction", look.text[start:end]) if end > 0 else None


def _bold_direction(look: Lookahead, start: int, mark: str) -> Token | None:
    """`**waves happily** Hello`: a lower-case clause of its own, closed and followed by a blank."""
    for index in range(start, start + _EMPHASIS_LENGTH):
        ch = look.at(index)
        if ch in ("", "\n") or ch in ".!?。！？：:(（[【":
            return None
        if ch == mark or (ch in STARS and mark in STARS):
            end = look.skip(mark, index)
            said = look.text[start:index]
            alone = look.at(end) in ("", "\n", " ", "\t")
            alone = alone and _STANDS_FOR_ACTION.match(said) is not None and read(said) is not None
            return Token(end, "direction", said) if alone else None
    return None


def tilde(look: Lookahead, start: int) -> Token:
    """`~` lengthens a vowel and is not spoken, except as "about" or "to" before a number."""
    end = look.skip("~～〜", start + 1)
    if end == start + 1 and look.at(end).isdigit():
        return Token(end, "text", look.text[start])
    return Token(end, "gap")


def backtick(look: Lookahead, start: int) -> Token:
    """Code is read as text; inside a word it is somebody's apostrophe."""
    inside = is_word(look.at(start - 1)) and is_word(look.at(start + 1))
    return Token(start + 1, "text", "'") if inside else Token(start + 1, "mark")
