"""The guardian of one character on one unit: what may be said, and what is said in its place.

It holds a policy, the judge of its sentences, and the words that take the place of what is not said. It also knows when
the character says what it is, and when a talk may not begin, or ends.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import cached_property

from companion.config.persona import Persona
from companion.config.policy import Category, Policy
from companion.errors import ConfigError
from companion.guard.answer import AnswerGuard
from companion.guard.asked import Asked
from companion.guard.judge import Judge
from companion.guard.persona_faults import own_faults
from companion.guard.private import PrivateFilter
from companion.languages.guard import GuardianLines
from companion.languages.language import language
from companion.languages.understood import DEFAULT, understood
from companion.own_lines import OwnLines
from companion.talk_time import TalkTime, now_of_file
from companion.turn_tools import WhoseWords


class Guardian:
    """One policy, and one persona that keeps it."""

    def __init__(
        self,
        policy: Policy,
        persona: Persona,
        on_blocked: Callable[[Category, str, WhoseWords], None] = lambda _category, _text, _whose: None,
        on_asked: Callable[[Category, str], None] = lambda _category, _text: None,
        talk_time: TalkTime | None = None,
    ) -> None:
        """`on_blocked` is told the category and the words of what was not said, and whose they were; `on_asked` what of
        the person's words was not answered.

        Without a `talk_time` no time passes.
        """
        self.talk_time = talk_time or TalkTime(now_of_file(lambda: 0.0))
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
        """Read and compile all rules; otherwise it happens amid the first answer. Blocks.

        Raises `ConfigError` where the persona itself says or orders what the policy does not allow.
        """
        if faults := own_faults(self._persona, self.judge):
            raise ConfigError(faults)
        self.clean("")
        self._asked.what_it_is("")

    def clean(self, said: str) -> str:
        """What was said without the private details that the policy wants to be neither kept nor sent."""
        return self._private.clean(said)

    def may_keep(self, text: str) -> bool:
        """Whether a fact of these words may be kept."""
        private = self._private.finds(text) is not None or self._private.holds_gap(text)
        return not private and self.judge.verdict(text) is None

    def watch_answer(self, whose: WhoseWords = "answer") -> AnswerGuard:
        """The guard of one answer, or of what another program lets it say."""
        return AnswerGuard(self.judge, self._instead, lambda category, text: self._on_blocked(category, text, whose))

    def answers_itself(self, said: str) -> bool:
        """Whether these words are not put to the character."""
        return self.judge.of_person(said) is not None

    def instead_of_answer(self, said: str) -> str:
        """What is said to these words in place of an answer; empty where the character answers."""
        category = self.judge.of_person(said)
        if category is None:
            return ""
        self._on_asked(category, self.clean(said))
        # To somebody in danger, fixed words that people have written, whoever the character is.
        return self._lines.next("self_harm") if category == "self_harm" else self._instead(category)

    def time_passes(self, *, talking: bool | None = None) -> None:
        """From now on it is talked, or not, or as before (None)."""
        self.talk_time.pass_on(self.policy, talking=talking)

    def refuses(self) -> str:
        """Why no talk may begin now, as the name of a line; empty where it may."""
        return self.talk_time.refusal(self.policy)

    def talk(self) -> tuple[float, float | None, str]:
        """Seconds of talk today, seconds that are left (None: no limit), and why no talk may begin now."""
        refuses = self.refuses()
        return self.talk_time.talked_s, self.talk_time.left_s(self.policy), refuses

    def refusal(self) -> str:
        """What is said where no talk may begin now."""
        return self._lines.next(kind) if (kind := self.refuses()) else ""

    def ending(self) -> str:
        """What is said where the talk ends now, in place of a further answer. A break that is due begins with it."""
        return self._lines.next(kind) if (kind := self.talk_time.ending(self.policy) or self.refuses()) else ""

    def truth(self, said: str, person: str) -> str:
        """What is said of what it is before the answer to this; empty where nothing is."""
        kind = self.talk_time.truth(self.policy, self._persona.name, person)
        if not kind and self._asked.what_it_is(said):
            kind = "ai"
        return self._lines.next(kind) if kind else ""

    def note_told(self, person: str) -> None:
        """They have heard what it is."""
        self.talk_time.note_told(self._persona.name, person)

    def leaves(self, said: str) -> bool:
        """Whether these words end the talk at once, whatever the persona's own phrases are."""
        return self.policy.time.exit_words and self._asked.leaves(said, self._persona.names)

    @cached_property
    def _asked(self) -> Asked:
        return Asked(understood(self._persona.language))

    def line(self, kind: str, name: str = "") -> str:
        """The next line of that kind, said to somebody of that name."""
        return self._lines.next(kind).replace("{name}", name)

    def _instead(self, category: Category) -> str:
        """In place of a sentence. Of self-harm the person has said nothing, so those words would make no sense."""
        own = "" if category == "self_harm" else self._lines.next(category)
        return own or self._lines.next("blocked")


def _lines_of(plain: GuardianLines | None, persona: Persona) -> dict[str, tuple[str, ...]]:
    """The language's plain words by kind, and the persona's own by category."""
    general = {} if plain is None else {name: getattr(plain, name) for name in GuardianLines.model_fields}
    english = language(DEFAULT).recognition.lines()
    of_language = language(persona.language).recognition.lines()
    general |= {kind: said or english[kind] for kind, said in of_language.items()}
    # Of self-harm nobody speaks in a character's words.
    own = {category: lines for category, lines in persona.blocked.items() if category != "self_harm"}
    return general | own


async def after(line: str, deltas: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """An answer behind a line of its own, which is there at once; without one as it is."""
    async with aclosing(deltas):
        if line:
            yield f"{line}\n"
        async for delta in deltas:
            yield delta
