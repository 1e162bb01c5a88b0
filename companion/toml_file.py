"""Reading TOML that somebody else wrote: the one place where a file becomes tables.

A file may come from a card, a download or another user. So only a plain file is read, and at most `LONGEST` bytes of
it, and keys have at most `DEEPEST` parts: the parser's work grows with the square of a dotted key's length, and one of
100 KB would keep the runtime busy for a minute. Within these bounds every text takes a fraction of a second.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from companion.storage import read_bounded_file

LONGEST = 524_288
"""The largest settings file of the project has 40 KB, the largest file of a language 260 KB."""

DEEPEST = 32
"""The deepest key of the project has five parts."""

_STRINGS_AND_COMMENTS = re.compile(
    # Ends are optional, so that an open string is passed over once, and not once for each quotation mark in it.
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|'
    r"'''(?:[^']|'(?!''))*+(?:''')?|"
    r'"(?:[^"\\\n]|\\.)*+"?|'
    r"'[^'\n]*+'?|#[^\n]*+",
    re.DOTALL,
)
_DEEP = re.compile(rf"(?:\.[ \t]*+(?:[\w-]++|'')[ \t]*+){{{DEEPEST}}}")


def read_toml_text(path: Path) -> str:
    """The file's text without a byte order mark, lines ended by "\n". Raises `OSError`, `UnicodeDecodeError`."""
    text = read_bounded_file(path, LONGEST).decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_toml(text: str) -> dict[str, Any]:
    """The text's tables. Raises `ValueError` with tomllib's words, also for absurd numbers, nesting and keys."""
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    if _DEEP.search(_STRINGS_AND_COMMENTS.sub("''", text)):
        raise ValueError(f"a key has more than {DEEPEST} parts")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError(str(error)) from error
