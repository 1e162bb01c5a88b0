"""Finds the line of a TOML text in which a key is set, for messages. Pure.

tomllib tells no positions. This looks for table headers and `key =` at the beginning of lines, which is where people
write them; a key inside an inline table counts as in the line where that table's own key stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

Key = tuple[str | int, ...]
"""The parts of a dotted key; a number counts the tables of an array, from 0."""

_PART = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
_LONG_QUOTES = re.compile("\"\"\"|'''")


def line_of(text: str, key: Sequence[str | int]) -> int | None:
    """The line, counted from 1, that sets `key`, or a part of it, else that of the table around it.

    None where the text has none of these.
    """
    best, line = 0, None
    for number, written in _keys(text):
        shared = 0
        for one, other in zip(written, key, strict=False):
            if str(one) != str(other):
                break
            shared += 1
        # What is written is the key itself, stands around it, or within it; keys beside it do not count.
        if shared > best and shared in (len(written), len(key)):
            best, line = shared, number
    return line


@lru_cache(maxsize=1)
def _keys(text: str) -> tuple[tuple[int, Key], ...]:
    """The keys of the text that was asked for last: each of a file's problems asks for them."""
    return tuple(_find_keys(text))


def _find_keys(text: str) -> Iterator[tuple[int, Key]]:
    """Every table header and every assignment, with its line and its whole key."""
    table: Key = ()
    counts: dict[Key, int] = {}
    open_quotes = ""
    for number, line in enumerate(text.splitlines(), 1):
        if open_quotes:
            if open_quotes in line:
                open_quotes = ""
            continue
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            yield number, table
        elif assignment := _ASSIGNMENT.match(line):
            yield number, (*table, *_parts(assignment[1]))
        quotes = _LONG_QUOTES.findall(line)
        open_quotes = quotes[-1] if len(quotes) % 2 else ""


def _parts(dotted: str) -> Key:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
