"""A unit that listens already falls silent for another one in the room that heard the wake word better."""

from __future__ import annotations

import pytest

from companion.events import Control
from tests.support.doubles import ScriptedCharacter
from tests.support.scene import WAKE, said, scene

pytestmark = pytest.mark.looptime


async def test_who_listens_goes_back_to_rest_without_a_word() -> None:
    async with scene() as s:
        s.listener.put(WAKE)
        await s.until("listening")
        s.listener.put(Control("yield"))
        await s.until("idle")
    assert s.turns == []


async def test_what_is_thought_of_is_never_said() -> None:
    async with scene(ScriptedCharacter([3.0, "Hello there."])) as s:
        s.listener.put(WAKE)
        s.listener.put(said("hello"))
        await s.until("thinking")
        s.listener.put(Control("yield"))
        await s.until("idle")
    assert "speaking" not in s.notes.states()


async def test_what_waits_to_be_said_is_not_lost() -> None:
    async with scene() as s:
        s.listener.put(WAKE)
        await s.until("listening")
        s.conversation.announce("Dinner is ready.")
        # As the listener does it.
        s.listener.put(Control("yield"), Control("say"))
        await s.until("speaking")
        await s.until("follow_up")
    assert s.turns[0].heard_text == "Dinner is ready."
