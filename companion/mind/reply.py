"""One answer: what the request says, the choice among several, and the text as it comes.

The request is made for each try anew, because it may have to become smaller: where the estimate says that the model's
input would be too long, older exchanges go first. A speaker's name at the beginning of an answer, which belongs to the
open message that the model went on with, never comes out. Everything runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from companion.config.character import CharacterSettings
from companion.errors import CharacterError, CharacterRefused
from companion.mind.api.client import Asking, Cost, Question, Reply
from companion.mind.api.models import Model
from companion.mind.api.parser import Message, Request, ServiceMemory
from companion.mind.candidates import LATELY, Candidate, Verdict, ranked
from companion.mind.memory.service_memory import Round, ServiceTalk
from companion.mind.memory.working_memory import GUEST, Recollection
from companion.mind.prompt import History, Role, WithoutName, messages

_NEARLY = 0.75
"""From this share of the model's input on, the history is long."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What one character is to answer."""

    role: Role
    said: str = ""
    """Empty where it stands in the history already, or nobody said anything."""
    extra: str = ""
    """What the model is told for this answer only."""
    before: History | None = None
    """What was said before, where it is not all that was said: the answer is asked anew."""
    seed: int | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """How the last answer came about: for whoever tunes a persona."""

    cost: Cost
    candidates: tuple[Candidate, ...]
    """Empty where one answer was asked for."""
    verdicts: tuple[Verdict, ...]
    """About the candidates, the best first."""
    extra: str


class Answering:
    """Answers of one model, to one person at a time."""

    def __init__(
        self,
        settings: CharacterSettings,
        model: Model,
        asking: Asking,
        recollection: Recollection,
        *,
        entries: int,
        grows_long: Callable[[], None] = lambda: None,
    ) -> None:
        """`entries` is for the service's own memory.

        `grows_long` is called where the history nearly fills the model's input.
        """
        self._settings = settings
        self._asking = asking
        self._recollection = recollection
        self._entries = entries
        self._grows_long = grows_long
        self._max_tokens = min(settings.max_tokens, model.most_output or settings.max_tokens)
        limits = [limit for limit in (model.most_input, (model.context or 0) - self._max_tokens) if limit and limit > 0]
        self._most_input = min(limits, default=None)
        self._moderated: str | None = None
        self.service_talk: ServiceTalk | None = None
        """Where the service remembers: what it has not been told yet."""
        self.candidates = settings.candidates
        """How many answers are asked for."""
        self.seed = settings.seed
        self.answered: Answered | None = None
        """About the last answer."""

    def begin(self, service_talk: ServiceTalk | None) -> None:
        """The session is another one."""
        self._moderated = None
        self.service_talk = service_talk

    def is_moderated(self, said: str) -> bool:
        """Whether it was said last, and moderation refused it."""
        return said == self._moderated

    @property
    def avoids_memories(self) -> bool:
        """Whether something was just refused: what is remembered of it must not be told again."""
        return self._moderated is not None

    async def answer(self, ask: Ask, began: float) -> AsyncGenerator[str]:
        """Text deltas; the time until the first counts from `began`.

        Raises `CharacterError`, or `CharacterRefused` where trying again has no use.
        """
        self._asking.spending.check()
        reply = await self._ask(ask, began)
        verdicts = self._ranked(reply.candidates)
        try:
            first = reply.candidates[verdicts[0].index].text if verdicts else reply.first
            name = WithoutName(ask.role.name if ask.goes_on or ask.role.group else "")
            if text := name.feed(first):
                yield text
            while (more := await self._more(reply)) is not None:
                if text := name.feed(more):
                    yield text
            if text := name.close():
                yield text
            await reply.drain()
            self._asking.used = asyncio.get_running_loop().time()
        finally:
            await reply.aclose()
            self.answered = Answered(reply.cost, reply.candidates, verdicts, ask.extra)

    async def _ask(self, ask: Ask, began: float) -> Reply:
        """The open answer with its first words."""
        # Of several answers none can be said before all are there.
        limit = self._settings.answer_within_s + (self._settings.stall_s if self.candidates > 1 else 0.0)
        history = self._recollection.history if ask.before is None else ask.before
        rounds: list[Round] = []
        question = Question(
            lambda: self._request(ask, history, rounds),
            self._recollection.session(ask.role.name),
            GUEST if self._recollection.is_guest else self._recollection.person,
            shorten=history.shorten,
        )
        try:
            reply = await self._asking.ask(question, began + limit, limit)
        except CharacterRefused as error:
            if error.line == "change_subject" and ask.said:
                if self._moderated is not None:
                    # Twice in a row: what is refused must stand in the history.
                    self._recollection.history.clear()
                    if self.service_talk is not None:
                        self.service_talk.forget_unsent()
                self._moderated = ask.said
            raise
        self._moderated = None
        if rounds and self.service_talk is not None:
            self.service_talk.answered(rounds[-1], ask.said)
        return reply

    def _request(self, ask: Ask, history: History, rounds: list[Round]) -> Request:
        """What is sent, made to fit. `rounds` takes note of what the service's memory is sent."""
        rounds.clear()
        if self.service_talk is not None and not self._asking.features.lacks("character_options"):
            rounds.append(self._round(self.service_talk, ask))
            memory = ServiceMemory(ask.role.system, self._entries, rounds[0].skip_save)
            return self._with_settings(rounds[0].messages, ask.seed, memory)
        sent = self._messages(ask, history)
        if self._most_input is not None:
            size = self._asking.size(sent)
            if size > self._most_input * _NEARLY:
                self._grows_long()
            while size > self._most_input and history.shorten():
                sent = self._messages(ask, history)
                size = self._asking.size(sent)
        return self._with_settings(sent, ask.seed, None)

    def _with_settings(self, sent: Sequence[Message], seed: int | None, memory: ServiceMemory | None) -> Request:
        return Request(
            self._settings.model,
            tuple(sent),
            stream=self.candidates == 1,
            n=self.candidates,
            seed=self.seed if seed is None else seed,
            max_tokens=self._max_tokens,
            temperature=self._settings.temperature,
            memory=memory,
        )

    def _messages(self, ask: Ask, history: History) -> list[Message]:
        return messages(
            ask.role,
            history.exchanges,
            ask.said,
            summary=self._recollection.summary,
            person=self._recollection.person,
            extra=ask.extra,
            goes_on=ask.goes_on,
        )

    @staticmethod
    def _round(talk: ServiceTalk, ask: Ask) -> Round:
        if ask.goes_on:
            return talk.going_on(ask.role)
        return talk.question(ask.said, ask.extra) if ask.before is None else talk.again(ask.said, ask.extra)

    def _ranked(self, candidates: Sequence[Candidate]) -> tuple[Verdict, ...]:
        lately = [exchange.heard for exchange in self._recollection.history.exchanges[-LATELY:]]
        return tuple(ranked(candidates, self._settings.reply_characters, lately))

    async def _more(self, reply: Reply) -> str | None:
        try:
            async with asyncio.timeout(self._settings.stall_s):
                return await reply.more()
        except TimeoutError as error:
            raise CharacterError(f"{self._asking.service} stopped in the middle of its answer.") from error
