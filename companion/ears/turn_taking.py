"""Turn taking by words: how long a pause must be before the other may speak, and what is more than a listener's "mhm".

Pure. What a language's words show is in its `turn_taking.toml`; what is said may be in any language that the device
understands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from companion.config.device import EndpointSettings
from companion.languages.language import Language

WHOLE = 0.5
"""By this factor the pause is shorter behind a whole sentence ..."""
UNFINISHED = 2.15
"""... and by this one longer behind words that go on: 0.7 s become 0.35 s and 1.5 s."""


class TurnTaking:
    """Of one character, with whoever speaks to it."""

    def __init__(self, settings: EndpointSettings, languages: Iterable[Language]) -> None:
        self._silence_s = settings.silence_s
        self._words = [one.turn_taking for one in languages]
        self._listening = frozenset().union(*(words.listening for words in self._words))
        self.asked = False
        """Whether the character's last words were a question."""

    def pause_after(self, text: str) -> float:
        """Seconds of silence behind these words after which the person has finished."""
        text = _plain(text)
        if any(words.unfinished and re.search(words.unfinished, text) for words in self._words):
            return self._silence_s * UNFINISHED
        if any(words.whole and re.search(words.whole, text) for words in self._words):
            return self._silence_s * WHOLE
        if self.asked and any(words.short_answer and re.search(words.short_answer, text) for words in self._words):
            return self._silence_s * WHOLE
        return self._silence_s

    def interrupts(self, text: str) -> bool:
        """Whether these words, said while the character speaks, are meant to stop it."""
        return any(word not in self._listening for word in _plain(text).split())


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").split())
