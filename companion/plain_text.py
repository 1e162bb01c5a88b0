"""Text of others as one line that cannot control a terminal or forge another line. Pure.

A model's, a person's or a file's text may hold escape sequences, carriage returns, and characters that turn the order
of reading around. Each is shown as its escape (`\\x1b`, `\\u202e`), so that nothing is hidden from whoever reads.
"""

from __future__ import annotations

import json
import re
import unicodedata

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")


def one_line(text: str) -> str:
    """The text on one line: breaks become spaces, and every other character that is not seen becomes its escape."""
    return visible(_BREAKS.sub(" ", text.strip()))


def visible(text: str) -> str:
    """The text with its line feeds, and with the escape of every other character that is not seen."""
    return "".join(one if _is_safe(one) else one.encode("unicode_escape").decode("ascii") for one in text)


def json_lines(value: object) -> str:
    """The value as readable JSON, its letters as they are; what must not reach a terminal is escaped as JSON has it."""
    dumped = json.dumps(value, ensure_ascii=False, indent=2, default=lambda one: one.isoformat())
    return "".join(one if _is_safe(one) else json.dumps(one)[1:-1] for one in dumped)


def _is_safe(character: str) -> bool:
    # The joiners belong to the letters of some scripts, and to emoji of several signs.
    return character in "\n\u200c\u200d" or unicodedata.category(character) not in _UNSAFE
