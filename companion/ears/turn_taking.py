"""Turn taking by words: how long a pause must be before the other may speak, and what is more than a listener's "mhm".

Pure. What a language's words show is in its `turn_taking.toml`. What is said may be in any language that the device
understands; how long the pause is, is asked of the one that it most likely is in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from companion.config.device import EndpointSettings
from companion.languages.language import Language
from companion.languages.loader import alternation
from companion.languages.understood import Understood, closed_up, compiled

WHOLE = 0.5
"""By this factor the pause is shorter behind a whole sentence ..."""
UNFINISHED = 2.15
"""... and by this one longer behind words that go on: 0.7 s become 0.35 s and 1.5 s."""
MOST = 4.0
"""Patience and all, no pause is longer than the usual one by more than this factor."""

WENT_ON = 1.15
"""By this factor the pauses of somebody become longer who had not finished when the answer came ..."""
WAS_OVER = 0.99
"""... and by this one shorter after each answer that came in time."""
LEARNED_LEAST, LEARNED_MOST = 0.85, 1.6
"""What is learned of one person stays within these."""

_MARKS = re.compile(r"(?<!\d)[^\w\s']+|[^\w\s']+(?!\d)")
_QUESTION = re.compile(r"\?[\W_]*$")


class TurnTaking:
    """Of one character, with whoever speaks to it."""

    def __init__(
        self, settings: EndpointSettings, languages: Understood, patience: float = 1.0, names: Iterable[str] = ()
    ) -> None:
        """`names` are the character's: a sentence is as whole without them."""
        self._silence_s = settings.silence_s
        self._names = _any_of((_plain(name) for name in names), spaced=languages.own.is_spaced)
        self._patience = patience
        self._learned = 1.0
        self._languages = languages
        self._words = {one: _Words(one) for one in languages}
        self._asked = False

    @property
    def learned(self) -> float:
        """By which factor the pauses of whoever speaks are longer, as was learned of them. Set for another person."""
        return self._learned

    @learned.setter
    def learned(self, factor: float) -> None:
        self._learned = min(max(factor, LEARNED_LEAST), LEARNED_MOST)

    def load(self) -> None:
        """Read what the first sentence will need. May be called on another thread."""
        self._words[self._languages.own].load()
        self.interrupts("")

    def pause_after(self, text: str) -> float:
        """Seconds of silence behind these words after which the person has finished."""
        factor = self._factor(_plain(text)) * self._patience * self._learned
        return self._silence_s * min(factor, MOST)

    def interrupts(self, text: str) -> bool:
        """Whether these words, said while the character speaks, are meant to stop it."""
        text = _plain(text)
        for words in self._words.values():
            text = words.listening.sub("", text)
        return bool(text.strip())

    def heard(self, words: str) -> None:
        """Note the character's last words: behind a question a short answer is all."""
        self._asked = _QUESTION.search(unicodedata.normalize("NFKC", words)) is not None

    def went_on(self) -> None:
        """The person had not finished: they spoke on into the beginning of the answer, and took it back."""
        self.learned *= WENT_ON

    def was_over(self) -> None:
        """The person had finished: the answer was heard and not taken back."""
        self.learned *= WAS_OVER

    def _factor(self, text: str) -> float:
        nameless = " ".join(self._names.sub(" ", text).split())
        # The persona's language first: few words tell little about the language that they are in.
        for language in dict.fromkeys((self._languages.own, self._languages.of(text))):
            words = self._words[language]
            if words.go_on(text):
                return UNFINISHED
            if words.is_all(nameless, asked=self._asked):
                return WHOLE
        return 1.0


@dataclass(frozen=True)
class _Words:
    """The words of one language, each pattern compiled when it is first needed."""

    language: Language

    def load(self) -> None:
        _ = self.unfinished, self.may_end, self.whole, self.short_answer, self.listening

    def go_on(self, text: str) -> bool:
        return self.unfinished.search(text) is not None and self.may_end.search(text) is None

    def is_all(self, text: str, *, asked: bool) -> bool:
        return not self.go_on(text) and (
            self.whole.search(text) is not None or (asked and self.short_answer.search(text) is not None)
        )

    @cached_property
    def unfinished(self) -> re.Pattern[str]:
        return compiled(self.language.turn_taking.unfinished)

    @cached_property
    def may_end(self) -> re.Pattern[str]:
        return compiled(self.language.turn_taking.may_end)

    @cached_property
    def whole(self) -> re.Pattern[str]:
        return compiled(self.language.turn_taking.whole)

    @cached_property
    def short_answer(self) -> re.Pattern[str]:
        return compiled(self.language.turn_taking.short_answer)

    @cached_property
    def listening(self) -> re.Pattern[str]:
        return _any_of(self.language.turn_taking.listening, spaced=self.language.is_spaced)


def _any_of(words: Iterable[str], *, spaced: bool) -> re.Pattern[str]:
    found = [word for word in words if word]
    if not found:
        return compiled(None)
    return re.compile(rf"(?<!\S){alternation(found)}(?!\S)" if spaced else alternation(found))


def _plain(text: str) -> str:
    """In the spelling of the patterns: small letters, straight apostrophes, no marks, no blanks where none belong."""
    text = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    return closed_up(" ".join(_MARKS.sub(" ", text).split())).replace("' ", "'")
