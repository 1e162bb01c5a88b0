"""The guardian of one character on one unit: what may be said, and what is said in its place.

It holds a policy, the judge of its sentences, and the words that take the place of what is not said.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from companion.config.persona import Persona
from companion.config.policy import Category, Policy
from companion.guard.answer import AnswerGuard
from companion.guard.judge import Judge
from companion.guard.private import PrivateFilter
from companion.languages.guard import GuardianLines
from companion.languages.language import language
from companion.languages.understood import DEFAULT, understood
from companion.own_lines import OwnLines


class Guardian:
    """One policy, and one persona that keeps it."""

    def __init__(
        self,
        policy: Policy,
        persona: Persona,
        on_blocked: Callable[[Category, str], None] = lambda _category, _text: None,
        on_asked: Callable[[Category, str], None] = lambda _category, _text: None,
    ) -> None:
        """`on_blocked` is told the category and the words of what was not said, `on_asked` those of the person."""
        self.policy = policy
        self._persona = persona
        self._on_blocked, self._on_asked = on_blocked, on_asked
        plain = language(persona.language).guardian or language(DEFAULT).guardian
        self._lines = OwnLines(persona.lines, _lines_of(plain, persona))

    @cached_property
    def judge(self) -> Judge:
        """Made when it is first needed, which takes some tenths of a second on a Raspberry Pi."""
        return Judge(self.policy, understood(self._persona.language))

    @cached_property
    def _private(self) -> PrivateFilter:
        return PrivateFilter(self.policy.memory.private, understood(self._persona.language))

    def load(self) -> None:
        """Read and compile all rules; otherwise it happens amid the first answer. Blocks."""
        self.judge.verdict("")
        self.clean("")

    def clean(self, said: str) -> str:
        """What was said without the private details that the policy wants to be neither kept nor sent."""
        return self._private.clean(said)

    def may_keep(self, text: str) -> bool:
        """Whether a fact of these words may be kept."""
        return self.judge.verdict(text) is None and self._private.finds(text) is None

    def watch_answer(self) -> AnswerGuard:
        """The guard of one answer."""
        return AnswerGuard(self.judge, self._instead, self._on_blocked)

    def answers_itself(self, said: str) -> bool:
        """Whether these words are not put to the character."""
        return self.judge.of_person(said) is not None

    def instead_of_answer(self, said: str) -> str:
        """What is said to these words in place of an answer; empty where the character answers."""
        category = self.judge.of_person(said)
        if category is None:
            return ""
        self._on_asked(category, said)
        return self._instead(category)

    def line(self, kind: str, name: str = "") -> str:
        """The next line of that kind, said to somebody of that name."""
        return self._lines.next(kind).replace("{name}", name)

    def _instead(self, category: Category) -> str:
        return self._lines.next(category) or self._lines.next("blocked")


def _lines_of(plain: GuardianLines | None, persona: Persona) -> dict[str, tuple[str, ...]]:
    """The language's plain words by kind, and the persona's own by category."""
    english = language(DEFAULT).guardian
    general = {
        name: getattr(plain, name) or getattr(english, name)
        for name in GuardianLines.model_fields
        if plain is not None and name != "word_is"
    }
    # Of self-harm nobody speaks in a character's words.
    own = {category: lines for category, lines in persona.blocked.items() if category != "self_harm"}
    return general | own
