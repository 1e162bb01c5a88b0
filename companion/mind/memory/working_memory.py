"""The working memory of one talk: who speaks, their session, the summary, and the recent exchanges.

It is read from the long-term memory when a person begins to speak, and again when another process forgot something
there (the person's generation tells). From then on exchanges are kept here and written there; those of guests are kept
here only. Where the long-term memory does not answer within `PATIENCE_S` the talk goes on without it, because a person
waits. Everything runs on the event loop's thread.

The session id keys the service's cache and its memory. It is derived, never stored: the same unit, character, person
and generation always give the same id, and none of them can be read back from it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import unicodedata
import uuid
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from companion.mind.memory.facts import Fact
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.prompt import Exchange, History

log = logging.getLogger("companion")

GUEST = "guest"
"""The person of whom nothing is kept."""

PATIENCE_S = 0.3
RECALL_S = 1.0

T = TypeVar("T")

_NAMESPACE = uuid.UUID("6f1f3c3e-5d0b-4d7c-9b61-0a5f0d5b8e52")


def session_id(identity: str, persona: str, person: str = "", generation: int = 0) -> str:
    """The session's UUIDv5. A new `generation` is a session that knows nothing of the one before."""
    return str(uuid.uuid5(_NAMESPACE, json.dumps([identity, persona, person, generation])))


@dataclass(frozen=True, slots=True)
class SummaryInput:
    """What a summary is to be made of."""

    person: str
    generation: int
    previous: str
    exchanges: tuple[Exchange, ...]
    up_to: int
    at: datetime
    """When the last of them was said."""


