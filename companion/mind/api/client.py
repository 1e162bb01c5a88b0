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
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from functools import lru_cache

from companion.errors import CharacterError, CharacterRefused
from companion.floor import Floor
from companion.mind.api.capabilities import NO_THOUGHTS, Capabilities
from companion.mind.api.connection import Connection
from companion.mind.api.errors import explain_refusal
from companion.mind.api.parser import Message, Protocol, Refused, Request, Usage, encode_request
from companion.mind.api.rate_limit import BackOff, RateLimiter, Reservation
from companion.mind.api.service_reply import Cost, ServiceReply, ServiceRequest
from companion.mind.budget import Budget
from companion.mind.tokens import ANSWER_TOKENS, MESSAGE_TOKENS, estimate_text_tokens

_PACED = "paced"
_BACK_OFF_S = 0.5
"""At least half of it is waited: units that were refused together must not come back together."""


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

        A model that is seen to think meanwhile has until `asked.thinking_deadline`. Raises `CharacterError`, or
        `CharacterRefused` where trying again is no use.
        """
        failed: CharacterError | None = None
        thinks, is_open = False, False
        within = asyncio.timeout_at(deadline)

        def on_thought() -> None:
            nonlocal thinks
            thinks = True
            if not is_open:  # one that thinks in the middle of its answer has begun already
                within.reschedule(max(deadline, asked.thinking_deadline))

        try:
            async with within:
                while True:
                    try:
                        reply = await self._try(asked, deadline, on_thought)
                        is_open = True
                        return reply
                    except _RequestShrunk:
                        continue
                    except CharacterRefused as error:
                        # What failed says more than that it must not be tried again.
                        if failed is not None and error.reason == _PACED:
                            raise failed from error
                        raise
                    except CharacterError as error:
                        if failed is not None:
                            raise
                        failed = error
                        if isinstance(error, _ServiceBusy):
                            await asyncio.sleep(self.back_off.wait_s(1))
        except TimeoutError as error:
            line = failed.line if failed else "offline"
            if thinks:
                raise CharacterError(
                    f"{self.service} was still thinking when its time was over. {NO_THOUGHTS}"
                ) from error
            raise CharacterError(self.connection.late(limit_s), line) from error

    async def _try(self, asked: ServiceRequest, deadline: float, on_thought: Callable[[], None]) -> ServiceReply:
        """One request: the open answer and its first words."""
        request = self.capabilities.adapt(asked.make_request())
        reservation = await self._reserve(request, deadline)
        self.last_used = asyncio.get_running_loop().time()
        async with AsyncExitStack() as stack:
            encoded = encode_request(self.protocol, request)
            try:
                response = await self.connection.send(encoded, asked.session)
            except asyncio.CancelledError:
                if asked.floor is not None and asked.floor.withdrawn:
                    self.record_cost(asked, request, reservation, None, "")
                raise
            opened = ServiceReply(self, response, asked, request, reservation, on_thought)
            reply = await stack.enter_async_context(aclosing(opened))
            if not 200 <= response.status < 300:
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
            raise CharacterRefused(f"{self.service} was asked too often lately: wait a little.", _PACED, "busy")
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
        """Record what an answer cost. Nothing came: it cost nothing, unless it was dropped when it had been sent.

        What was asked for ahead is recorded when it is known whether anybody heard the answer.
        """
        floor = asked.floor or Floor(given=True)
        if usage is None and not text and not floor.withdrawn:
            self.rate_limiter.settle(reservation, 0)
            return Cost()
        completion = estimate_text_tokens(text) if text else 0
        known = usage or Usage(self.estimate_tokens(request.messages), completion, 0)
        self.rate_limiter.settle(reservation, known.prompt + known.completion)
        floor.when_decided(
            lambda: self.budget.record(asked.person, asked.purpose if floor.was_given else "dropped", known)
        )
        micro, currency = self.budget.price(known)
        return Cost(known.prompt, known.completion, known.cached, micro, currency, estimated=usage is None)

    def has_room(self, requests: int) -> bool:
        """Whether so many requests may go at once now, as far as the account's limit a second goes."""
        return self.rate_limiter.has_room(asyncio.get_running_loop().time(), requests)

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
