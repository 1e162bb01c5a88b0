"""What the words of a sentence themselves show, where the character's model gave no cue. Pure.

Laughter spelled out, interjections, greetings, yes and no, questions, thanks, apologies, and feelings that the speaker
names as their own, in English, Chinese, Japanese and Indonesian. Careful rather than complete: a feeling is believed
only in the first person or in an exclamation (`I'm so happy`, `That's sad!`), never in a report (`a happy ending`), and
every cue is faint (0.3 to 0.5). What is denied is not matched: the patterns name the whole phrase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from companion.events import Cue
from companion.voice.inferred_signs import SIGNS
from companion.voice.lexicon import Feeling

Language = Literal["en", "zh", "ja", "id"]

_MOST = 2
"""Cues in one sentence."""


class _Sign(NamedTuple):
    feeling: Feeling
    pattern: re.Pattern[str]


_BY_SIGN = tuple(
    _Sign(Feeling(emotion, gesture, intensity), re.compile(pattern, re.IGNORECASE))
    for emotion, gesture, intensity, pattern in SIGNS
)
_QUESTION = _Sign(Feeling(None, "tilt_head", 0.3), re.compile(r"[?？][”’」』)）\"'!！~〜]*\s*$"))
_NO_LETTERS = re.compile(r"^[\s\"'“‘「『¡¿—–-]+")
_KANA = re.compile("[\u3040-\u30ff]")
_JAPANESE_ONLY = frozenset("草笑")


def inferred(text: str, language: Language | None = None) -> tuple[Cue, ...]:
    """The cues that a sentence shows by itself, at most two, in order of their places.

    `at` counts code points of `text`. Of several emotions the first counts, likewise of gestures. `language` is what
    the character speaks; it decides only where the writing leaves it open.
    """
    opening = _NO_LETTERS.match(text)
    skipped = opening.end() if opening else 0
    words = text[skipped:].replace("’", "'")
    emotion = min(_signs(words, language, emotions=True), key=lambda one: one[0], default=None)
    gesture = min(_signs(words, language, emotions=False), key=lambda one: one[0], default=None)
    if gesture is None and emotion is None and (asked := _QUESTION.pattern.search(words)):
        gesture = (asked.start(), _QUESTION.feeling)
    chosen = sorted((one for one in (emotion, gesture) if one), key=lambda one: one[0])
    return tuple(
        Cue(feeling.emotion, feeling.gesture, feeling.intensity, skipped + at, "inferred")
        for at, feeling in dict.fromkeys(chosen)
    )[:_MOST]


def _signs(words: str, language: Language | None, *, emotions: bool) -> Iterator[tuple[int, Feeling]]:
    """Every sign with an emotion, or every one with a gesture alone."""
    for sign in _BY_SIGN:
        if (sign.feeling.emotion is not None) == emotions and (match := sign.pattern.search(words)):
            laughter = match.group() in _JAPANESE_ONLY
            if not laughter or language == "ja" or (language is None and _KANA.search(words)):
                yield match.start(), sign.feeling