class WorkingMemory:
    """What one character on one unit has in mind while it talks."""

    def __init__(
        self,
        memory: LongTermMemory | None,
        identity: str,
        max_messages: int,
        *,
        keeps: bool = True,
        known: Sequence[str] = (),
    ) -> None:
        """`max_messages` are held before the oldest go. `keeps`: the long-term memory stores what is said.

        `known` are the names of persons who may introduce themselves.
        """
        self._memory = memory
        self._identity = identity
        self._max_messages = max_messages
        self._keeps = keeps and memory is not None
        self._known = {_folded(name): name for name in known}
        self._generation = 0
        self._guest_session: str | None = None
        self._begun = False
        self._since: list[Exchange] | None = None
        """Exchanges that are kept while the long-term memory is being read."""
        self._first_id: int | None = None
        self.person = ""
        self.summary = ""
        self.history = History(max_messages)
        self.is_new = True
        """Whether nothing was ever said in this session."""
        self.learned_pause = 1.0
        """By which factor the person's pauses are longer than usual: see `learn_pause`."""

    @property
    def is_guest(self) -> bool:
        """Whether a guest speaks, of whom nothing is kept."""
        return self._guest_session is not None

    @property
    def known(self) -> tuple[str, ...]:
        """The names of all persons who were here or are expected."""
        return tuple(self._known.values())

    def session(self, character: str) -> str:
        """The id of the session that this person has with a character."""
        if self._guest_session is not None:
            return session_id(self._guest_session, character)
        return session_id(self._identity, character, _folded(self.person), self._generation)

    async def switch_person(self, person: str) -> None:
        """Another person speaks from here on; `guest` is nobody's name."""
        person = unicodedata.normalize("NFC", person).strip()
        if _folded(person) == GUEST:
            self.start_guest_session()
            return
        if self._speaks_already(person):
            await self.refresh()
            return
        if self._memory is not None:
            for name in await _in_time(self._memory.persons(), (), PATIENCE_S):
                self._known.setdefault(_folded(name), name)
        self._guest_session, self._begun = None, True
        self.person = self._known.setdefault(_folded(person), person) if person else ""
        await self._recall()

    def _speaks_already(self, person: str) -> bool:
        return self._begun and not self.is_guest and _folded(person) == _folded(self.person)

    def start_guest_session(self) -> None:
        """Keep nothing from here on."""
        self._guest_session = uuid.uuid4().hex
        self.person, self.summary, self._generation = "", "", 0
        self.history = History(self._max_messages)
        self._first_id = None
        self.is_new, self.learned_pause = True, 1.0

    async def refresh(self) -> bool:
        """Read the memory again where another process forgot something; whether that was so."""
        if self._memory is None or self.is_guest:
            return False
        generation = await _in_time(self._memory.generation(self.person), self._generation, PATIENCE_S)
        if generation == self._generation:
            return False
        log.info("The memory was changed by another process; it is read again.")
        await self._recall()
        return True

    def keep(self, exchange: Exchange) -> None:
        """Keep one more exchange."""
        self.history.add(exchange)
        if self._since is not None:
            self._since.append(exchange)
        self.is_new = False
        if self._memory is not None and self._keeps and not self.is_guest:
            self._memory.keep(self.person, exchange.said, exchange.heard, exchange.speaker)

    def learn_pause(self, factor: float) -> None:
        """Keep how much longer than usual the person's pauses are."""
        self.learned_pause = factor
        if self._memory is not None and self._keeps and not self.is_guest:
            self._memory.learn_pause(self.person, self._generation, factor)

    def note_opening(self, line: str) -> None:
        """The session has begun. Where the long-term memory stores nothing else of it, the opening line tells so."""
        self.is_new = False
        if self._memory is not None and not self._keeps and not self.is_guest:
            self._memory.keep(self.person, "", line)

    async def keep_here(self) -> None:
        """Store what was said in this process, and go on from what is stored: nobody else remembers."""
        if self._memory is None or self._keeps or self.is_guest:
            return
        self._keeps = True
        for one in self.history.exchanges:
            self._memory.keep(self.person, one.said, one.heard, one.speaker)
        await self._recall()

    async def relevant(self, said: str) -> tuple[str, ...]:
        """Memories of the person that matter for this, apart from what the model sees anyway."""
        if self._memory is None or not self._keeps or self.is_guest:
            return ()
        # What was said in this process has no id yet, but every new id is above those that were read.
        seen = range(0) if self._first_id is None else range(self._first_id, 1 << 62)
        return await _in_time(self._memory.relevant(self.person, said, besides=seen), (), PATIENCE_S)

    async def summary_input(self, longest: int) -> SummaryInput | None:
        """The older half of what no summary holds yet, at most `longest` characters; None where there is too little."""
        if self._memory is None or not self._keeps or self.is_guest:
            return None
        person, generation = self.person, self._generation
        recalled = await self._memory.recall(person)
        half = sum(bool(one.said) + bool(one.heard) for one in recalled.exchanges) // 2
        chosen: list[Exchange] = []
        size = messages = up_to = 0
        at = datetime.min
        for one in recalled.exchanges:
            size += len(one.said) + len(one.heard)
            if messages >= half or (size > longest and chosen):
                break
            messages += bool(one.said) + bool(one.heard)
            up_to, at = one.id, one.at
            chosen.append(Exchange(one.said, one.heard, one.speaker, one.id))
        if not chosen or (person, generation) != (self.person, self._generation):
            return None
        return SummaryInput(person, generation, recalled.summary, tuple(chosen), up_to, at)

    async def store_summary(self, summed_up: SummaryInput, summary: str, facts: Iterable[Fact] = ()) -> None:
        """Store a summary and the facts that it proposes; what it holds leaves the history."""
        if self._memory is None:
            return
        if await self._memory.generation(summed_up.person) != summed_up.generation:
            return
        first = summed_up.exchanges[0].id or 0
        await self._memory.store_summary(summed_up.person, summed_up.up_to, summary, facts, first, summed_up.generation)
        if (summed_up.person, summed_up.generation) == (self.person, self._generation) and not self.is_guest:
            await self._recall()

    async def _recall(self) -> None:
        """Read what this person said before."""
        if self._memory is None:
            self.history, self.is_new, self.learned_pause = History(self._max_messages), True, 1.0
            return
        person, guest = self.person, self._guest_session
        since: list[Exchange] = []
        self._since = since
        try:
            recalled = await _in_time(self._memory.recall(person), None, RECALL_S)
        finally:
            if self._since is since:
                self._since = None
        if (person, guest) != (self.person, self._guest_session):
            return
        if recalled is None:
            self.summary, self.is_new, self._first_id = "", not since, None
            self.learned_pause = 1.0
            self.history = History(self._max_messages, since)
            return
        self._generation = recalled.generation
        self.learned_pause = recalled.pause
        self.summary = recalled.summary if self._keeps else ""
        self.is_new = recalled.is_new and not since
        read = [Exchange(one.said, one.heard, one.speaker, one.id) for one in recalled.exchanges]
        self.history = History(self._max_messages, [*read, *since] if self._keeps else since)
        first = next((one.id for one in self.history.exchanges if one.id is not None), None)
        self._first_id = 0 if first is None and recalled.is_new else first


async def _in_time(answer: Awaitable[T], otherwise: T, within_s: float) -> T:
    try:
        async with asyncio.timeout(within_s):
            return await answer
    except TimeoutError:
        log.warning("The memory did not answer within %g s; the talk goes on without it.", within_s)
        return otherwise


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()
