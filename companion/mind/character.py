"""The character: who speaks with whom, what is remembered, what is told besides, and the answers.

Satisfies `companion.ports.Character`; everything runs on the event loop's thread, seconds are the loop's. From `reply`
to the first words it takes at most `answer_within_s`, with all that has to be looked up. Closing the generator, or
cancelling whoever waits in it, closes the stream, so that the model stops. `run` makes summaries meanwhile; without it
the history is only cut.

What moderation refuses is not kept, because it would have every later request refused too.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing

from companion.config.device import Device
from companion.config.persona import Persona
from companion.languages.language import language
from companion.languages.understood import understood
from companion.mind.api.client import Asking
from companion.mind.api.connection import WARM_S
from companion.mind.api.models import Model
from companion.mind.budget import Spent
from companion.mind.cast import Cast
from companion.mind.context import AHEAD_S, Contexts
from companion.mind.memory import inspection
from companion.mind.memory.introductions import introduced_name, prepare
from companion.mind.memory.service_memory import ServiceTalk
from companion.mind.memory.store import Store
from companion.mind.memory.working_memory import Recollection
from companion.mind.prompt import Exchange, History
from companion.mind.reply import Answered, Answering, Ask
from companion.mind.summarizer import Summarising

_SEEDS = 2**31
_CHARACTERS_A_TOKEN = 0.5
"""For what a summary is made of: an estimate that holds in Chinese too."""
_LONGEST_DRAFT = 24_000
"""Characters, where the model's limit is unknown."""
_LATE = 1.25
"""From so many times the messages on at which a summary is due it is made beside the talk."""


