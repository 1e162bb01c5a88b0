"""A character that has to know who speaks asks before it answers, and the words of that go no further."""

from __future__ import annotations

import pytest

from tests.support.doubles import ScriptedCharacter
from tests.support.scene import WAKE, said, scene

pytestmark = pytest.mark.looptime


async def test_it_asks_in_place_of_an_answer_and_nothing_of_that_is_sent_or_remembered() -> None:
    character = ScriptedCharacter(asks=["What is your word?", "Now I know you."])
    async with scene(character) as on:
        on.listener.put(WAKE)
        for words in ("i'm ana", "rainbow", "tell me a story"):
            await on.until("listening" if words == "i'm ana" else "follow_up")
            on.listener.put(said(words))
        await on.until("follow_up")
    assert character.asked == ["tell me a story"]
    assert [what for what, _ in character.remembered] == ["tell me a story"]
    assert on.voice.spoken[:2] == ["What is your word?", "Now I know you."]


async def test_a_goodbye_ends_what_it_knows_of_who_speaks() -> None:
    async with scene() as on:
        on.listener.put(WAKE)
        await on.until("listening")
        on.listener.put(said("goodbye"))
        await on.until("idle")
    assert on.character.left
