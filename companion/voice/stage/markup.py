"""Marks that models write for the eye: markdown, tags, the speaker's name before a line. Pure.

Marks are dropped and their words kept; what a mark hides (an address, a line of thought) goes with it. Each function
looks at one place and returns the token there, or None if the place is ordinary text.

Models write the speaker's name before a line, but it is not spoken: `Teddy: Hello`. A persona's name is known. Where it
is not (`companion parse` without `--name`), the answer's first line tells: one to three capitalised words, or two to
five letters of a writing without capitals, before a colon, unless they are words that lead in what is really said, such
as `Note:` or `妈妈说：` ("mother says:").
"""

from __future__ import annotations

import re
from functools import cache

from companion.languages.stage import Speech
from companion.languages.understood import Understood
from companion.voice.stage.brackets import OPENING, STARS, bracket, end_of_bracket, star
from companion.voice.stage.emphasis import style_tag
from companion.voice.stage.scanner import Lookahead, Token, is_cjk, is_word_char

_TAG_LENGTH = 80
_SHORTCODE_LENGTH = 32
_BULLETS = "-+•·‣◦▪●○*＊–"
_THOUGHT_TAGS = frozenset(
    ("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "analysis", "inner_thought")
)
"""Tags around the thoughts of the model, whatever language it speaks. Those that the languages add are around thoughts
of the character. They also name a mood before the spoken text, and then they never close."""
_DIRECTION_TAGS = frozenset(
    ("action", "emotion", "gesture", "mood", "expression", "motion", "emote", "feeling", "face", "pose")
)
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
_STYLE_TAGS = ("b", "i", "u", "s", "em", "strong", "span", "sub", "sup", "code", "font", "mark", "ruby", "rt")
_LOOK_BACK = 16
_COMPARES_NOTHING = ("", *'\n.,!?;:…。，！？；：、"”’<>＜＞*_~`]|}')
MAY_BE_STRAY = "<>＜＞^=&+/@•‣†‡※¶¦\ufffd"
"""Signs that a voice has words for. Some never belong to what is said."""
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|[/#]|\S*\w[./]\w)\S*(?:\s+\"[^\"]*\")?\s*", re.IGNORECASE)


def line_mark(look: Lookahead, start: int) -> Token | None:
    """The mark at the beginning of a line: heading, quotation, bullet, fence, rule, or a rule in a table."""
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
        while is_word_char(look.at(info)):
            info += 1
        return Token(info if look.at_line_end(info) else run, "mark")
    if length >= 3 and look.at_line_end(run):
        return Token(run, "mark")
    if ch in "-:" and length >= 2 and look.at(after_colon := look.skip(":", run)) == "|":
        return Token(after_colon, "mark")
    if ch in _BULLETS and ch not in STARS and after in (" ", "\t", "\u3000"):
        return Token(start + 2, "mark")
    return None


def link(look: Lookahead, start: int) -> Token | None:
    """A link `[words](address)`: its words are read again, its address is dropped."""
    end = end_of_bracket(look, start)
    if not end or look.at(end) != "(" or look.text[start] != "[":
        return None
    close = end_of_bracket(look, end)
    if not close or not _ADDRESS.fullmatch(look.text[end + 1 : close - 1]):
        return None
    return Token(close, "again", look.text[start + 1 : end - 1])


def image(look: Lookahead, start: int) -> Token | None:
    """An image `![words](address)`, whose `!` stands at `start`: all of it is dropped."""
    found = link(look, start + 1) if look.at(start + 1) == "[" else None
    return Token(found.end, "gap") if found else None


def shortcode(look: Lookahead, start: int) -> Token | None:
    """An emoji by its name, `:smile:`; not the colons of `8:30:15` or `a::b`."""
    end = start + 1
    while (ch := look.at(end)) and (ch.islower() or ch in "_+-" or ch.isdigit()) and end < start + _SHORTCODE_LENGTH:
        end += 1
    if ch != ":" or end < start + 3 or not look.text[start + 1].islower() or is_word_char(look.at(start - 1)):
        return None
    return (
        None if is_word_char(look.at(end + 1)) else Token(end + 1, "tag", look.text[start + 1 : end].replace("_", " "))
    )


def tag(look: Lookahead, start: int, begins: bool, languages: Understood) -> Token | None:
    """`<br>`, `<think>...</think>`, `<happy>`, `<i>`; not the sign in `3 < 5`, nor the quotation `‹Hallo›`.

    `begins`: a sentence begins here.
    """
    after = look.at(start + 1)
    if after == "|":
        end = start + 2
        while (ch := look.at(end)) not in (">", "\n", "") and end < start + _TAG_LENGTH:
            end += 1
        return Token(end + 1, "gap") if ch == ">" else None
    if not (after == "/" or after.isalpha() or (after == "!" and look.at(start + 2) == "-")):
        return None
    end = start + 1
    while (ch := look.at(end)) not in (">", "＞", "›"):
        if ch in ("", "\n", "<") or end > start + _TAG_LENGTH:
            return None
        end += 1
    if look.text[start] == "‹" and ch == "›":
        return None
    inside = look.text[start + 1 : end].strip()
    if is_word_char(look.at(start - 1)) and is_word_char(look.at(end + 1)) and " " in inside:
        return None
    kind = re.match(r"/?[\w-]*", inside.casefold())
    said = kind.group() if kind else ""
    if said in ("br", "p", "/p", "hr", "br/"):
        return Token(end + 1, "again", "\n")
    if said in _THOUGHT_TAGS | languages.speech.thought_tags and not inside.endswith("/"):
        return _thought(look, end + 1, said, languages)
    if said in _DIRECTION_TAGS | languages.speech.direction_tags and not inside.endswith("/"):
        return _tagged_direction(look, end + 1, said)
    if said in _STYLE_TAGS:
        return style_tag(look, start, end + 1, said, begins, languages)
    if said.strip("/") in _STYLE_TAGS:
        return Token(end + 1, "mark")
    return Token(end + 1, "tag", "" if inside.startswith("/") else inside.replace("_", " ").rstrip("/"))


def is_stray(look: Lookahead, start: int) -> bool:
    """Whether a sign joins nothing: `Hello.>`, `Hi ^`, `bye &`; not in `3 < 5`, `->`, `>=`, `A+`, `3 = ?`."""
    ch = look.text[start]
    before = look.text[max(0, start - _LOOK_BACK) : start]
    after = look.skip(" \t\r", start + 1)
    behind = look.at(after)
    if ch in "•‣†‡※¶¦\ufffd" or (behind in ("", "\n") and (ch in "<>＜＞^=" or before[-1:].isspace())):
        return True
    if ch == "/" and before[-1:] == "<":
        # A closing tag that was cut off.
        return True
    if ch == "^":
        return not (is_word_char(before[-1:]) or before[-1:] in (")", "）")) or not (
            behind.isalnum() or behind in "(-+"
        )
    if ch not in "<>＜＞" or behind.isdigit() or behind in ("=", "-") or before[-1:] in ("=", "-"):
        return False
    glued = before[-1:].isspace() != (after > start + 1) and not before[-1:].isdigit()
    return glued or before.rstrip(" \t")[-1:] in _COMPARES_NOTHING or _compares_nothing(look, after)


def _compares_nothing(look: Lookahead, after: int) -> bool:
    behind = look.at(after)
    return is_cjk(behind) or behind in ';…"”/>＞!?,:*_`|' or (behind == "." and not look.at(after + 1).isdigit())


def _tagged_direction(look: Lookahead, start: int, said: str) -> Token:
    """`<action>waves</action>`. If the closing tag is missing, only the tag is dropped."""
    for index in range(start, start + 200):
        ch = look.at(index)
        if ch in ("", "\n"):
            break
        if ch == "<" and look.starts_with(f"</{said}>", index):
            return Token(index + len(said) + 3, "tag", look.text[start:index])
    return Token(start, "gap")


@cache
def _closing_thought(languages: Understood) -> re.Pattern[str]:
    names = "|".join(sorted(_THOUGHT_TAGS | languages.speech.thought_tags))
    return re.compile(rf"[<＜‹]/\s*(?:{names})\s*[>＞›]", re.IGNORECASE)


def _thought(look: Lookahead, start: int, said: str, languages: Understood) -> Token:
    """A thought, up to the tag that closes it.

    The model's own thought that never closes (the answer was cut within it) hides all the rest. The character's
    thought that never closes hides its paragraph; where that is all there is, it is what the character says, and the
    tag is a mood.
    """
    if closing := _closing_thought(languages).search(look.text, start):
        return Token(closing.end(), "gap")
    length = len(look.text)
    look.at(length)
    if said in _THOUGHT_TAGS:
        return Token(length, "gap")
    paragraph = _PARAGRAPH.search(look.text, start)
    if paragraph and look.text[paragraph.end() :].strip():
        return Token(paragraph.start(), "gap")
    return Token(start, "tag", said)


def backtick(look: Lookahead, start: int) -> Token:
    """Code is read as text. Inside a word it is an apostrophe."""
    inside = is_word_char(look.at(start - 1)) and is_word_char(look.at(start + 1))
    return Token(start + 1, "text", "'") if inside else Token(start + 1, "mark")


_LONGEST = 32
_COLONS = ":："
_WITH_CAPITALS = re.compile(r"[A-ZÀ-Þ][\w'’.-]*(?: [A-ZÀ-Þ][\w'’.-]*){0,2}")
_WITHOUT_CAPITALS = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3·]{2,5}")
"""A name in Chinese, Japanese or Korean letters."""


def speaker_name(look: Lookahead, start: int, folded: str) -> Token | None:
    """The speaker's name before a colon, with a direction between them: `Teddy (smiles): Hello`."""
    for offset, expected in enumerate(folded):
        if look.at(start + offset).casefold() != expected:
            return None
    index = look.skip("*_ \t", start + len(folded))
    said = ""
    ch = look.at(index)
    if ch and (ch in OPENING or look.text[index - 2 : index].lstrip() == "*"):
        opening = index if ch in OPENING else index - 1
        inner = bracket(look, opening) if ch in OPENING else star(look, opening)
        if inner.kind == "direction" and "\n" not in look.text[opening : inner.end]:
            said, index = inner.value, look.skip("*_ \t", inner.end)
    if not (ch := look.at(index)) or ch not in ":：":
        return None
    # A star after the colon may open a direction, so only the partner of a bold mark before the name is dropped.
    bold = look.text[:start][-2:]
    end = index + 3 if bold in ("**", "__") and look.starts_with(bold, index + 1) else index + 1
    return Token(end, "direction", said)


def guess_speaker(look: Lookahead, start: int, languages: Understood) -> str:
    """The name that the line at `start` seems to begin with, in small letters; empty if there is none."""
    end = start
    while (ch := look.at(end)) and end - start < _LONGEST and ch not in _COLONS + "*\n" and ch not in OPENING:
        end += 1
    words = look.text[start:end].strip(" _")
    if not ch or ch == "\n" or not words or not _is_name(words, languages.speech):
        return ""
    if ch in _COLONS and (after := look.at(end + 1)) and (after.isdigit() or after in "/)("):
        return ""
    if ch in _COLONS and look.text[end - 1].isspace() and after and not after.isspace():
        # A smiley, as in `Great :D`.
        return ""
    folded = words.casefold()
    return folded if speaker_name(look, start, folded) else ""


def _is_name(words: str, speech: Speech) -> bool:
    if _WITH_CAPITALS.fullmatch(words):
        return not any(word in speech.lead_ins for word in words.casefold().split())
    if _WITHOUT_CAPITALS.fullmatch(words):
        return (
            words not in speech.lead_ins
            and words[-1] not in speech.name_never_ends
            and words[0] not in speech.name_never_begins
        )
    return False
