"""One answer as it is meant to be heard: no thoughts, no control tokens, and nobody else's lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from companion.mind.api.speakers import OtherSpeakersFilter
from companion.mind.api.thoughts import ThoughtFilter
from companion.mind.memory.index_words import UNSPACED

_LONGEST_WORD = 100
_LAST_WORD = re.compile(rf"[^\W_{UNSPACED}](?:[^\W{UNSPACED}]|['’/+=~-])*\Z")
"""A word that may go on. Where there are no spaces between words, every sign can be the last."""


class AnswerFilter:
    """Reads one answer. `feed` it text as it comes, then `close` it."""

    def __init__(
        self,
        other_speakers: Iterable[str] = (),
        *,
        expects_thought: bool = False,
        redact: Callable[[str], str] = str,
    ) -> None:
        """`expects_thought`: this model is known to begin with a thought without an opening.

        `redact` takes out the key; it is given whole words, however the answer was cut.
        """
        self._redact = redact
        self._expects_thought = expects_thought
        self._thoughts = ThoughtFilter(expects_thought=expects_thought)
        self._speakers = OtherSpeakersFilter(other_speakers)
        self._said: list[str] = []
        self._word = ""
        """A word of which more may come: half a word is not said."""

    @property
    def said(self) -> str:
        """What was meant to be heard so far."""
        return "".join(self._said)

    @property
    def has_begun(self) -> bool:
        """Whether there is anything of that."""
        return bool(self._said)

    @property
    def is_thinking(self) -> bool:
        """Whether what comes now is a thought, as far as can be seen."""
        return self._thoughts.is_thinking

    @property
    def has_thought(self) -> bool:
        """Whether there was a thought."""
        return self._thoughts.has_thought

    @property
    def expects_thought(self) -> bool:
        """Whether the next answer of this model may begin with a thought without an opening."""
        return self._thoughts.lost_opening or (self._expects_thought and self._thoughts.has_thought)

    @property
    def is_over(self) -> bool:
        """Whether nothing that follows is meant to be heard."""
        return self._thoughts.is_over or self._speakers.is_over

    def feed(self, text: str) -> str:
        """Take the next piece; return what is certain to be heard."""
        text = self._word + self._speakers.feed(self._thoughts.feed(text))
        found = _LAST_WORD.search(text, max(0, len(text) - _LONGEST_WORD))
        self._word = found[0] if found and not self.is_over else ""
        return self._keep(text.removesuffix(self._word))

    def close(self, *, cut: bool = False) -> str:
        """The answer ends, or was `cut` off, perhaps within a word; return what was held back."""
        rest = self._word + self._speakers.feed(self._thoughts.close(cut=cut)) + self._speakers.close()
        if cut and self.has_begun:
            rest = _LAST_WORD.sub("", rest)
        self._word = ""
        return self._keep(rest)

    def _keep(self, said: str) -> str:
        if said := self._redact(said):
            self._said.append(said)
        return said