class ServiceCharacter:
    """One character, or one group of them, with one person at a time."""

    def __init__(
        self,
        device: Device,
        persona: Persona,
        model: Model,
        asking: Asking,
        recollection: Recollection,
        contexts: Contexts,
        *,
        service_memory: bool = False,
        store: Store | None = None,
    ) -> None:
        """`service_memory`: the service remembers, and is sent only what is new. `store` is closed in the end."""
        self._device = device
        self._persona = persona
        self._languages = tuple(language(code) for code in dict.fromkeys((persona.language, *persona.words)))
        self._asking = asking
        self._contexts = contexts
        self._cast = Cast(persona)
        self._service_memory = service_memory
        self._store = store
        longest = int(model.most_input * _CHARACTERS_A_TOKEN) if model.most_input else _LONGEST_DRAFT
        self._summarising = Summarising(
            asking, recollection, understood(persona.language), device.character.model, longest
        )
        self._summarise_at = min(device.memory.entries, device.character.history)
        self.answering = Answering(
            device.character,
            model,
            asking,
            recollection,
            entries=device.memory.entries,
            grows_long=self._summarising.begin,
        )
        self.recollection = recollection
        self.told_besides = ""
        """Told with every request as long as it stands here."""
        self._started = False
        self._in_history: str | None = None
        """What was said last, once the first of a group has answered it."""
        self._question: Exchange | None = None
        """The exchange that "say that another way" is about."""
        self._asked_again = False

    @property
    def answered(self) -> Answered | None:
        """About the last answer."""
        return self.answering.answered

    @property
    def spent(self) -> Spent:
        """The money of today and this month, in the currency of the model's price."""
        return self._asking.spending.spent

    async def start(self) -> None:
        """Read the memory. `reply` and `continue_speaking` do so first where it was not done."""
        if not self._started:
            await self.be(self._device.memory.person)

    async def run(self) -> None:
        """Make summaries beside the talk, until cancelled."""
        await self._summarising.run()

    async def prepare(self) -> None:
        """Open the connection, if it was not used lately, and ask what there is to tell. Never raises."""
        now = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            if now - self._asking.used >= WARM_S:
                self._asking.used = now
                group.create_task(self._asking.connection.warm())
            group.create_task(self._contexts.told(AHEAD_S))

    async def be(self, person: str) -> None:
        """Somebody else speaks from here on; `guest` is nobody."""
        started, self._started = self._started, True
        before = self.recollection.session("")
        await self.recollection.be(person)
        prepare(self._languages, self.recollection.known, self._cast.names)
        if not started or self.recollection.session("") != before:
            self._begin_talk()

    def start_guest_session(self) -> None:
        """Keep nothing from here on, until somebody says who they are."""
        self._started = True
        self.recollection.start_guest_session()
        self._begin_talk()

    def opening(self) -> str:
        """The first line of a session in which nothing was said yet; else empty."""
        return self._persona.opening.strip() if self.recollection.is_new else ""

    def speakers(self, said: str) -> tuple[str, ...]:
        """Who answers this: the one called by name, else the persona and one other in turn."""
        self._in_history = None
        exchanges = self.recollection.history.exchanges
        if self._cast.is_group and self._persona.spoken_command(said) == "again":
            return (self._cast.last_speaker(exchanges),)
        return self._cast.speakers(said, exchanges)

    async def reply(self, said: str, speaker: str = "") -> AsyncGenerator[str]:
        """Answer, as text deltas. Raises `CharacterError`, or `CharacterRefused` where trying again has no use."""
        began = asyncio.get_running_loop().time()
        await self.start()
        is_second = bool(speaker) and self._cast.is_group and self._in_history == said
        if not is_second:
            await self._meet(said)
        extra = await self._extra(said)
        ask = Ask(self._cast.role(speaker), "" if is_second else said, extra)
        async with aclosing(self._fetched(ask, began)) as deltas:
            async for delta in deltas:
                yield delta

    def rephrase(self) -> AsyncGenerator[str] | None:
        """The last answer in other words; None where there was none. Errors as for `reply`."""
        exchanges = self.recollection.history.exchanges
        places = [at for at, one in enumerate(exchanges) if one.heard]
        if not places:
            return None
        at = next((at for at in places if exchanges[at] is self._question), places[-1])
        self._question = exchanges[at]
        self._asked_again = True
        return self._once_more(exchanges[at], History(2 * len(exchanges), exchanges[:at]))

    async def continue_speaking(self) -> AsyncGenerator[str]:
        """Speak on though nobody said anything. Errors as for `reply`."""
        began = asyncio.get_running_loop().time()
        await self.start()
        async with aclosing(self._fetched(Ask(self._cast.role(""), goes_on=True), began)) as deltas:
            async for delta in deltas:
                yield delta

    def remember(self, said: str, heard: str, speaker: str = "") -> None:
        """Keep one exchange: what was said, and what was heard in answer. Either may be empty, not both."""
        said, heard = said.strip(), heard.strip()
        again, self._asked_again = self._asked_again, False
        if not heard and (not said or self.answering.is_moderated(said)):
            return
        exchange = Exchange(said, heard, (speaker or self._cast.names[0]) if self._cast.is_group else "")
        self.recollection.keep(exchange)
        if self.answering.service_talk is not None:
            self.answering.service_talk.remember(said, heard)
        if said:
            self._in_history = said
            if heard and not again:
                self._question = exchange
        if (count := self.recollection.history.count) >= self._summarise_at:
            self._summarising.begin(late=count >= self._summarise_at * _LATE)

    async def facts(self) -> tuple[str, ...]:
        """What is known of who speaks, in short sentences."""
        if self._store is None or self.recollection.is_guest:
            return ()
        who = self._persona.name, self.recollection.person
        portraits = await self._store.read(lambda on: inspection.portraits(on, *who, turns=0))
        return tuple(fact.text for portrait in portraits for fact in portrait.facts)

    async def close(self) -> None:
        """Close the connection, and the store once all is written."""
        await self._asking.connection.close()
        if self._store is not None:
            await self._store.close()

    async def _once_more(self, exchange: Exchange, before: History) -> AsyncGenerator[str]:
        began = asyncio.get_running_loop().time()
        role = self._cast.role(exchange.speaker)
        seed = random.randrange(_SEEDS)
        extra = await self._extra(exchange.said) if exchange.said else ""
        ask = Ask(role, exchange.said, extra, before, seed, goes_on=not exchange.said)
        async with aclosing(self._fetched(ask, began)) as deltas:
            async for delta in deltas:
                yield delta

    async def _fetched(self, ask: Ask, began: float) -> AsyncGenerator[str]:
        """The answer; no summary is made meanwhile."""
        self._summarising.answer_begins()
        try:
            async with aclosing(self.answering.answer(ask, began)) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            self._summarising.answer_ends()

    async def _meet(self, said: str) -> None:
        """Notice who speaks, and what was forgotten elsewhere."""
        person = introduced_name(said, self._languages, self.recollection.known, self._cast.names)
        if person is not None:
            await self.be(person)
        elif await self.recollection.refresh():
            self._begin_talk()
        if self._service_memory and (line := self.opening()):
            self.recollection.note_opening(line)

    def _begin_talk(self) -> None:
        """The session is another one."""
        self._question = self._in_history = None
        by_service = self._service_memory and not self.recollection.is_guest
        self.answering.begin(ServiceTalk(self.opening()) if by_service else None)

    async def _extra(self, said: str) -> str:
        """What the model is told for this answer only: who speaks, the moment, and what is remembered that matters."""
        person = self.recollection.person
        told = [language(self._persona.language).prompts.speaking_with.format(person=person)] if person else []
        async with asyncio.TaskGroup() as group:
            moment = group.create_task(self._contexts.told())
            memories = group.create_task(self.recollection.relevant(said))
        told += moment.result()
        if not self.answering.avoids_memories:
            told += memories.result()
        return "\n".join([*told, *([self.told_besides] if self.told_besides else [])])
