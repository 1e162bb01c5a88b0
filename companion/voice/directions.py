"""What a stage direction tells the body: words to emotion, gesture and intensity. Pure but for one lazy file read.

English, Chinese, Japanese and Indonesian, from `lexicon.toml`, whose head explains its form. Latin writing is read word
by word, each reduced to its possible stems; Chinese and Japanese by the longest known string. What is denied
(`doesn't smile`, 不笑, 笑わない, `tidak tersenyum`) says nothing. Stage business (doors, chairs, who is spoken to)
gives no cue.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Feeling(NamedTuple):
    """A cue without its place."""

    emotion: str | None
    """One of `companion.events.EMOTIONS`."""

    gesture: str | None
    """One of `companion.events.GESTURES`."""

    intensity: float
    """0 to 1."""


class _Meaning(NamedTuple):
    feeling: Feeling
    rank: int
    """Of two emotions in one direction the higher rank counts: `smiles sadly` is sad."""


class _Found(NamedTuple):
    at: int
    meaning: _Meaning


@dataclass(frozen=True, slots=True)
class _Lexicon:
    words: dict[str, _Meaning]
    phrases: dict[str, tuple[tuple[tuple[str, ...], _Meaning], ...]]
    """By their first word."""
    strings: dict[str, _Meaning]
    string: re.Pattern[str]
    stronger: dict[str, float]
    strength: re.Pattern[str]
    denials: frozenset[str]


_WORD = re.compile(r"[a-zà-öø-ÿ]+(?:['-][a-z]+)*")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_REACH = 4
"""Words that may stand between the parts of a phrase (`shakes his big heavy head`)."""
_NOT_A_DENIAL = re.compile(r"(?:can(?:['’]?t|not)|could(?:n['’]t| not)) (?:help|stop)(?: but)?|tak tahan|tanpa henti")
_CJK_BEFORE = re.compile(r"(?:不再|不|没有|没|無|无|别|未|并非|停止|ずに)(?:会|能|敢|想|是|要|太|怎么|有|露出|在)?$")
_CJK_AFTER = re.compile(
    r"^(?:(?:[わかさたなまらが]|い|り|け|る)?(?:ない|なかった|ず[にへ]?|ません|ぬ)"
    r"|[いんっしりけえ]{0,2}[てで][はも]?い?(?:ない|なかった|ません))"
)
_CJK_NOT_A_DENIAL = re.compile("忍不住|不禁|不由得|不由自主|止不住|禁不住|耐不住|掩不住|藏不住")


def read(text: str) -> Feeling | None:
    """The meaning of a direction without its brackets; None where it tells the body nothing."""
    lexicon = _lexicon()
    lowered = text.casefold().replace("’", "'")
    found = _read_cjk(lowered, lexicon) if _CJK.search(lowered) else []
    found += _read_latin(_WORD.findall(_NOT_A_DENIAL.sub(" ", lowered)), lexicon)
    emotions = [one for one in found if one.meaning.feeling.emotion]
    gestures = [one for one in found if one.meaning.feeling.gesture]
    if not emotions and not gestures:
        return None
    emotion = max(emotions, key=lambda one: (one.meaning.rank, -one.at), default=None)
    gesture = min(gestures, key=lambda one: one.at, default=None)
    intensity = (emotion or gesture or found[0]).meaning.feeling.intensity * _strength(lowered, lexicon)
    return Feeling(
        emotion.meaning.feeling.emotion if emotion else None,
        gesture.meaning.feeling.gesture if gesture else None,
        round(min(max(intensity, 0.1), 1.0), 2),
    )


def _read_latin(words: list[str], lexicon: _Lexicon) -> list[_Found]:
    stems = [_stems(word) for word in words]
    found: list[_Found] = []
    taken: set[int] = set()
    for index, forms in enumerate(stems):
        for form in forms:
            for phrase, meaning in lexicon.phrases.get(form, ()):
                places = _places(phrase, stems, index)
                if places and not taken.intersection(places):
                    taken.update(places)
                    if not _denied(words, index, lexicon):
                        found.append(_Found(index, meaning))
    for index, forms in enumerate(stems):
        if index in taken or _denied(words, index, lexicon):
            continue
        known = next((lexicon.words[form] for form in forms if form in lexicon.words), None)
        if known:
            found.append(_Found(index, known))
    return found


def _places(phrase: tuple[str, ...], stems: list[tuple[str, ...]], index: int) -> list[int]:
    """Where the words of the phrase stand, from `index` on; nothing unless all of them do."""
    places = [index]
    for part in phrase[1:]:
        after = places[-1] + 1
        for place in range(after, min(after + _REACH, len(stems))):
            if part in stems[place]:
                places.append(place)
                break
        else:
            return []
    return places


def _denied(words: list[str], index: int, lexicon: _Lexicon) -> bool:
    """Whether one of the three words before denies the word."""
    before = words[max(0, index - 3) : index]
    return any(word in lexicon.denials or word.endswith("n't") for word in before)


def _read_cjk(text: str, lexicon: _Lexicon) -> list[_Found]:
    text = _CJK_NOT_A_DENIAL.sub("，", text)
    return [
        _Found(match.start(), lexicon.strings[match.group()])
        for match in lexicon.string.finditer(text)
        if not _CJK_BEFORE.search(text[max(0, match.start() - 4) : match.start()])
        and not _CJK_AFTER.match(text[match.end() : match.end() + 8])
    ]


def _strength(text: str, lexicon: _Lexicon) -> float:
    """How much weaker or stronger the degree words make it; the furthest from 1 counts."""
    factors = [lexicon.stronger[word] for word in lexicon.strength.findall(text)]
    return max(factors, key=lambda factor: abs(factor - 1), default=1.0)


@cache
def _stems(word: str) -> tuple[str, ...]:
    """The word and what it may be a form of, most exact first."""
    forms = [word]
    word = word.removesuffix("'s")
    for ending, replacements in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            stem = word[: len(word) - len(ending)]
            forms += [stem + one for one in replacements]
            if ending in ("ing", "ed") and len(stem) > 2 and stem[-1] == stem[-2]:
                forms.append(stem[:-1])
    return tuple(dict.fromkeys(forms))


_ENDINGS = (
    ("ying", ("ie",)),
    ("ally", ("", "al")),
    ("ingly", ("", "e", "ing")),
    ("edly", ("", "e", "ed")),
    ("ily", ("y",)),
    ("ly", ("", "le")),
    ("iness", ("y",)),
    ("ness", ("",)),
    ("ing", ("", "e")),
    ("ied", ("y",)),
    ("ed", ("", "e")),
    ("ies", ("y",)),
    ("es", ("", "e")),
    ("s", ("",)),
    ("nya", ("",)),
    ("lah", ("",)),
    ("kan", ("",)),
    ("mu", ("",)),
    ("ku", ("",)),
)


@cache
def _lexicon() -> _Lexicon:
    """Read the lexicon: the first direction pays some milliseconds for it."""
    tables = tomllib.loads(files("companion.voice").joinpath("lexicon.toml").read_text(encoding="utf-8"))
    words: dict[str, _Meaning] = {}
    strings: dict[str, _Meaning] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], _Meaning]]] = {}
    for row in tables["meaning"]:
        feeling = Feeling(row.get("emotion"), row.get("gesture"), row["intensity"])
        meaning = _Meaning(feeling, row.get("rank", 1))
        for term in f"{row.get('en', '')} {row.get('id', '')}".split():
            first, *rest = term.split("_")
            if rest:
                phrases.setdefault(first, []).append(((first, *rest), meaning))
            else:
                words.setdefault(first, meaning)
        strings |= dict.fromkeys(f"{row.get('zh', '')} {row.get('ja', '')}".split(), meaning)
    # Strings without a meaning guard longer words: 可笑 holds no laugh.
    strings |= dict.fromkeys(tables["silent"]["strings"].split(), _Meaning(Feeling(None, None, 0.0), 0))
    stronger = {word: row["factor"] for row in tables["degree"] for word in row["words"].replace("_", " ").split(",")}
    return _Lexicon(
        words,
        {first: tuple(sorted(some, key=lambda one: -len(one[0]))) for first, some in phrases.items()},
        strings,
        _longest_first(strings),
        stronger,
        _longest_first(stronger),
        frozenset(tables["denial"]["words"].split()),
    )


def _longest_first(strings: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted(strings, key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(one)}\b" if one.isascii() else re.escape(one) for one in ordered))
