"""The installer's file line by line: what each line sets, what was put up with, and what is wrong with the others.

Pure. Every plain TOML line means here what it means in TOML (but one with U+FFFD, which stands for lost bytes).
Beyond that everything is read that can mean one thing only: quotation marks of any kind, a colon for the equals sign,
a value without quotation marks. A bad line never spoils the others. Messages never hold a word of the file: what
looks like a wrong name may be a password.
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
_BEHIND = {False: rf"[{_SPACE},;]*(?:$|#)", True: rf"[{_SPACE}]*[,}}]"}
"""What may stand behind a quoted value: in a line of its own, and in an inline table."""
_UNQUOTED = "has no quotation marks around its value; it was read all the same"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a line sets."""

    line: int
    table: str
    name: str
    """In small letters, words joined by `_`; with the table before it where the line names one (`wifi.ssid`)."""
    value: Value
    """None where nothing stands there, or nothing that can be read."""
    start: int
    end: int
    """Where the value stands in the text, quotation marks included."""
    remarks: tuple[str, ...] = ()
    problem: str = ""
    """Why the value cannot be read."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A line that sets nothing."""

    line: int
    kind: str
    """`table` or `comment`: `name` is what it names. `words`: `name` is its first word. `damage`: bytes, no text."""
    name: str = ""


def read_lines(text: str) -> Iterator[Entry | Stray]:
    """What stands in the text, in its order. Comments count only where they hide something that sets a value."""
    table = ""
    for number, found in enumerate(re.finditer(r"[^\r\n]*(?:\r\n|\n|\r|$)", text), 1):
        line = found.group().rstrip("\r\n")
        begin = len(line) - len(line.lstrip(_SPACE))
        rest = line[begin:].rstrip(_SPACE)
        if not rest:
            continue
        if any(one < " " and one not in "\t\f" for one in rest) or "\ufffd" in rest:
            yield Stray(number, "damage")
        elif rest[0] in "#;" or rest.startswith("//"):
            hidden = list(_entries(rest.lstrip("#;/ "), 0, number, table, 0))
            if len(hidden) == 1 and hidden[0].value not in (None, ""):
                yield Stray(number, "comment", _full(hidden[0]))
        elif rest[0] == "[" and (named := _TABLE.match(rest)):
            table = _clean(named[1])
            yield Stray(number, "table", table)
        else:
            entries = list(_entries(line, begin, number, table, found.start()))
            yield from entries
            if not entries:
                yield Stray(number, "words", _clean(re.split(r"\s", rest)[0]))


def _full(entry: Entry) -> str:
    return f"{entry.table}.{entry.name}" if entry.table else entry.name


def _clean(name: str) -> str:
    joined = re.sub(r"[\s\u00a0_-]+", "_", name.strip(_SPACE + _DOUBLE + _SINGLE)).lower()
    return re.sub(r"_*\._*", ".", joined)


def _entries(line: str, at: int, number: int, table: str, offset: int, inline: bool = False) -> Iterator[Entry]:
    """What a line sets, or one place in an inline table. Places count from the start of the text."""
    named = _NAME.match(line, at)
    equals = _EQUALS.match(line, named.end()) if named else None
    if not named or not equals or not (name := _clean(named[1])):
        return
    start = equals.end()
    if line[start : start + 1] == "{":
        yield from _inline(line, start + 1, number, f"{table}.{name}" if table else name, offset)
        return
    value, end, remarks, problem = _value(line, start, inline)
    sign = equals.group().strip(_SPACE)
    if sign != "=":
        remarks = ("has another sign where = belongs; it was read all the same", *remarks)
    yield Entry(number, table, name, value, offset + start, offset + end, remarks, problem)


def _inline(line: str, at: int, number: int, table: str, offset: int) -> Iterator[Entry]:
    while at < len(line):
        found = list(_entries(line, at, number, table, offset, inline=True))
        if not found:
            return
        yield from found
        at = max(found[-1].end - offset, at + 1)
        comma = re.compile(rf"[{_SPACE}]*,").match(line, at)
        if not comma:
            return
        at = comma.end()


def _value(line: str, start: int, inline: bool) -> tuple[Value, int, tuple[str, ...], str]:
    """The value at a place, where it ends, what was put up with, and what is wrong with it."""
    first = line[start : start + 1]
    if not first or first == "#":
        return None, start, (), ""
    if line.startswith(('"""', "'''"), start):
        return None, len(line), (), "must stand in one line, between one quotation mark on each side"
    if first == "[":
        return None, len(line), (), "takes one value only, without the square brackets"
    if first in _DOUBLE or first in _SINGLE:
        text, end, remarks, problem = _quoted(line, start)
        if not problem and not re.match(_BEHIND[inline], line[end:]):
            problem = "has more text behind its second quotation mark; if a quotation mark belongs to it, use '...'"
        return (None if problem else text), end, remarks, problem
    return _bare(line, start, inline)


def _quoted(line: str, start: int) -> tuple[Value, int, tuple[str, ...], str]:
    opening, inside = line[start], start + 1
    closing = -1
    if opening == '"' and (whole := re.compile(r'"((?:[^"\\]|\\.)*)"').match(line, start)):
        closing = whole.end() - 1
    elif opening == "'":
        closing = line.find("'", inside)
    remarks: tuple[str, ...] = ()
    if closing < 0:
        # Marks that an editor bent: any of the same family closes, the straight one among them.
        family = _DOUBLE if opening in _DOUBLE else _SINGLE
        closing = next((at for at in range(inside, len(line)) if line[at] in family), -1)
        if closing < 0:
            return None, len(line), (), "lacks the quotation mark at its end"
        remarks = ('has other quotation marks than " around its value; it was read all the same',)
    text = line[inside:closing]
    if opening == '"' and not remarks and "\\" in text:
        try:
            text = tomllib.loads(f'value = "{text}"')["value"]
        except tomllib.TOMLDecodeError:
            remarks = ("has a \\ in it, which was taken as it stands; '...' around it would be clearer",)
    if any(one < " " for one in text):
        return None, closing + 1, (), "has an invisible character in it; type it again, with '...' around it"
    return text, closing + 1, remarks, ""


def _bare(line: str, start: int, inline: bool) -> tuple[Value, int, tuple[str, ...], str]:
    text = re.split(r"[,}]" if inline else r"\s#", line[start:])[0].rstrip(_SPACE + ";,")
    ahead = text.partition("#")[0].rstrip(_SPACE)
    if _NUMBER.fullmatch(ahead) or ahead.lower() in _WORDS:
        # These cannot hold a #, so a comment may begin without a space before it.
        text = ahead
    end = start + len(text)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()], end, (), ""
    if _NUMBER.fullmatch(text):
        return (float(text) if "." in text else int(text[:18])), end, (), ""
    if any(one in _DOUBLE + _SINGLE + "#" for one in text):
        return None, end, (), "lacks the quotation marks around its value"
    return text or None, end, (_UNQUOTED,) if text else (), ""
