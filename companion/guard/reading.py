"""Text as it is meant: small letters, one form of each sign, tricks of spelling undone. Pure.

Who wants to get a word past a filter writes `k1ll`, `k.i.l.l`, `kiiill`, `f*ck`, `kіll` with a Cyrillic letter, or
`自.杀`. Each reading is a text in which patterns look. A trick that is not there costs nothing: ordinary text has one
reading.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

MOST = 12
"""Readings of one text at most, however many tricks are in it."""

_UNSEEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"} | dict.fromkeys("“”„«»", '"'))
_BLANKS = re.compile(r"\s+")
_LOOK_ALIKE = str.maketrans(
    "аеорсухіјѕԁһӏкмтвнпԛԝѵїёαοερτυικνηωχıɑɡᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ",
    "aeopcyxijsdhlkmtbhnqwvieaoeptuikvnwxiagabcdeghijklmnoprtuvwyz",
)
_FOREIGN = re.compile("[\u0370-\u03ff\u0400-\u052fıɑɡ\u1d00-\u1d7f\u0250-\u02af]")
_CJK = "\u3040-\u30fb\u30fd-\u30ff\u3400-\u9fff"
_BETWEEN_CJK = re.compile(rf"(?<=[{_CJK}ー])[ .·•・*_/|~+=#^'\"-]+(?=[{_CJK}ー])")
_LEET_MAY_BE = re.compile(r"[a-z][0134578@$!|+]|[0134578@$!|+][a-z]")
_TOKENS = re.compile(r"([\w@$!|+]+)")
_NUMBER = re.compile(r"\d+(?:st|nd|rd|th|s|am|pm|k?m|[cm]m|k?g|h|x|d|l|ml|er|e|c|f)?")
_LEET = str.maketrans("034578@$+1!|", "oeastbastiii")
_LEET_L = str.maketrans("034578@$+1!|", "oeastbastlll")
_APART = re.compile(r"(?<![\w'])[a-z0-9@$](?:[ .\-_*/·|~+,]{1,3}[a-z0-9@$]){2,}(?![\w'])")
_BROKEN = re.compile(r"(?<![\w'])(?:[a-z](?:[.\-_*·|~][a-z]+)+|[a-z]+(?:[.\-_*·|~][a-z])+)(?![\w'])")
_SIGNS = re.compile(r"[^\w@$]+")
_LONG = re.compile(r"([^\W\d_])\1{2,}|([iu])\2")
_MASKED = re.compile(r"(?<![\w*#%•])(?=[a-z*#%_•]*[a-z])(?=[a-z*#%_•]*[*#%_•])[a-z*#%_•]+")


@dataclass(frozen=True, eq=False)
class Spelling:
    """What of spelling is particular to one language."""

    letters: dict[int, int] = field(default_factory=dict)
    """Forms of a letter that are read as another one: 殺 as 杀, ア as あ."""
    accents: str = ""
    """Letters with a sign that the language has itself; from all others the signs are taken away."""
    masked: tuple[str, ...] = ()
    """Words that people write with a sign in place of a letter."""
    words: re.Pattern[str] | None = None
    """The same as one pattern."""

    @staticmethod
    def of(letters: str = "", accents: str = "", masked: Iterable[str] = ()) -> Spelling:
        """`letters`: groups with blanks between them; the first of a group is read as its second."""
        words = tuple(sorted(set(masked), key=lambda one: (-len(one), one)))
        return Spelling(
            {ord(one[0]): ord(one[1]) for one in letters.split()},
            accents,
            words,
            re.compile("|".join(map(re.escape, words))) if words else None,
        )


_PLAIN = Spelling()


def plain_reading(text: str) -> str:
    """The text in small letters, with compatibility forms resolved, unseen signs left out and single blanks."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text).translate(_QUOTES))
    return _BLANKS.sub(" ", text).strip()


@lru_cache(maxsize=32)
def readings(text: str, spelling: Spelling = _PLAIN) -> tuple[str, ...]:
    """The plain reading, and those in which tricks of spelling are undone, each once."""
    found = {plain_reading(text).translate(spelling.letters): None}
    for undone in _UNDO:
        for one in tuple(found):
            for other in undone(one, spelling):
                if len(found) < MOST:
                    found[other] = None
    return tuple(found)


def _look_alikes(text: str, _: Spelling) -> Iterable[str]:
    if _FOREIGN.search(text):
        yield text.translate(_LOOK_ALIKE)


def _accents(text: str, spelling: Spelling) -> Iterable[str]:
    if not text.isascii() and any(unicodedata.combining(ch) for ch in unicodedata.normalize("NFD", text)):
        yield "".join(ch if ch in spelling.accents else _without_sign(ch) for ch in text)


def _without_sign(ch: str) -> str:
    base = unicodedata.normalize("NFD", ch)[0]
    return base if base.isascii() else "" if unicodedata.combining(ch) else ch


def _between_signs(text: str, _: Spelling) -> Iterable[str]:
    if _BETWEEN_CJK.search(text):
        yield _BETWEEN_CJK.sub("", text)


def _masked(text: str, spelling: Spelling) -> Iterable[str]:
    if spelling.masked and _MASKED.search(text):
        yield _MASKED.sub(lambda found: _unmasked(found[0], spelling), text)


def _unmasked(token: str, spelling: Spelling) -> str:
    shape = re.compile("".join("." if ch in "*#%_•" else ch for ch in token))
    return next((word for word in spelling.masked if shape.fullmatch(word)), token)


def _apart(text: str, spelling: Spelling) -> Iterable[str]:
    if _APART.search(text) or _BROKEN.search(text):
        joined = _APART.sub(lambda found: _in_words(_SIGNS.sub("", found[0]), spelling), text)
        yield _BROKEN.sub(lambda found: _SIGNS.sub("", found[0]).replace("_", ""), joined)


def _in_words(run: str, spelling: Spelling) -> str:
    """`killyou` as `kill you`."""
    run = run.replace("_", "")
    return run if spelling.words is None else _BLANKS.sub(" ", spelling.words.sub(r" \g<0> ", run)).strip()


def _leet(text: str, _: Spelling) -> Iterable[str]:
    if _LEET_MAY_BE.search(text):
        for table in (_LEET, _LEET_L):
            yield "".join(_letters(piece, table) for piece in _TOKENS.split(text))


def _letters(token: str, table: dict[int, int]) -> str:
    word = token.rstrip("!|+")
    if not re.search("[a-z]", word) or _NUMBER.fullmatch(word):
        return token
    return word.translate(table) + token[len(word) :]


def _long(text: str, _: Spelling) -> Iterable[str]:
    """`kiiillll` as `kill`: of each run one letter stays, or two."""
    runs = dict.fromkeys(found[0] for found in _LONG.finditer(text))
    if not runs:
        return
    choices = product((1, 2), repeat=len(runs)) if len(runs) <= 3 else ((1,) * len(runs), (2,) * len(runs))
    for lengths in choices:
        yield _shortened(text, dict(zip(runs, lengths, strict=True)))


def _shortened(text: str, kept: dict[str, int]) -> str:
    return _LONG.sub(lambda found: found[0][0] * kept[found[0]], text)


_UNDO: tuple[Callable[[str, Spelling], Iterable[str]], ...] = (
    _look_alikes,
    _accents,
    _between_signs,
    _masked,
    _apart,
    _leet,
    _long,
)
