"""What a manufacturer sees of an answer: what is spoken, what was taken out, and the cues, in the order of the text.

Pure. The stage tells only what is left; what it took out is found by feeding it character by character and looking for
what comes out among what went in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from companion.events import Cue
from companion.voice.stage import Stage


@dataclass(frozen=True, slots=True)
class Removed:
    """Text that the model wrote and nobody hears."""

    text: str


Part = str | Removed | Cue


class Unmixed:
    """Reads one answer. `feed` it the deltas, then `close` it."""

    def __init__(self, name: str) -> None:
        """`name` is the speaker's, which is taken off lines that begin with it."""
        self._stage = Stage(name)
        self._raw = ""
        """What went in and is not accounted for yet."""

    def feed(self, delta: str) -> list[Part]:
        """Take the next piece; return what is certain by now."""
        parts: list[Part] = []
        for character in delta:
            self._raw += character
            parts += self._account(self._stage.feed(character))
        return parts

    def close(self) -> list[Part]:
        """The answer ends: return the rest."""
        return [*self._account(self._stage.close()), *self._taken_out(len(self._raw))]

    def _account(self, pieces: Sequence[str | Cue]) -> Iterator[Part]:
        for number, piece in enumerate(pieces):
            following = [one.strip() for one in pieces[number:] if isinstance(one, str) and one.strip()]
            # Of one text alone the last place counts: a direction may hold the same word.
            place = self._raw.rfind if len(following) == 1 else self._raw.find
            if following:
                yield from self._taken_out(place(following[0]))
            elif isinstance(piece, Cue):
                yield from self._taken_out(len(self._raw))
            if isinstance(piece, str) and piece.strip():
                core = piece.strip()
                # Text that the stage wrote otherwise stands for all that has come.
                self._raw = self._raw[len(core) :] if self._raw.startswith(core) else ""
            yield piece

    def _taken_out(self, end: int) -> Iterator[Removed]:
        """What came before `end` and was not spoken."""
        if end > 0:
            text, self._raw = self._raw[:end].strip(), self._raw[end:]
            if text:
                yield Removed(text)
