"""Requests to the service: in time, within the account's limits, and with no more than the server understands.

From `open_reply` to the first words takes no longer than the caller allows, one retry included. Nothing is retried
after the first words, because they may have been heard. What a request cost is recorded when its answer ends or is
abandoned: by the service's own count where it came, else by an estimate (`tokens`) of what was sent and received.

A request that is refused for its size, or for a field that the server does not know, is made smaller and sent again at
once, and later requests stay smaller. Errors name the service's host and code; never the key, never what was said.
Everything runs on the event loop's thread; seconds are the loop's.
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
from companion.mind.api.capabilities import Capabilities
from companion.mind.api.connection import Connection, Response
from companion.mind.api.errors import explain_refusal
from companion.mind.api.parser import (
    Broken,
    Delta,
    Done,
    Finished,
    Message,
    Protocol,
    Refused,
    Request,
    Usage,
    encode_request,
)
from companion.mind.api.rate_limit import BackOff, RateLimiter, Reservation
from companion.mind.budget import Budget
from companion.mind.candidates import Candidate
from companion.mind.tokens import ANSWER_TOKENS, MESSAGE_TOKENS, estimate_text_tokens

log = logging.getLogger("companion")

_BACK_OFF_S = 0.5
"""At least half of it is waited: units that were refused together must not come back together."""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """What to send, while it can still change."""

    make_request: Callable[[], Request]
    """Called for each try."""
    session: str
    person: str = ""
    purpose: str = "talk"
    shorten: Callable[[], bool] = lambda: False
    """Make the next request shorter; False where that is not possible any more."""


@dataclass(slots=True)
class Cost:
    """What one answer cost."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    micro: int | None = None
    """Millionths of `currency`; None where no price is known."""
    currency: str = ""
    estimated: bool = False


class ServiceReply:
    """One open answer. Close it."""

    def __init__(
        self,
        client: ServiceClient,
        response: Response,
        asked: ServiceRequest,
        request: Request,
        reservation: Reservation,
    ) -> None:
        self._client = client
        self._response = response
        self._asked = asked
        self._request = request
        self._reservation = reservation
        self._texts: dict[int, str] = {}
        self._cut: set[int] = set()
        self._open = True
        self.first_text = ""
        """Its first words; the whole of the first answer where several were asked for."""
        self.candidates: tuple[Candidate, ...] = ()
        """All answers, where several were asked for."""
        self.cost = Cost()
        """Known once it is closed."""

    async def wait_for_first_text(self) -> None:
        """Wait for the first words, or for all of several answers. Raises `CharacterError`."""
        while (text := await self._next_text(began=bool(self._texts))) is not None:
            if self._request.stream:
                self.first_text = text
                return
        if not self._texts:
            raise CharacterError(f"{self._client.service} answered with nothing.")
        self.candidates = tuple(Candidate(self._texts[index], index not in self._cut) for index in sorted(self._texts))
        self.first_text = self.candidates[0].text

    async def next_text(self) -> str | None:
        """The next words; None at the end. Raises `CharacterError`."""
        return await self._next_text(began=True) if self._request.stream else None

    async def drain(self) -> None:
        """Read to the end of the response, so that the connection can be used again."""
        await self._response.drain()

    async def aclose(self) -> None:
        """Close the response, whether it has ended or not, and record what it cost."""
        if self._open:
            self._open = False
            text = "".join(self._texts.values())
            self.cost = self._client.record_cost(
                self._asked, self._request, self._reservation, self._response.usage, text
            )
            await self._response.aclose()

    async def _next_text(self, *, began: bool) -> str | None:
        service = self._client.service
        while True:
            match await self._response.next_event():
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
                    raise self._client.error_for(refused, self._asked, self._request, began=began)
                case Broken(why):
                    raise CharacterError(f"{service} sent something that is no answer: {why}.")
                case Done():
                    return None


