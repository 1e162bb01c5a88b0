"""One answer under guard: its sentences on their way to the voice. Pure.

The first sentence that may not be said is replaced by the persona's own words for that case, and with them the answer
is over: what would follow belongs to what was not said.
"""

from __future__ import annotations

from collections.abc import Callable

from companion.config.policy import Category
from companion.events import Sentence
from companion.guard.judge import Judge, Said


class AnswerGuard:
    """Judges the sentences of one answer."""

    def __init__(
        self, judge: Judge, instead: Callable[[Category], str], on_blocked: Callable[[Category, str], None]
    ) -> None:
        """`instead` gives the words for a category; `on_blocked` is told of what was not said."""
        self._judge, self._instead, self._on_blocked = judge, instead, on_blocked
        self._said = Said()
        self.is_over = False
        """Whether nothing more of this answer is said."""

    def passed(self, sentences: list[Sentence]) -> list[Sentence]:
        """These, as far as they may be said."""
        said: list[Sentence] = []
        for sentence in sentences:
            if self.is_over:
                break
            category = self._judge.verdict(sentence.text, self._said)
            if category is None:
                self._said = self._said.then(sentence.text)
                said.append(sentence)
                continue
            said.append(self.block(category, sentence.text))
        return said

    def block(self, category: Category, text: str) -> Sentence:
        """What is said in place of this text; with it the answer is over."""
        self.is_over = True
        self._on_blocked(category, text)
        return Sentence(self._instead(category))
