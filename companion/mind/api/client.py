"""Asking the service: in time, within the account's limits, with no more than the server understands.

From `ask` to the first words it takes no longer than the caller allows, one retry included; after the first words
nothing is retried, because they may have been heard. What a request cost is noted when its answer ends or is given up:
with the service's own count where it came, else with an estimate (`token_estimate`) of what was sent and has come.

A request that is refused for its size or for a field that the server does not know is made smaller and sent again at
once, and stays smaller. Errors name the service's host and code; never the key, never what was said. Everything runs
on the event loop's thread; seconds are the loop's.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from functools import lru_cache

from companion.errors import CharacterError, CharacterRefused
from companion.mind.api import errors
from companion.mind.api.capabilities import Features
from companion.mind.api.connection import Answer, Connection
from companion.mind.api.parser import Broken, Delta, Done, Finished, Message, Protocol, Refused, Request, Usage
from companion.mind.api.rate_limit import BackOff, Pacer, Place
from companion.mind.budget import Spending
from companion.mind.candidates import Candidate
from companion.mind.tokens import ANSWER_TOKENS, MESSAGE_TOKENS, text_tokens

log = logging.getLogger("companion")

_BACK_OFF_S = 0.5
"""Half of it at least: units that were refused together must not come back together."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask, as long as it can still change."""

    request: Callable[[], Request]
    """Made anew for each try."""
    session: str
    person: str = ""
    purpose: str = "talk"
    shorten: Callable[[], bool] = lambda: False
    """Make the request shorter; False where that is not possible any more."""


