"""A persona's dialogue is opened before the one that speaks is given up, and each is closed in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from companion.config.persona import Persona
from companion.dialogue import Dialogue, Dialogues
from companion.errors import EngineUnavailable
from companion.ports import Synthesizer
from tests.support.doubles import ScriptedCharacter, ScriptedVoice
from tests.support.scene import PERSONA, scene

pytestmark = pytest.mark.looptime

KIKI = PERSONA.model_copy(update={"name": "Kiki"})
BROKEN = PERSONA.model_copy(update={"name": "Broken"})


class Opened:
    """Opens dialogues, and keeps whose are open, with which voice; each must be closed in the task that opened it."""

    def __init__(self) -> None:
        self.open: dict[str, Synthesizer | None] = {}

    @asynccontextmanager
    async def __call__(self, persona: Persona, voice: Synthesizer | None) -> AsyncIterator[Dialogue]:
        if persona is BROKEN:
            raise EngineUnavailable("the voice of Broken is not there")
        task = asyncio.current_task()
        self.open[persona.name] = voice
        async with scene() as s:
            yield Dialogue(ScriptedCharacter(), persona, s.conversation.dialogue.tools)
        assert asyncio.current_task() is task
        del self.open[persona.name]


async def test_the_next_one_is_there_before_the_last_one_goes() -> None:
    opened, voice = Opened(), ScriptedVoice()
    async with asyncio.TaskGroup() as group:
        dialogues = Dialogues(opened, group)
        momo = await dialogues.open(PERSONA, voice)
        kiki = await dialogues.open(KIKI)
        assert (momo.persona, kiki.persona) == (PERSONA, KIKI)
        assert opened.open == {PERSONA.name: voice, "Kiki": None}
        dialogues.close(momo)
        await asyncio.sleep(1)
        assert opened.open == {"Kiki": None}
        dialogues.close_all()
    assert opened.open == {}


async def test_all_are_closed_at_the_end() -> None:
    opened = Opened()
    async with asyncio.TaskGroup() as group:
        dialogues = Dialogues(opened, group)
        await dialogues.open(PERSONA)
        await dialogues.open(KIKI)
        dialogues.close_all()
    assert opened.open == {}


async def test_a_persona_that_cannot_be_opened_says_why_and_the_one_that_speaks_goes_on() -> None:
    opened = Opened()
    async with asyncio.TaskGroup() as group:
        dialogues = Dialogues(opened, group)
        await dialogues.open(PERSONA)
        with pytest.raises(EngineUnavailable, match="the voice of Broken is not there"):
            await dialogues.open(BROKEN)
        assert list(opened.open) == [PERSONA.name]
        dialogues.close_all()


async def test_one_that_nobody_waits_for_any_more_is_closed_at_once() -> None:
    opened = Opened()
    async with asyncio.TaskGroup() as group:
        dialogues = Dialogues(opened, group)
        opening = asyncio.ensure_future(dialogues.open(KIKI))
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        await asyncio.sleep(1)
        assert opened.open == {}
