"""A forgiving line parser for the installer's file.

Pure. A plain TOML line means here what it means in TOML (except one with U+FFFD, which stands for lost bytes). Beyond
that, everything unambiguous is accepted: quotation marks of any kind, a colon in place of the equals sign, a value
without quotation marks. A bad line never affects the others. Messages never quote the file: what looks like a
misspelt name may be a password.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

Value = str | int | float | bool | None

_SPACE = " \t\f\u00a0\u2007\u202f\u200b\u200c\u200d\u2060\ufeff\u3000"
_DOUBLE = '"“”„‟«»″＂'
_SINGLE = "'‘’‚‛‹›′`´＇"
_NAME = re.compile(
    rf"[{_SPACE}]*[{_DOUBLE}{_SINGLE}]?([^=:＝：\t#{{}}{_DOUBLE}{_SINGLE}]{{1,60}})[{_DOUBLE}{_SINGLE}]?"
)
_EQUALS = re.compile(rf"[{_SPACE}]*(=+|:|＝|：)[{_SPACE}]*|\t[{_SPACE}]*")
_TABLE = re.compile(r"\[+\s*([^\]#]{1,60}?)\s*(\]*)\s*(?:#.*)?$")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_AFTER_QUOTED = {False: rf"[{_SPACE},;]*(?:$|#)", True: rf"[{_SPACE}]*[,}}]"}
"""What may follow a quoted value. Key: whether it is inside an inline table."""
_UNQUOTED = "has no quotation marks around its value; it was understood all the same"


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `name = value`."""

    line: int
    table: str
    name: str
    """In lower case, words joined by `_`; with a prefix where the line itself names a table (`wifi.ssid`)."""
    value: Value
    """None where the value is missing or cannot be read."""
    start: int
    end: int
    """The value's span in the text, quotation marks included."""
    remarks: tuple[str, ...] = ()
    """What is unusual about the line but was accepted."""
    problem: str = ""
    """Why the value cannot be read."""


@dataclass(frozen=True, slots=True)
class OtherLine:
    """A line that assigns nothing."""

    line: int
    kind: str
    """`table` (a heading), `comment` (a commented-out assignment), `words` (text without `=`; `name` is its first
    word), or `damage` (control characters or lost bytes)."""
    name: str = ""


def parse_lines(text: str) -> Iterator[Assignment | OtherLine]:
    """Parse the text line by line. A comment is reported only where it hides an assignment with a value."""
    table = ""
    for number, found in enumerate(re.finditer(r"[^\r\n]*(?:\r\n|\n|\r|$)", text), 1):
        line = found.group().rstrip("\r\n")
        begin = len(line) - len(line.lstrip(_SPACE))
        rest = line[begin:].rstrip(_SPACE)
        if not rest:
            continue
        if any(one < " " and one not in "\t\f" for one in rest) or "\ufffd" in rest:
            yield OtherLine(number, "damage")
        elif rest[0] in "#;" or rest.startswith("//"):
            hidden = list(_assignments(rest.lstrip("#;/ "), 0, number, table, 0))
            if len(hidden) == 1 and hidden[0].value not in (None, ""):
                yield OtherLine(number, "comment", _full_name(hidden[0]))
        elif rest[0] == "[" and (named := _TABLE.match(rest)):
            table = _normalised_name(named[1])
            yield OtherLine(number, "table", table)
        else:
            entries = list(_assignments(line, begin, number, table, found.start()))
            yield from entries
            if not entries:
                yield OtherLine(number, "words", _normalised_name(re.split(r"\s", rest)[0]))


def _full_name(entry: Assignment) -> str:
    return f"{entry.table}.{entry.name}" if entry.table else entry.name


def _normalised_name(name: str) -> str:
    joined = re.sub(r"[\s\u00a0_-]+", "_", name.strip(_SPACE + _DOUBLE + _SINGLE)).lower()
    return re.sub(r"_*\._*", ".", joined)


