"""Cues from the words of a sentence, where the character's model gave none. Pure but for lazy file reads.

The signs are in `feelings.toml` of each language: laughter spelled out, interjections, greetings, yes and no, thanks,
apologies, and feelings that the speaker names as its own. They are careful rather than complete: a feeling is believed
only in the first person or in an exclamation (`I'm so happy`, `That's sad!`), never in a report (`a happy ending`).
Every cue is faint (0.3 to 0.5).

`InferringSentences` takes the place of `Sentences`. It judges a sentence by itself and by the text before it, so
nothing waits for the end of the reply.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from companion.events import Cue, Sentence
from companion.languages.language import Language
from companion.languages.understood import Understood, any_of, understood
from companion.voice.sentences import Sentences
from companion.voice.stage.emphasis_grammar import grammar_of
from companion.voice.stage.lexicon import Feeling, lexicon

_MOST = 2
"""Cues in one sentence."""


class _Sign(NamedTuple):
    feeling: Feeling
    pattern: re.Pattern[str]
    only: Language | None = None
    """The only language of the character for which it counts."""


_EXCITED = r"[!！]{2,}"
_QUESTION = _Sign(Feeling(None, "tilt_head", 0.3), re.compile(r"[?？][”’」』)）\"'!！~〜]*\s*$"))
_NO_LETTERS = re.compile(r"^[\s\"'“‘「『¡¿—–-]+")


@cache
def _signs(languages: Understood) -> tuple[_Sign, ...]:
    """The signs of all languages, with one pattern for each feeling."""
    patterns: dict[tuple[Feeling, Language | None], list[str]] = {}
    for language in languages:
        for sign in language.feelings.sign:
            feeling = Feeling(sign.emotion, sign.gesture, sign.intensity)
            patterns.setdefault((feeling, language if sign.only_own else None), []).append(sign.words)
    patterns.setdefault((Feeling("excited", None, 0.45), None), []).append(_EXCITED)
    return tuple(
        _Sign(feeling, re.compile("|".join(f"(?:{one})" for one in some), re.IGNORECASE), only)
        for (feeling, only), some in patterns.items()
    )


@cache
def _silent(languages: Understood) -> re.Pattern[str]:
    return any_of(languages, lambda one: one.feelings.silent, re.IGNORECASE)


def infer_cues(text: str, languages: Understood | None = None) -> tuple[Cue, ...]:
    """The cues that a sentence shows by itself, at most two, in order of their places.

    `at` counts code points of `text`. The first emotion counts, and the first gesture. `languages` are those that the
    device understands, the character's own first. If they are not given, the text tells which language it speaks.
    """
    opening = _NO_LETTERS.match(text)
    skipped = opening.end() if opening else 0
    words = text[skipped:].replace("’", "'")
    own = languages.own if languages else understood().of(words)
    emotions: list[tuple[int, Feeling]] = []
    gestures: list[tuple[int, Feeling]] = []
    languages = languages or understood()
    silent = _silent(languages)
    for sign in _signs(languages):
        if sign.only is not None and sign.only is not own:
            continue
        if (match := sign.pattern.search(words)) and not silent.match(words, match.start()):
            (gestures if sign.feeling.emotion is None else emotions).append((match.start(), sign.feeling))
    emotion = min(emotions, key=lambda one: one[0], default=None)
    gesture = min(gestures, key=lambda one: one[0], default=None)
    if gesture is None and emotion is None and (asked := _QUESTION.pattern.search(words)):
        gesture = (asked.start(), _QUESTION.feeling)
    chosen = sorted((one for one in (emotion, gesture) if one), key=lambda one: one[0])
    return tuple(
        Cue(feeling.emotion, feeling.gesture, feeling.intensity, skipped + at, "inferred")
        for at, feeling in dict.fromkeys(chosen)
    )[:_MOST]


def load_rules(languages: Understood) -> None:
    """Read and compile everything that the stage needs of these languages.

    Otherwise this happens during the first answer. It takes some tenths of a second on a Raspberry Pi, so call it in a
    thread.
    """
    lexicon(languages)
    grammar_of(languages)
    _signs(languages)


class InferringSentences:
    """`Sentences` of one reply, with inferred cues.

    The first cue of the model ends the inference, because the model then shows its feelings itself. With `throughout`
    (for a persona whose channel is `inferred`) sentences without a cue are still read. The same cue is not inferred for
    two sentences in a row.
    """

    def __init__(self, sentences: Sentences, languages: Understood | None = None, *, throughout: bool = False) -> None:
        self._sentences = sentences
        self._languages = languages
        self._throughout = throughout
        self._given = False
        self._last: frozenset[tuple[str | None, str | None]] = frozenset()

    def feed(self, piece: str | Cue) -> list[Sentence]:
        """As `Sentences.feed`."""
        self._given |= isinstance(piece, Cue)
        return [self._with_cues(one) for one in self._sentences.feed(piece)]

    def pause(self) -> list[Sentence]:
        """As `Sentences.pause`."""
        return [self._with_cues(one) for one in self._sentences.pause()]

    def close(self) -> list[Sentence]:
        """As `Sentences.close`."""
        return [self._with_cues(one) for one in self._sentences.close()]

    def _with_cues(self, sentence: Sentence) -> Sentence:
        if sentence.cues or (self._given and not self._throughout):
            self._last = frozenset()
            return sentence
        cues = infer_cues(sentence.text, self._languages)
        shown = frozenset((cue.emotion, cue.gesture) for cue in cues)
        fresh = tuple(cue for cue in cues if (cue.emotion, cue.gesture) not in self._last)
        self._last = shown
        return replace(sentence, cues=fresh)
