"""Fillers: what the character says while an answer is late ("hmm, let me think"), in the persona's own words.

A filler is no part of the answer: it is not remembered and not in what was heard. Its sound is made before it is
needed, and kept, so that saying it costs nobody any time. Answers with one never follow each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from companion.events import SpeechChunk


@dataclass(frozen=True, slots=True)
class Filler:
    """One, ready to be heard."""

    text: str
    speech: tuple[SpeechChunk, ...]
    """Without its text: nothing of it counts as heard."""


class Fillers:
    """Those of one character. Runs on the event loop."""

    def __init__(self, lines: Sequence[str], after_s: float) -> None:
        """`after_s`: a filler is said where nothing is ready so many seconds after the person may be answered.

        Without lines, or with 0, there is none.
        """
        self.after_s = after_s
        self._lines = itertools.cycle(lines)
        self._next = next(self._lines, "")
        self._made: dict[str, Filler] = {}
        self._just_said = False

    @property
    def may_be_said(self) -> bool:
        """Whether this answer may have one."""
        return bool(self._next) and self.after_s > 0 and not self._just_said

    async def prepare(self, make: Callable[[str], Awaitable[Sequence[SpeechChunk]]]) -> Filler:
        """The next one. `make` turns a line into speech, where that has not been done; raises what it raises."""
        line = self._next
        if line not in self._made:
            speech = tuple(replace(one, text="") for one in await make(line))
            self._made[line] = Filler(line, speech)
        return self._made[line]

    def note(self, *, said: bool) -> None:
        """Whether an answer had one."""
        self._just_said = said
        if said:
            self._next = next(self._lines)