@dataclass(slots=True)
class Cost:
    """What one answer took."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    micro: int | None = None
    """Millionths of `currency`; None where no price is known."""
    currency: str = ""
    estimated: bool = False


class Reply:
    """One open answer. Close it."""

    def __init__(self, asking: Asking, answer: Answer, question: Question, request: Request, place: Place) -> None:
        self._asking = asking
        self._answer = answer
        self._question = question
        self._request = request
        self._place = place
        self._texts: dict[int, str] = {}
        self._cut: set[int] = set()
        self._open = True
        self.first = ""
        """Its first words; the whole answer where only one was asked for at once."""
        self.candidates: tuple[Candidate, ...] = ()
        """All answers, where several were asked for."""
        self.cost = Cost()
        """Known once it is closed."""

    async def begin(self) -> None:
        """Wait for the first words, or for all of several answers."""
        while (text := await self._next(began=bool(self._texts))) is not None:
            if self._request.stream:
                self.first = text
                return
        if not self._texts:
            raise CharacterError(f"{self._asking.service} answered with nothing.")
        self.candidates = tuple(Candidate(self._texts[index], index not in self._cut) for index in sorted(self._texts))
        self.first = self.candidates[0].text

    async def more(self) -> str | None:
        """The next words; None at the end."""
        return await self._next(began=True) if self._request.stream else None

    async def drain(self) -> None:
        """Read to the end of the response, so that the connection can be used again."""
        await self._answer.drain()

    async def aclose(self) -> None:
        """Close the response, whether it has ended or not, and note what it cost."""
        if self._open:
            self._open = False
            self.cost = self._asking.settle(
                self._question, self._request, self._place, self._answer.usage, "".join(self._texts.values())
            )
            await self._answer.aclose()

    async def _next(self, *, began: bool) -> str | None:
        service = self._asking.service
        while True:
            match await self._answer.next_event():
                case Delta(index=index, text=text):
                    self._texts[index] = self._texts.get(index, "") + text
                    if index == 0 or not self._request.stream:
                        return text
                case Finished(index=index, reason=reason):
                    if reason != "stop":
                        self._cut.add(index)
                case Usage() as usage:
                    log.debug("Tokens: %d + %d, %d cached", usage.prompt, usage.completion, usage.cached)
                case Refused() as refused:
                    raise self._asking.refusal(refused, self._question, self._request, began=began)
                case Broken(why):
                    raise CharacterError(f"{service} sent something that is no answer: {why}.")
                case Done():
                    return None


@dataclass(slots=True)
class Asking:
    """One way to the service, for all that is asked on it."""

    connection: Connection
    protocol: Protocol
    features: Features
    pacer: Pacer
    spending: Spending
    used: float = field(default=float("-inf"))
    """When the connection was last used."""
    back_off: BackOff = field(default=BackOff(random.random, _BACK_OFF_S))
    _tokens: Callable[[str], int] = field(default_factory=lambda: lru_cache(1024)(text_tokens))
    """A history is counted with every request, and grows by a message or two between them."""

    @property
    def service(self) -> str:
        """How a sentence about it begins."""
        return self.connection.service

    def size(self, sent: Sequence[Message]) -> int:
        """Tokens of a request's messages, as estimated."""
        return sum(MESSAGE_TOKENS + self._tokens(message["content"]) for message in sent) + ANSWER_TOKENS

    async def ask(self, question: Question, deadline: float, limit_s: float) -> Reply:
        """The open answer with its first words, by `deadline` (the loop's time), which is `limit_s` from the start.

        Raises `CharacterError`, or `CharacterRefused` where trying again has no use.
        """
        failed: CharacterError | None = None
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    try:
                        return await self._try(question, deadline)
                    except _Smaller:
                        continue
                    except CharacterRefused:
                        raise
                    except CharacterError as error:
                        if failed is not None:
                            raise
                        failed = error
                        if isinstance(error, _Busy):
                            await asyncio.sleep(self.back_off.wait_s(1))
        except TimeoutError as error:
            line = failed.line if failed else "offline"
            raise CharacterError(f"{self.service} did not answer within {limit_s:g} s.", line) from error

    async def _try(self, question: Question, deadline: float) -> Reply:
        """One request: the open answer and its first words."""
        request = self.features.fitted(question.request())
        place = await self._place(request, deadline)
        self.used = asyncio.get_running_loop().time()
        async with AsyncExitStack() as stack:
            sent = self.features.encoded(self.protocol, request)
            answer = await self.connection.ask(sent, question.session)
            reply = await stack.enter_async_context(aclosing(Reply(self, answer, question, request, place)))
            if answer.status != 200:
                raise self.refusal(await answer.refusal(), question, request, began=False)
            await reply.begin()
            self.features.answered(self.service)
            stack.pop_all()
        return reply

    async def _place(self, request: Request, deadline: float) -> Place:
        """Wait until the account allows one more request."""
        now = asyncio.get_running_loop().time()
        tokens = self.size(request.messages) + (request.max_tokens or 0) * request.n
        place = self.pacer.reserve(now, tokens, within_s=deadline - now)
        if place is None:
            raise CharacterRefused(f"{self.service} was asked too often lately: wait a little.", "paced", "busy")
        if place.wait_s > 0:
            try:
                await asyncio.sleep(place.wait_s)
            except asyncio.CancelledError:
                self.pacer.release(place)
                raise
        return place

    def settle(self, question: Question, request: Request, place: Place, usage: Usage | None, text: str) -> Cost:
        """Note what an answer cost. Nothing came: it cost nothing."""
        if usage is None and not text:
            self.pacer.settle(place, 0)
            return Cost()
        known = usage or Usage(self.size(request.messages), text_tokens(text), 0)
        self.pacer.settle(place, known.prompt + known.completion)
        micro, currency = self.spending.note(question.person, question.purpose, known)
        return Cost(known.prompt, known.completion, known.cached, micro, currency, estimated=usage is None)

    def refusal(self, refused: Refused, question: Question, request: Request, *, began: bool) -> CharacterError:
        """The error for a refusal; before the answer has begun, what can be changed in the request is changed."""
        meaning = errors.meaning(refused, self.service)
        if not began:
            if self.features.give_up(refused, meaning, request, self.service):
                return _Smaller(meaning.log)
            if meaning.kind == "too_long" and question.shorten():
                return _Smaller(meaning.log)
        if meaning.retry:
            return _Busy(meaning.log, meaning.line)
        return CharacterRefused(meaning.log, refused.code, meaning.line)


class _Smaller(CharacterError):
    """The request was made smaller; trying that does not count as a retry."""


class _Busy(CharacterError):
    """Worth trying again, but not at once."""
