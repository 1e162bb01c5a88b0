"""Makes summaries in the background: the older half of a long history becomes one, made by the same model.

A summary is a request of its own, and is not made while a reply is being fetched: a reply that begins stops it, and it
is tried again in the next quiet moment. After `MOST_STOPS` stops, or where the history has grown too long meanwhile
(`request(urgent=True)`), it runs beside the talk; otherwise it would never be made where somebody talks without pauses.
A failure is logged once and tried again later; the talk goes on.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from companion.errors import CharacterError
from companion.languages.understood import Understood
from companion.mind.api.client import ServiceClient
from companion.mind.api.models import Model
from companion.mind.api.parser import Request
from companion.mind.api.rate_limit import BackOff
from companion.mind.api.service_reply import ServiceRequest
from companion.mind.memory.working_memory import SummaryInput, WorkingMemory, session_id
from companion.mind.summary import accepted_facts, split_proposed, summary_instruction, summary_request, trim_summary

log = logging.getLogger("companion")

QUIET_S = 1.0
"""A moment is quiet where no reply was fetched for this long."""
WITHIN_S = 60.0
MOST_STOPS = 3

TEMPERATURE = 0.3
LONGEST_ANSWER = 1200
"""Tokens."""

_CHARACTERS_PER_TOKEN = 0.5
"""For the input of a summary: an estimate that holds in Chinese too."""
_LONGEST_INPUT = 24_000
"""Characters, where the model's limit is unknown."""


def longest_input(model: Model) -> int:
    """How many characters a request for a summary may hold."""
    return int(model.most_input * _CHARACTERS_PER_TOKEN) if model.most_input else _LONGEST_INPUT


class Summarizer:
    """Summaries of one character's talk. `run` it beside the conversation."""

    def __init__(
        self,
        client: ServiceClient,
        working_memory: WorkingMemory,
        languages: Understood,
        model: str,
        longest: int,
        extra: Mapping[str, Any] | None = None,
        clean: Callable[[str], str] = str,
    ) -> None:
        """`languages`: the persona's own first. `longest` is the number of characters that a request may hold.

        `extra` are `character.extra`: a model that shall not think before it answers shall not here either. `clean`
        takes private details out of a summary.
        """
        self._clean = clean
        self._client = client
        self._working_memory = working_memory
        self._languages = languages
        self._model = model
        self.longest = longest
        self._extra = extra or {}
        self._due = asyncio.Event()
        self._may_begin = asyncio.Event()
        self._may_begin.set()
        self._is_urgent = False
        self._running: asyncio.Timeout | None = None
        """The request under way, while it may be stopped."""
        self._back_off = BackOff(random.random, first_s=5.0, longest_s=600.0)

    def request(self, *, urgent: bool = False) -> None:
        """Make a summary soon, because the history has become long; `urgent`: without waiting for a quiet moment."""
        self._due.set()
        if urgent:
            self._is_urgent, self._running = True, None
            self._may_begin.set()

    def pause(self) -> None:
        """A reply is being fetched: make no summary meanwhile, unless it is urgent."""
        if not self._is_urgent:
            self._may_begin.clear()
        if self._running is not None:
            self._running.reschedule(asyncio.get_running_loop().time())

    def resume(self) -> None:
        """The reply was fetched, or abandoned."""
        self._may_begin.set()

    async def run(self) -> None:
        """Make summaries until cancelled."""
        failures = stops = 0
        while True:
            await self._due.wait()
            await self._wait_for_quiet()
            try:
                done = await self._summarise(stops)
            except CharacterError as error:
                failures += 1
                if failures == 1:
                    log.warning("The talk could not be summarised and is kept as it is: %s", error)
                await asyncio.sleep(self._back_off.wait_s(failures))
                continue
            if done:
                failures = stops = 0
                self._is_urgent = False
                self._due.clear()
            else:
                stops += 1

    async def _wait_for_quiet(self) -> None:
        while True:
            await self._may_begin.wait()
            await asyncio.sleep(QUIET_S)
            if self._may_begin.is_set():
                return

    async def _summarise(self, stops: int) -> bool:
        """Make one; False where it was stopped. Raises `CharacterError`."""
        self._client.budget.check()
        summed_up = await self._working_memory.summary_input(self.longest)
        if summed_up is None:
            return True
        try:
            async with asyncio.timeout(None) as request:
                if not self._is_urgent and stops < MOST_STOPS:
                    self._running = request
                    if not self._may_begin.is_set():
                        return False
                text = await self._fetch(summed_up)
        except TimeoutError:
            return False
        finally:
            self._running = None
        await self._store(summed_up, text)
        return True

    async def sum_up(self, summed_up: SummaryInput) -> None:
        """Make a summary of just this, now, and store it. Raises `CharacterError`."""
        self._client.budget.check()
        await self._store(summed_up, await self._fetch(summed_up))

    async def _store(self, summed_up: SummaryInput, text: str) -> None:
        text, proposed = split_proposed(text)
        summary = self._clean(trim_summary(text, self._languages.own))
        if not summary:
            raise CharacterError(f"{self._client.service} gave no summary.")
        facts = accepted_facts(proposed, summed_up.at, self._languages)
        await self._working_memory.store_summary(summed_up, summary, facts)

    async def _fetch(self, summed_up: SummaryInput) -> str:
        messages = (
            {"role": "system", "content": summary_instruction(self._languages.own)},
            {"role": "user", "content": summary_request(summed_up.previous, summed_up.exchanges, self._languages.own)},
        )
        request = Request(self._model, messages, max_tokens=LONGEST_ANSWER, temperature=TEMPERATURE, extra=self._extra)
        asked = ServiceRequest(
            lambda: replace(request),
            # A session of its own: the talk's cached prefix stays as it is.
            session_id(self._working_memory.session("summary"), "summary"),
            summed_up.person,
            "summary",
        )
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        reply = await self._client.open_reply(asked, deadline, WITHIN_S)
        try:
            async with asyncio.timeout_at(deadline):
                text = reply.first_text
                while (more := await reply.next_text()) is not None:
                    text += more
        except TimeoutError as error:
            raise CharacterError(f"{self._client.service} did not end the summary in time.") from error
        finally:
            await reply.aclose()
        return text
