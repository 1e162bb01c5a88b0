"""One open answer of the service: its first words, the rest, what it cost, and why there is nothing to say.

Thoughts, control tokens and other speakers' lines are taken out here, so the first words are the first that somebody
can hear. Runs on the event loop's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from companion.errors import CharacterError, CharacterRefused
from companion.floor import Floor
from companion.mind.api.answer_filter import AnswerFilter
from companion.mind.api.capabilities import NO_THOUGHTS, Capabilities
from companion.mind.api.connection import Response
from companion.mind.api.messages import Broken, Delta, Done, Finished, Refused, Request, Thought, Usage
from companion.mind.api.rate_limit import Reservation
from companion.mind.candidates import Candidate

log = logging.getLogger("companion")

_WITHHELD = frozenset(
    {
        "content_filter",
        "content-filter",
        "safety",
        "sensitive",
        "refusal",
        "prohibited_content",
        "blocklist",
        "recitation",
    }
)
"""Ends of answers that the service itself does not want to have said."""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """What to send, while it can still change."""

    make_request: Callable[[], Request]
    """Called for each try."""
    session: str
    person: str = ""
    purpose: str = "talk"
    floor: Floor | None = None
    """Given once somebody waits for the answer; without one somebody does."""
    shorten: Callable[[], bool] = lambda: False
    """Make the next request shorter; False where that is not possible any more."""
    thinking_deadline: float = 0.0
    """Until when, in the loop's time, the first words may come of a model that is seen to think before it answers."""


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

    def __add__(self, other: Cost) -> Cost:
        """What both cost."""
        known = [one.micro for one in (self, other) if one.micro is not None]
        return Cost(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
            sum(known) if known else None,
            other.currency or self.currency,
            self.estimated or other.estimated,
        )


class Asker(Protocol):
    """What an answer needs of the client that asked for it."""

    capabilities: Capabilities

    @property
    def service(self) -> str:
        """How a sentence about the service begins."""

    def error_for(self, refused: Refused, asked: ServiceRequest, request: Request, *, began: bool) -> CharacterError:
        """The error for a refusal; before the answer has begun, what can be changed in the request is changed."""

    def record_cost(
        self, asked: ServiceRequest, request: Request, reservation: Reservation, usage: Usage | None, text: str
    ) -> Cost:
        """Record what an answer cost."""


class ServiceReply:
    """One open answer. Close it."""

    def __init__(
        self,
        client: Asker,
        response: Response,
        asked: ServiceRequest,
        request: Request,
        reservation: Reservation,
        on_thought: Callable[[], None],
    ) -> None:
        """`on_thought` is called once where the model is seen to think before it answers."""
        self._client = client
        self._response = response
        self._asked = asked
        self._request = request
        self._reservation = reservation
        self._answers: dict[int, AnswerFilter] = {}
        self._received: list[str] = []
        self._cut: set[int] = set()
        self._open = True
        self._is_over = False
        self._is_withheld = False
        self._on_thought = on_thought
        self._has_thought = False
        self.first_text = ""
        """Its first words; the whole of the first answer where several were asked for."""
        self.candidates: tuple[Candidate, ...] = ()
        """All answers, where several were asked for."""
        self.cost = Cost()
        """Known once it is closed."""

    async def wait_for_first_text(self) -> None:
        """Wait for the first words, or for all of several answers. Raises `CharacterError`."""
        while (text := await self._next_text()) is not None:
            if self._request.stream:
                self.first_text = text
                return
        texts = {index: one.said for index, one in self._answers.items() if one.said.strip()}
        if not texts:
            raise self._nothing()
        self.candidates = tuple(Candidate(texts[index], index not in self._cut) for index in sorted(texts))
        self.first_text = self.candidates[0].text

    async def next_text(self) -> str | None:
        """The next words; None at the end. Raises `CharacterError`."""
        return await self._next_text() if self._request.stream else None

    async def drain(self) -> None:
        """Read to the end of the response, so that the connection can be used again."""
        await self._response.drain()

    async def aclose(self) -> None:
        """Close the response, whether it has ended or not, and record what it cost."""
        if self._open:
            self._open = False
            text = "".join(self._received)
            self.cost = self._client.record_cost(
                self._asked, self._request, self._reservation, self._response.usage, text
            )
            await self._response.aclose()

    async def _next_text(self) -> str | None:
        """The next words of the first answer, or of any where several were asked for; None at the end of all."""
        while not self._is_over:
            match await self._response.next_event():
                case Delta(index=index, text=text):
                    self._received.append(text)
                    answer = self._answer(index)
                    said = answer.feed(text)
                    if answer.is_thinking:
                        self._notice_thought()
                    self._is_over = answer.is_over and self._request.stream
                    if said and (index == 0 or not self._request.stream):
                        return said
                case Thought():
                    # The server tells thoughts from text, so the text holds none.
                    self._client.capabilities.expects_thought = False
                    self._notice_thought()
                case Finished(index=index, reason=reason):
                    if reason.casefold() in _WITHHELD:
                        self._is_withheld = True
                        if self._request.stream:
                            raise self._withheld()
                    elif reason != "stop":
                        self._cut.add(index)
                case Usage() as usage:
                    log.debug("Tokens: %d + %d, %d cached", usage.prompt, usage.completion, usage.cached)
                case Refused() as refused:
                    raise self._client.error_for(refused, self._asked, self._request, began=self._has_begun)
                case Broken(why):
                    raise CharacterError(f"{self._client.service} sent something that is no answer: {why}.")
                case Done():
                    self._is_over = True
        rest = [answer.close(cut=index in self._cut) for index, answer in sorted(self._answers.items())]
        if self._answers:
            self._client.capabilities.expects_thought = any(one.expects_thought for one in self._answers.values())
        return (rest[0] or None) if rest and self._request.stream else None

    def _answer(self, index: int) -> AnswerFilter:
        if index not in self._answers:
            self._answers[index] = AnswerFilter(
                self._request.other_speakers,
                expects_thought=self._client.capabilities.expects_thought,
                redact=self._response.redact_answer,
            )
        return self._answers[index]

    @property
    def _has_begun(self) -> bool:
        return any(answer.has_begun for answer in self._answers.values())

    def _notice_thought(self) -> None:
        if not self._has_thought:
            self._has_thought = True
            self._client.capabilities.notice_thought(self._client.service)
            self._on_thought()

    def _withheld(self) -> CharacterError:
        """The service has ended the answer because of what is in it."""
        return self._client.error_for(Refused("content_filter", ""), self._asked, self._request, began=self._has_begun)

    def _nothing(self) -> CharacterError:
        """Why there is nothing to say."""
        service = self._client.service
        if self._is_withheld:
            return self._withheld()
        if self._has_thought or any(answer.has_thought for answer in self._answers.values()):
            return CharacterRefused(
                f"{service} thought, and said nothing: perhaps for want of character.max_tokens. {NO_THOUGHTS}",
                "thoughts",
            )
        if self._response.has_unknown_form:
            return CharacterRefused(f"{service} answered in a form that is not known.", "unknown_form", "denied")
        return CharacterError(f"{service} answered with nothing.")
