"""The character: who speaks with whom, what is remembered, what the model is told, and the replies.

Implements `companion.ports.Character`. Everything runs on the event loop's thread; seconds are the loop's. From `reply`
to the first words it takes at most `answer_within_s`, everything included that has to be looked up. Closing the
generator, or cancelling whoever waits in it, closes the stream, so that the model stops. `run` makes summaries in the
background; without it the history is only cut.

Private details leave what was said at the door (`Discretion.clean`): nothing behind it, neither the memory nor the
service, gets to know them. What moderation refuses is not kept: it would have every later request refused too.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime

from companion.config.device import Device
from companion.config.persona import Persona
from companion.floor import Floor
from companion.languages.language import language
from companion.languages.understood import understood
from companion.mind.api.client import ServiceClient
from companion.mind.api.connection import WARM_S
from companion.mind.api.models import Model
from companion.mind.budget import SpendingTotals
from companion.mind.candidates import LATELY
from companion.mind.context import PREPARE_TIMEOUT_S, ContextCollector
from companion.mind.discretion import Discretion
from companion.mind.expiry import Expiry
from companion.mind.group import Group
from companion.mind.memory import inspection
from companion.mind.memory.introductions import introduced_name, prepare
from companion.mind.memory.store import Store, local_now
from companion.mind.memory.working_memory import WorkingMemory
from companion.mind.prompt import Exchange, History
from companion.mind.recognition import Recognition
from companion.mind.rephrasing import SEEDS, ask_again
from companion.mind.reply import ReplyGenerator, ReplyReport, ReplyRequest, ServiceMemoryLog
from companion.mind.summarizer import Summarizer, longest_input

log = logging.getLogger("companion")

_URGENT = 1.25
"""From this many times the messages at which a summary is due, it is made beside the talk."""


class ServiceCharacter:
    """One character, or one group of them, with one person at a time."""

    def __init__(
        self,
        device: Device,
        persona: Persona,
        model: Model,
        client: ServiceClient,
        working_memory: WorkingMemory,
        context: ContextCollector,
        *,
        service_memory: bool = False,
        store: Store | None = None,
        owns_store: bool = True,
        discretion: Discretion | None = None,
        now: Callable[[], datetime] = local_now,
    ) -> None:
        """`service_memory`: the service remembers, and is sent only what is new. `close` closes a store of its own."""
        self._discretion = discretion or Discretion()
        self._device = device
        self._persona = persona
        self._languages = tuple(language(code) for code in dict.fromkeys((persona.language, *persona.words)))
        self._client = client
        self._context = context
        self._group = Group(persona)
        self._service_memory = service_memory
        self._store = store
        self._owns_store = owns_store
        self._summarizer = Summarizer(
            *(client, working_memory, understood(persona.language), device.character.model, longest_input(model)),
            *(device.character.extra, self._discretion.clean),
        )
        kept = store if device.memory.mode != "off" else None
        self._recognition = Recognition(self._discretion.rules, kept, now, understood(persona.language))
        self._claimed = ""  # The name that somebody gave of whom nothing else is known.
        self.expiry = Expiry(store, persona.name, self._discretion, self._summarizer, now) if store else None
        self._summary_due_at = min(device.memory.entries, device.character.history)
        self.replies = ReplyGenerator(
            device.character,
            model,
            client,
            working_memory,
            entries=device.memory.entries,
            on_long_history=self._summarizer.request,
        )
        self.working_memory = working_memory
        self.extra_context = ""
        """Told with every request while it is set."""
        self._started = False
        self._in_history: str | None = None
        """What was said last, once the first of a group has answered it."""
        self._repeatable: Exchange | None = None
        """The exchange that "say that another way" is about."""
        self._was_rephrased = False

    @property
    def last_report(self) -> ReplyReport | None:
        """About the last reply."""
        return self.replies.last_report

    @property
    def spending(self) -> SpendingTotals:
        """The money of today and this month, in the currency of the model's price."""
        return self._client.budget.totals

    async def start(self) -> None:
        """Read the memory. `reply` and `continue_speaking` do so first where it was not done."""
        if not self._started:
            await self._begin()

    async def _begin(self) -> None:
        await self.switch_person(await self._recognition.allowed(self._device.memory.person))

    async def run(self) -> None:
        """Make summaries in the background, and erase what is too old, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._summarizer.run())
            if self.expiry is not None:
                group.create_task(self.expiry.run())

    async def prepare(self) -> None:
        """Open the connection, if it was not used lately, and ask the context providers. Never raises."""
        now = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            if now - self._client.last_used >= WARM_S:
                self._client.last_used = now
                group.create_task(self._client.connection.warm_up())
            group.create_task(self._context.collect(PREPARE_TIMEOUT_S))

    async def switch_person(self, person: str) -> None:
        """Somebody else speaks from here on; `guest` is nobody."""
        started, self._started, self._claimed = self._started, True, ""
        before = self.working_memory.session("")
        await self.working_memory.switch_person(person)
        prepare(self._languages, self.working_memory.known, self._group.names)
        if not started or self.working_memory.session("") != before:
            self._begin_session()

    @property
    def is_guest(self) -> bool:
        """Whether a guest speaks, of whom nothing is kept."""
        return self.working_memory.is_guest

    def start_guest_session(self) -> None:
        """Keep nothing from here on, until somebody says who they are."""
        self._recognition.forget()
        self._begin_guest()

    def _begin_guest(self, claimed: str = "") -> None:
        self._started, self._claimed = True, claimed
        self.working_memory.start_guest_session()
        self._begin_session()

    def opening(self) -> str:
        """The first line of a session in which nothing was said yet; else empty."""
        return self._persona.opening.strip() if self.working_memory.is_new else ""

    @property
    def person(self) -> str:
        """The name of whoever speaks; empty where nobody said one."""
        return self.working_memory.person

    @property
    def learned_pause(self) -> float:
        """By which factor the pauses of whoever speaks are longer than usual."""
        return self.working_memory.learned_pause

    def learn_pause(self, factor: float) -> None:
        """Keep this of whoever speaks."""
        self.working_memory.learn_pause(factor)

    @property
    def awaits_word(self) -> bool:
        """Whether what is said next is a person's secret word."""
        return self._recognition.awaits_word

    async def ask_speaker(self, said: str) -> str:
        """What is said to find out who speaks; see `companion.ports.Character`."""
        await self._notice_absence()
        told, known = self._discretion.clean(said), self.working_memory.known
        name = introduced_name(told, self._languages, known, self._group.names)
        found = await self._recognition.hear(said, name)
        if found.speaks == "person":
            await self.switch_person(found.name)
        elif found.speaks == "stranger":
            self._begin_guest("" if found.line else found.name)
        return self._discretion.line(found.line, found.name) if found.line else ""

    def leave(self) -> None:
        """Whoever speaks has said goodbye."""
        self._recognition.end()

    async def _notice_absence(self) -> None:
        """Whoever was recognised may have gone meanwhile."""
        await self.start()
        if self._recognition.is_over:
            self._recognition.forget()
            await self._begin()

    def speakers(self, said: str, addressed: str = "") -> tuple[str, ...]:
        """Who answers this, one after the other; see `companion.ports.Character`."""
        self._in_history = None
        exchanges = self.working_memory.history.exchanges
        if self._group.has_several and self._persona.spoken_command(said) == "again":
            return (self._group.last_speaker(exchanges),)
        return self._group.speakers(said, exchanges, addressed)

    def may_think_ahead(self, said: str) -> bool:
        """Whether `reply` may be asked for before the person has finished, though nobody may hear the answer.

        Not where it would change something (who speaks, what the service remembers), cost what the settings do not
        allow, or leave no room for the request that is heard.
        """
        said, known = self._discretion.clean(said), self.working_memory.known
        if self._recognition.is_unsure or self._service_memory:
            return False
        if introduced_name(said, self._languages, known, self._group.names) is not None:
            return False
        return self.replies.may_think_ahead and self._client.has_room(2)

    async def reply(self, said: str, speaker: str = "", floor: Floor | None = None) -> AsyncGenerator[str]:
        """Answer, as text deltas. Raises `CharacterError`, or `CharacterRefused` where trying again is no use."""
        began = asyncio.get_running_loop().time()
        said = self._discretion.clean(said)
        await self.start()
        if not (is_second := bool(speaker) and self._group.has_several and self._in_history == said):
            await self._notice_speaker(said)
        extra = await self._extra_for(said)
        asked = ReplyRequest(self._group.role(speaker), "" if is_second else said, extra, floor=floor)
        async with aclosing(self._stream(asked, began)) as deltas:
            async for delta in deltas:
                yield delta

    def rephrase(self) -> AsyncGenerator[str] | None:
        """The last answer in other words; None where there was none. Errors as for `reply`."""
        exchanges = self.working_memory.history.exchanges
        places = [at for at, one in enumerate(exchanges) if one.heard]
        if not places or self._recognition.is_over:
            return None
        at = next((at for at in places if exchanges[at] is self._repeatable), places[-1])
        self._repeatable = exchanges[at]
        self._was_rephrased = True
        return self._stream_again(exchanges[at], History(2 * len(exchanges), exchanges[:at]))

    async def continue_speaking(self) -> AsyncGenerator[str]:
        """Go on speaking though nobody said anything. Errors as for `reply`."""
        began = asyncio.get_running_loop().time()
        await self._notice_absence()
        async with aclosing(self._stream(ReplyRequest(self._group.role(""), goes_on=True), began)) as deltas:
            async for delta in deltas:
                yield delta

    def remember(self, said: str, heard: str, speaker: str = "") -> None:
        """Keep one exchange: what was said, and what was heard in answer. Either may be empty, not both."""
        said, heard = self._discretion.clean(said.strip()), heard.strip()
        rephrased, self._was_rephrased = self._was_rephrased, False
        self._recognition.keep_up()
        if not heard and (not said or self.replies.was_moderated(said)):
            return
        exchange = Exchange(said, heard, (speaker or self._group.names[0]) if self._group.has_several else "")
        self.working_memory.keep(exchange)
        if self.replies.service_memory is not None:
            self.replies.service_memory.remember(said, heard)
        if said:
            self._in_history = said
            if heard and not rephrased:
                self._repeatable = exchange
        if (count := self.working_memory.history.message_count) >= self._summary_due_at:
            self._summarizer.request(urgent=count >= self._summary_due_at * _URGENT)

    async def facts(self) -> tuple[str, ...]:
        """What is known of the person who speaks, in short sentences."""
        if self._store is None or self.working_memory.is_guest:
            return ()
        who = self._persona.name, self.working_memory.person
        return await self._store.read(lambda on: inspection.fact_texts(on, *who))

    async def close(self) -> None:
        """Close the connection, write what is to be remembered, and close the store where it is this character's."""
        await self._client.connection.close()
        if self._store is not None:
            await (self._store.close() if self._owns_store else self._store.flush())

    async def _stream_again(self, exchange: Exchange, before: History) -> AsyncGenerator[str]:
        began = asyncio.get_running_loop().time()
        extra = await self._extra_for(exchange.said) if exchange.said else ""
        role = self._group.role(exchange.speaker)
        asked = ReplyRequest(role, exchange.said, extra, before, random.randrange(SEEDS), goes_on=not exchange.said)
        earlier = [one.heard for one in self.working_memory.history.exchanges[-LATELY:] if one.heard]
        hint = language(self._persona.language).prompts.other_words
        async with aclosing(ask_again(self._stream, asked, hint, earlier, began, self._device.character)) as deltas:
            async for delta in deltas:
                yield delta

    async def _stream(self, asked: ReplyRequest, began: float) -> AsyncGenerator[str]:
        """The reply; no summary is made meanwhile."""
        self._summarizer.pause()
        try:
            async with aclosing(self.replies.stream(asked, began)) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            self._summarizer.resume()

    async def _notice_speaker(self, said: str) -> None:
        """Notice who speaks, what was forgotten by another process, and that the service remembers nothing."""
        if self._service_memory and self._client.capabilities.lacks("character_options"):
            log.warning("%s has no memory for this model; what is said is remembered here.", self._client.service)
            self._service_memory = False
            await self.working_memory.keep_here()
            self._begin_session()
        person = introduced_name(said, self._languages, self.working_memory.known, self._group.names)
        if person is not None and self._recognition.trusts:
            await self.switch_person(person)
        elif person not in (None, self.working_memory.person) and not self.working_memory.is_guest:
            self._begin_guest()
        elif await self.working_memory.refresh():
            self._begin_session()
        if self._service_memory and (line := self.opening()):
            self.working_memory.note_opening(line)

    def _begin_session(self) -> None:
        self._repeatable = self._in_history = None
        by_service = self._service_memory and not self.working_memory.is_guest
        self.replies.begin_session(ServiceMemoryLog(self.opening()) if by_service else None)

    async def _extra_for(self, said: str) -> str:
        """What the model is told for this reply only: who speaks, the context, and memories that matter."""
        person = self.working_memory.person or self._claimed
        extra = [language(self._persona.language).prompts.speaking_with.format(person=person)] if person else []
        async with asyncio.TaskGroup() as group:
            context = group.create_task(self._context.collect())
            memories = group.create_task(self.working_memory.relevant(said))
        extra += context.result()
        if not self.replies.avoids_memories:
            extra += memories.result()
        return "\n".join([*extra, *([self.extra_context] if self.extra_context else [])])