def _assignments(
    line: str, at: int, number: int, table: str, offset: int, inline: bool = False
) -> Iterator[Assignment]:
    """The assignments of a line, or of one place in an inline table. `offset` is the line's start in the text."""
    named = _NAME.match(line, at)
    equals = _EQUALS.match(line, named.end()) if named else None
    if not named or not equals or not (name := _normalised_name(named[1])):
        return
    start = equals.end()
    if line[start : start + 1] == "{":
        yield from _inline_table(line, start + 1, number, f"{table}.{name}" if table else name, offset)
        return
    value, end, remarks, problem = _parse_value(line, start, inline)
    sign = equals.group().strip(_SPACE)
    if sign != "=":
        remarks = ("has another sign in the place of =; it was understood all the same", *remarks)
    yield Assignment(number, table, name, value, offset + start, offset + end, remarks, problem)


def _inline_table(line: str, at: int, number: int, table: str, offset: int) -> Iterator[Assignment]:
    while at < len(line):
        found = list(_assignments(line, at, number, table, offset, inline=True))
        if not found:
            return
        yield from found
        at = max(found[-1].end - offset, at + 1)
        comma = re.compile(rf"[{_SPACE}]*,").match(line, at)
        if not comma:
            return
        at = comma.end()


def _parse_value(line: str, start: int, inline: bool) -> tuple[Value, int, tuple[str, ...], str]:
    """The value at `start`: value, end, remarks, problem."""
    first = line[start : start + 1]
    if not first or first == "#":
        return None, start, (), ""
    if line.startswith(('"""', "'''"), start):
        return None, len(line), (), "must stand in one line, between one quotation mark on each side"
    if first == "[":
        return None, len(line), (), "takes one value only, without the square brackets"
    if first in _DOUBLE or first in _SINGLE:
        text, end, remarks, problem = _parse_quoted(line, start)
        if not problem and not re.match(_AFTER_QUOTED[inline], line[end:]):
            problem = "has more text behind its second quotation mark; if a quotation mark belongs to it, use '...'"
        return (None if problem else text), end, remarks, problem
    return _parse_bare(line, start, inline)


def _parse_quoted(line: str, start: int) -> tuple[Value, int, tuple[str, ...], str]:
    opening, inside = line[start], start + 1
    closing = -1
    if opening == '"' and (whole := re.compile(r'"((?:[^"\\]|\\.)*)"').match(line, start)):
        closing = whole.end() - 1
    elif opening == "'":
        closing = line.find("'", inside)
    remarks: tuple[str, ...] = ()
    if closing < 0:
        # An editor made typographic quotation marks: any of the same family closes, the straight one included.
        family = _DOUBLE if opening in _DOUBLE else _SINGLE
        closing = next((at for at in range(inside, len(line)) if line[at] in family), -1)
        if closing < 0:
            return None, len(line), (), "lacks the quotation mark at its end"
        remarks = ('has other quotation marks than " around its value; it was understood all the same',)
    text = line[inside:closing]
    if opening == '"' and not remarks and "\\" in text:
        try:
            text = tomllib.loads(f'value = "{text}"')["value"]
        except tomllib.TOMLDecodeError:
            remarks = ("has a \\ in it, which was taken as it stands; '...' around it would be clearer",)
    if any(one < " " for one in text):
        return None, closing + 1, (), "has an invisible character in it; type it again, with '...' around it"
    return text, closing + 1, remarks, ""


def _parse_bare(line: str, start: int, inline: bool) -> tuple[Value, int, tuple[str, ...], str]:
    text = re.split(r"[,}]" if inline else r"\s#", line[start:])[0].rstrip(_SPACE + ";,")
    ahead = text.partition("#")[0].rstrip(_SPACE)
    if _NUMBER.fullmatch(ahead) or ahead.lower() in _WORDS:
        # Numbers and booleans contain no #, so a comment may begin without a space before it.
        text = ahead
    end = start + len(text)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()], end, (), ""
    if _NUMBER.fullmatch(text):
        return (float(text) if "." in text else int(text[:18])), end, (), ""
    if any(one in _DOUBLE + _SINGLE + "#" for one in text):
        return None, end, (), "lacks the quotation marks around its value"
    return text or None, end, (_UNQUOTED,) if text else (), ""
