"""Sentences whose cues come from their own words where the character's model gave none. Pure.

Stands where `Sentences` does and passes everything through it. A sentence is judged by itself and by what came before
it, so nothing waits for the end of the reply.
"""

from __future__ import annotations

from dataclasses import replace

from companion.events import Cue, Sentence
from companion.voice.inferred import Language, inferred
from companion.voice.sentences import Sentences


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