@dataclass(slots=True)
class ServiceClient:
    """One way to the service, shared by everything that is sent on it."""

    connection: Connection
    protocol: Protocol
    capabilities: Capabilities
    rate_limiter: RateLimiter
    budget: Budget
    last_used: float = field(default=float("-inf"))
    """When the connection was last used."""
    back_off: BackOff = field(default=BackOff(random.random, _BACK_OFF_S))
    _tokens: Callable[[str], int] = field(default_factory=lambda: lru_cache(1024)(estimate_text_tokens))
    """A history is counted with every request, and grows by a message or two between them."""

    @property
    def service(self) -> str:
        """How a sentence about the service begins."""
        return self.connection.service

    def estimate_tokens(self, sent: Sequence[Message]) -> int:
        """Tokens of a request's messages."""
        return sum(MESSAGE_TOKENS + self._tokens(message["content"]) for message in sent) + ANSWER_TOKENS

    async def open_reply(self, asked: ServiceRequest, deadline: float, limit_s: float) -> ServiceReply:
        """The open answer with its first words, by `deadline` (the loop's time), which is `limit_s` from the start.

        Raises `CharacterError`, or `CharacterRefused` where trying again is no use.
        """
        failed: CharacterError | None = None
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    try:
                        return await self._try(asked, deadline)
                    except _RequestShrunk:
                        continue
                    except CharacterRefused:
                        raise
                    except CharacterError as error:
                        if failed is not None:
                            raise
                        failed = error
                        if isinstance(error, _ServiceBusy):
                            await asyncio.sleep(self.back_off.wait_s(1))
        except TimeoutError as error:
            line = failed.line if failed else "offline"
            raise CharacterError(f"{self.service} did not answer within {limit_s:g} s.", line) from error

    async def _try(self, asked: ServiceRequest, deadline: float) -> ServiceReply:
        """One request: the open answer and its first words."""
        request = self.capabilities.adapt(asked.make_request())
        reservation = await self._reserve(request, deadline)
        self.last_used = asyncio.get_running_loop().time()
        async with AsyncExitStack() as stack:
            encoded = encode_request(self.protocol, request)
            response = await self.connection.send(encoded, asked.session)
            reply = await stack.enter_async_context(aclosing(ServiceReply(self, response, asked, request, reservation)))
            if response.status != 200:
                raise self.error_for(await response.refusal(), asked, request, began=False)
            await reply.wait_for_first_text()
            self.capabilities.confirm(self.service)
            stack.pop_all()
        return reply

    async def _reserve(self, request: Request, deadline: float) -> Reservation:
        """Wait until the account allows one more request."""
        now = asyncio.get_running_loop().time()
        tokens = self.estimate_tokens(request.messages) + (request.max_tokens or 0) * request.n
        reservation = self.rate_limiter.reserve(now, tokens, within_s=deadline - now)
        if reservation is None:
            raise CharacterRefused(f"{self.service} was asked too often lately: wait a little.", "paced", "busy")
        if reservation.wait_s > 0:
            try:
                await asyncio.sleep(reservation.wait_s)
            except asyncio.CancelledError:
                self.rate_limiter.release(reservation)
                raise
        return reservation

    def record_cost(
        self, asked: ServiceRequest, request: Request, reservation: Reservation, usage: Usage | None, text: str
    ) -> Cost:
        """Record what an answer cost. Nothing came: it cost nothing."""
        if usage is None and not text:
            self.rate_limiter.settle(reservation, 0)
            return Cost()
        known = usage or Usage(self.estimate_tokens(request.messages), estimate_text_tokens(text), 0)
        self.rate_limiter.settle(reservation, known.prompt + known.completion)
        micro, currency = self.budget.record(asked.person, asked.purpose, known)
        return Cost(known.prompt, known.completion, known.cached, micro, currency, estimated=usage is None)

    def error_for(self, refused: Refused, asked: ServiceRequest, request: Request, *, began: bool) -> CharacterError:
        """The error for a refusal; before the answer has begun, what can be changed in the request is changed."""
        refusal = explain_refusal(refused, self.service)
        if not began:
            if self.capabilities.drop_refused(refused, refusal, request, self.service):
                return _RequestShrunk(refusal.log)
            if refusal.kind == "too_long" and asked.shorten():
                return _RequestShrunk(refusal.log)
        if refusal.retry:
            return _ServiceBusy(refusal.log, refusal.line)
        return CharacterRefused(refusal.log, refused.code, refusal.line)


class _RequestShrunk(CharacterError):
    """The request was made smaller; sending that does not count as a retry."""


class _ServiceBusy(CharacterError):
    """Worth trying again, but not at once."""
