"""Sentences whose cues come from their own words where the character's model gave none. Pure.

Stands where `Sentences` does and passes everything through it. A sentence is judged by itself and by what came before
it, so nothing waits for the end of the reply.

What the words of a sentence themselves show, where the character's model gave no cue. Pure.

Laughter spelled out, interjections, greetings, yes and no, questions, thanks, apologies, and feelings that the speaker
names as their own, in English, Chinese, Japanese and Indonesian. Careful rather than complete: a feeling is believed
only in the first person or in an exclamation (`I'm so happy`, `That's sad!`), never in a report (`a happy ending`), and
every cue is faint (0.3 to 0.5). What is denied is not matched: the patterns name the whole phrase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from companion.events import Cue, Sentence
from companion.voice.sentences import Sentences
from companion.voice.stage.inferred_signs import SIGNS
from companion.voice.stage.lexicon import Feeling

Language = str

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


class InferringSentences:
    """`Sentences` of one reply, with inferred cues.

    The first cue of the model ends the inferring, for it then shows its feelings itself; with `throughout` (a persona
    whose channel is `inferred`) sentences without a cue of their own are still read. The same cue is not inferred for
    two sentences in a row.
    """

    def __init__(self, sentences: Sentences, language: Language | None = None, *, throughout: bool = False) -> None:
        self._sentences = sentences
        self._language = language
        self._throughout = throughout
        self._given = False
        self._last: frozenset[tuple[str | None, str | None]] = frozenset()

    def feed(self, piece: str | Cue) -> list[Sentence]:
        """As `Sentences.feed`."""
        self._given |= isinstance(piece, Cue)
        return [self._read(one) for one in self._sentences.feed(piece)]

    def pause(self) -> list[Sentence]:
        """As `Sentences.pause`."""
        return [self._read(one) for one in self._sentences.pause()]

    def close(self) -> list[Sentence]:
        """As `Sentences.close`."""
        return [self._read(one) for one in self._sentences.close()]

    def _read(self, sentence: Sentence) -> Sentence:
        if sentence.cues or (self._given and not self._throughout):
            self._last = frozenset()
            return sentence
        cues = inferred(sentence.text, self._language)
        shown = frozenset((cue.emotion, cue.gesture) for cue in cues)
        fresh = tuple(cue for cue in cues if (cue.emotion, cue.gesture) not in self._last)
        self._last = shown
        return replace(sentence, cues=fresh)
