"""Makes summaries behind the talk: the older half of a long history is put into one by the same model.

A request of its own, and not while an answer is being fetched: one that begins stops it, and it is tried again in the
next quiet moment. After being stopped `MOST_STOPS` times, or where the history has grown too far meanwhile
(`begin(late=True)`), it runs beside the talk, or it would never be done where somebody talks without pauses.
A failure is told once, and tried again later; the talk goes on.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace

from companion.errors import CharacterError
from companion.languages.understood import Understood
from companion.mind.api.client import Asking, Question
from companion.mind.api.parser import Request
from companion.mind.api.rate_limit import BackOff
from companion.mind.memory.working_memory import Draft, Recollection
from companion.mind.proposed_facts import accepted_facts, split_proposed
from companion.mind.session import session_id
from companion.mind.summary import bounded, instruction, request_text

log = logging.getLogger("companion")

QUIET_S = 1.0
"""So long nothing must have been asked before a summary begins."""
WITHIN_S = 60.0
MOST_STOPS = 3

TEMPERATURE = 0.3
LONGEST_ANSWER = 1200
"""Tokens."""


class Summarising:
    """Of one character's talk. `run` it beside the conversation."""

    def __init__(
        self,
        asking: Asking,
        recollection: Recollection,
        languages: Understood,
        model: str,
        longest: int,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`languages`: the persona's own first. `longest` is the number of characters that a request may hold.

        `changed` is called after each summary.
        """
        self._asking = asking
        self._recollection = recollection
        self._languages = languages
        self._model = model
        self._longest = longest
        self._changed = changed
        self._due = asyncio.Event()
        self._may_begin = asyncio.Event()
        self._may_begin.set()
        self._late = False
        self._request: asyncio.Timeout | None = None
        """The one under way, as long as it may be stopped."""
        self._back_off = BackOff(random.random, first_s=5.0, longest_s=600.0)

    def begin(self, *, late: bool = False) -> None:
        """The history has become long; `late`: so long that no quiet moment is waited for."""
        self._due.set()
        if late:
            self._late, self._request = True, None
            self._may_begin.set()

    def answer_begins(self) -> None:
        """An answer is being fetched: nothing else is, unless it is late."""
        if not self._late:
            self._may_begin.clear()
        if self._request is not None:
            self._request.reschedule(asyncio.get_running_loop().time())

    def answer_ends(self) -> None:
        """It was fetched, or given up."""
        self._may_begin.set()

    async def run(self) -> None:
        """Make summaries until cancelled."""
        failures = stops = 0
        while True:
            await self._due.wait()
            await self._quiet_moment()
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
                self._late = False
                self._due.clear()
                self._changed()
            else:
                stops += 1

    async def _quiet_moment(self) -> None:
        while True:
            await self._may_begin.wait()
            await asyncio.sleep(QUIET_S)
            if self._may_begin.is_set():
                return

    async def _summarise(self, stops: int) -> bool:
        """Make one; False where it was stopped. Raises `CharacterError`."""
        self._asking.spending.check()
        draft = await self._recollection.draft(self._longest)
        if draft is None:
            return True
        try:
            async with asyncio.timeout(None) as request:
                if not self._late and stops < MOST_STOPS:
                    self._request = request
                    if not self._may_begin.is_set():
                        return False
                text = await self._ask(draft)
        except TimeoutError:
            return False
        finally:
            self._request = None
        text, proposed = split_proposed(text)
        summary = bounded(text, self._languages.own)
        if not summary:
            raise CharacterError(f"{self._asking.service} gave no summary.")
        await self._recollection.summarised(draft, summary, accepted_facts(proposed, draft.at, self._languages))
        return True

    async def _ask(self, draft: Draft) -> str:
        messages = (
            {"role": "system", "content": instruction(self._languages.own)},
            {"role": "user", "content": request_text(draft.previous, draft.exchanges, self._languages.own)},
        )
        request = Request(self._model, messages, max_tokens=LONGEST_ANSWER, temperature=TEMPERATURE)
        question = Question(
            lambda: replace(request),
            # A session of its own: the talk's cached prefix stays as it is.
            session_id(self._recollection.session("summary"), "summary"),
            draft.person,
            "summary",
        )
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        reply = await self._asking.ask(question, deadline, WITHIN_S)
        try:
            async with asyncio.timeout_at(deadline):
                text = reply.first
                while (more := await reply.more()) is not None:
                    text += more
        except TimeoutError as error:
            raise CharacterError(f"{self._asking.service} did not end the summary in time.") from error
        finally:
            await reply.aclose()
        return text
