"""One reply: what the request says, the choice among several answers, and the text as it streams in.

The request is made anew for each try, because it may have to become smaller: where the estimate says that the model's
input would be too long, older exchanges go first. A speaker's name at the beginning of an answer, which belongs to the
open message that the model continued, is removed. Everything runs on the event loop's thread.

Where the service's own memory is used (section 6 of its specification), only what it does not know yet is sent. It
keeps what it is asked, but not its answer (`output` is skipped): what was really heard of that goes along with the next
request, as a message of the assistant. Extra information (`system`) is never kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace

from companion.config.character import CharacterSettings
from companion.errors import CharacterError, CharacterRefused
from companion.floor import Floor
from companion.mind.api.client import ServiceClient
from companion.mind.api.models import Model
from companion.mind.api.parser import Message, Request, ServiceMemory
from companion.mind.api.service_reply import Cost, ServiceReply, ServiceRequest
from companion.mind.api.speakers import TEMPLATE_NAMES
from companion.mind.candidates import LATELY, Candidate, Verdict, rank_candidates
from companion.mind.memory.working_memory import GUEST, WorkingMemory
from companion.mind.prompt import History, Role, SpeakerLabelFilter, build_messages

_NEARLY_FULL = 0.75
"""From this share of the model's input on, the history is long."""

_MOSTLY = 0.5
"""Of a request that costs little, this share comes from the service's cache."""

SAVED = ("system", "output")
"""What the service does not keep of an ordinary round."""
UNSAVED = ("system", "user", "assistant", "output")
"""The same where nothing is kept: an answer that is asked for again, or one that the character begins by itself."""


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """What one character is to reply to."""

    role: Role
    said: str = ""
    """Empty where it is in the history already, or nobody said anything."""
    extra: str = ""
    """What the model is told for this reply only."""
    before: History | None = None
    """The history, where it is not the whole one: the reply is asked for again."""
    seed: int | None = None
    goes_on: bool = False
    """The character goes on speaking by itself."""
    floor: Floor | None = None
    """Given once somebody waits for the reply."""
    again: bool = False
    """The last request brought nothing new: what this one costs is added to it."""


@dataclass(frozen=True, slots=True)
class ReplyReport:
    """How the last reply came about, for whoever tunes a persona."""

    cost: Cost
    candidates: tuple[Candidate, ...]
    """Empty where one answer was asked for."""
    verdicts: tuple[Verdict, ...]
    """About the candidates, the best first."""
    extra: str


@dataclass(frozen=True, slots=True)
class MemoryRound:
    """The messages of one request to the service's memory, and what it must not keep of them."""

    messages: tuple[Message, ...]
    skip_save: tuple[str, ...]


class ServiceMemoryLog:
    """What the service's memory has not been told yet, in one session."""

    def __init__(self, opening: str = "") -> None:
        """`opening` is the first line of a session that the service does not know."""
        self._unsent: list[Message] = [_assistant_message(opening)] if opening else []
        self._kept = ""
        """What the service has kept as said, of the exchange that is still to be remembered."""

    def next_round(self, said: str, extra: str) -> MemoryRound:
        """An ordinary round."""
        return MemoryRound((*self._unsent, *_system_messages(extra), _user_message(said)), SAVED)

    def repeated_round(self, said: str, extra: str) -> MemoryRound:
        """Another answer to what was said before."""
        return MemoryRound((*_system_messages(extra), _user_message(said)), UNSAVED)

    def continued_round(self, role: Role) -> MemoryRound:
        """The character goes on speaking."""
        name = {"role": "assistant", "content": role.label(role.name), "partial": True}
        return MemoryRound((*self._unsent, name), UNSAVED)

    def mark_sent(self, sent: MemoryRound, said: str) -> None:
        """The service has begun to answer this round: it knows now what it keeps of it."""
        if sent.skip_save == SAVED:
            self._unsent.clear()
            self._kept = said

    def remember(self, said: str, heard: str) -> None:
        """One exchange is over."""
        if said and said != self._kept:
            self._unsent.append(_user_message(said))
        if heard:
            self._unsent.append(_assistant_message(heard))
        self._kept = ""

    def drop_unsent(self) -> None:
        """What waits must not be sent: moderation refuses it."""
        self._unsent.clear()


def _user_message(text: str) -> Message:
    return {"role": "user", "content": text}


def _assistant_message(text: str) -> Message:
    return {"role": "assistant", "content": text}


def _system_messages(text: str) -> Sequence[Message]:
    return ({"role": "system", "content": text},) if text else ()


class ReplyGenerator:
    """Replies of one model to one person at a time."""

    def __init__(
        self,
        settings: CharacterSettings,
        model: Model,
        client: ServiceClient,
        working_memory: WorkingMemory,
        *,
        entries: int,
        on_long_history: Callable[[], None] = lambda: None,
    ) -> None:
        """`entries` is for the service's own memory.

        `on_long_history` is called where the history nearly fills the model's input.
        """
        self._settings = settings
        self._client = client
        self._working_memory = working_memory
        self._entries = entries
        self._on_long_history = on_long_history
        self._max_tokens = min(settings.max_tokens, model.most_output or settings.max_tokens)
        limits = [limit for limit in (model.most_input, (model.context or 0) - self._max_tokens) if limit and limit > 0]
        self._most_input = min(limits, default=None)
        self._moderated: str | None = None
        self.service_memory: ServiceMemoryLog | None = None
        """Where the service remembers: what it has not been told yet."""
        self.candidates = settings.candidates
        """How many answers are asked for."""
        self.seed = settings.seed
        self.last_report: ReplyReport | None = None

    def begin_session(self, service_memory: ServiceMemoryLog | None) -> None:
        """Another session begins."""
        self._moderated = None
        self.service_memory = service_memory

    def was_moderated(self, said: str) -> bool:
        """Whether this was said last, and moderation refused it."""
        return said == self._moderated

    @property
    def avoids_memories(self) -> bool:
        """Whether something was just refused: memories of it must not be told to the model again."""
        return self._moderated is not None

    @property
    def may_think_ahead(self) -> bool:
        """Whether the owner wants replies to be asked for before it is sure that they will be heard."""
        wanted = self._settings.think_ahead
        if wanted == "cheap":
            cost = self.last_report.cost if self.last_report is not None else Cost()
            return cost.cached >= _MOSTLY * cost.prompt > 0 and self._client.budget.is_far
        return wanted == "always"

    async def stream(self, asked: ReplyRequest, began: float) -> AsyncGenerator[str]:
        """Text deltas; the time until the first counts from `began`.

        Raises `CharacterError`, or `CharacterRefused` where trying again is no use.
        """
        self._client.budget.check()
        reply = await self._open(asked, began)
        verdicts = self._rank(reply.candidates)
        try:
            first = reply.candidates[verdicts[0].index].text if verdicts else reply.first_text
            label_filter = SpeakerLabelFilter(asked.role.name if asked.goes_on or asked.role.group else "")
            if text := label_filter.feed(first):
                yield text
            while (more := await self._next_text(reply)) is not None:
                if text := label_filter.feed(more):
                    yield text
            if text := label_filter.close():
                yield text
            await reply.drain()
            self._client.last_used = asyncio.get_running_loop().time()
        finally:
            await reply.aclose()
            before = self.last_report.cost if asked.again and self.last_report is not None else Cost()
            self.last_report = ReplyReport(before + reply.cost, reply.candidates, verdicts, asked.extra)

    async def _open(self, asked: ReplyRequest, began: float) -> ServiceReply:
        """The open answer with its first words."""
        # Of several answers, and of one in one piece, nothing can be said before all is there.
        waits = self.candidates > 1 or self._client.capabilities.lacks("stream")
        limit = self._settings.answer_within_s + (self._settings.stall_s if waits else 0.0)
        history = self._working_memory.history if asked.before is None else asked.before
        rounds: list[MemoryRound] = []
        request = ServiceRequest(
            lambda: replace(self._make_request(asked, history, rounds), other_speakers=self._others(asked.role)),
            self._working_memory.session(asked.role.name),
            GUEST if self._working_memory.is_guest else self._working_memory.person,
            floor=asked.floor,
            shorten=history.shorten,
            thinking_deadline=began + self._settings.thinking_s,
        )
        try:
            reply = await self._client.open_reply(request, began + limit, limit)
        except CharacterRefused as error:
            if asked.floor is not None and not asked.floor.was_given:
                # Of what nobody has finished saying nothing is kept; the whole of it is asked for again.
                raise CharacterError(str(error), error.line) from error
            if error.line == "change_subject" and asked.said:
                if self._moderated is not None:
                    # Twice in a row: what is refused must be in the history.
                    self._working_memory.history.clear()
                    if self.service_memory is not None:
                        self.service_memory.drop_unsent()
                self._moderated = asked.said
            raise
        self._moderated = None
        if rounds and self.service_memory is not None:
            self.service_memory.mark_sent(rounds[-1], asked.said)
        return reply

    def _make_request(self, asked: ReplyRequest, history: History, rounds: list[MemoryRound]) -> Request:
        """What is sent, made to fit. `rounds` receives what the service's memory is sent."""
        rounds.clear()
        if self.service_memory is not None and not self._client.capabilities.lacks("character_options"):
            rounds.append(self._memory_round(self.service_memory, asked))
            memory = ServiceMemory(asked.role.system, self._entries, rounds[0].skip_save)
            return self._with_settings(rounds[0].messages, asked.seed, memory)
        messages = self._messages(asked, history)
        if self._most_input is not None:
            size = self._client.estimate_tokens(messages)
            if size > self._most_input * _NEARLY_FULL:
                self._on_long_history()
            while size > self._most_input and history.shorten():
                messages = self._messages(asked, history)
                size = self._client.estimate_tokens(messages)
        return self._with_settings(messages, asked.seed, None)

    def _others(self, role: Role) -> tuple[str, ...]:
        """Whose lines are not the character's."""
        person = self._working_memory.person
        names = (*role.others, *([person] if person and person != GUEST else []), *TEMPLATE_NAMES)
        return tuple(name for name in (*names, *role.script_names) if name.casefold() != role.name.casefold())

    def _with_settings(self, messages: Sequence[Message], seed: int | None, memory: ServiceMemory | None) -> Request:
        settings = self._settings
        return Request(
            settings.model,
            tuple(messages),
            stream=self.candidates == 1,
            n=self.candidates,
            seed=self.seed if seed is None else seed,
            max_tokens=self._max_tokens,
            temperature=settings.temperature,
            top_p=settings.top_p,
            top_k=settings.top_k,
            presence_penalty=settings.presence_penalty,
            frequency_penalty=settings.frequency_penalty,
            repetition_penalty=settings.repetition_penalty,
            stop=settings.stop,
            extra=settings.extra,
            memory=memory,
        )

    def _messages(self, asked: ReplyRequest, history: History) -> list[Message]:
        return build_messages(
            asked.role,
            history.exchanges,
            asked.said,
            summary=self._working_memory.summary,
            person=self._working_memory.person,
            extra=asked.extra,
            goes_on=asked.goes_on,
        )

    @staticmethod
    def _memory_round(memory: ServiceMemoryLog, asked: ReplyRequest) -> MemoryRound:
        if asked.goes_on:
            return memory.continued_round(asked.role)
        if asked.before is None:
            return memory.next_round(asked.said, asked.extra)
        return memory.repeated_round(asked.said, asked.extra)

    def _rank(self, candidates: Sequence[Candidate]) -> tuple[Verdict, ...]:
        lately = [exchange.heard for exchange in self._working_memory.history.exchanges[-LATELY:]]
        return tuple(rank_candidates(candidates, self._settings.reply_characters, lately))

    async def _next_text(self, reply: ServiceReply) -> str | None:
        try:
            async with asyncio.timeout(self._settings.stall_s):
                return await reply.next_text()
        except TimeoutError as error:
            raise CharacterError(f"{self._client.service} stopped in the middle of its answer.") from error
