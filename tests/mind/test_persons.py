"""Who speaks: sessions, guests, what is remembered of each person, and what is told of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from companion.languages.language import language
from companion.mind.context import Clock
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store, local_now
from tests.support.service_scene import (
    ANSWER,
    Line,
    Made,
    on,
    persona,
    request_contents,
    talk,
)

PROFILE_AND_STYLE = persona().system_message()


async def test_what_was_said_is_there_after_a_restart_and_the_opening_line_is_said_once(made: Made) -> None:
    line = Line(ANSWER)
    async with made(line) as character:
        assert character.opening() == "Hello!"
        await talk(character, "my dog is called rex")
        assert character.opening() == ""
    async with made(line) as character:
        assert character.opening() == ""
        await talk(character, "hello")
    assert request_contents(line.requests[-1]) == [PROFILE_AND_STYLE, "Hello!", "my dog is called rex", "Hi.", "hello"]
    assert line.sessions[0] == line.sessions[1]


async def test_memories_never_cross_over_and_each_person_has_a_session(made: Made) -> None:
    line = Line(ANSWER)
    async with made(line) as character:
        await talk(character, "i like pizza")
        await talk(character, "my name is ana")
        await talk(character, "i like cats")
        await talk(character, "no i'm ben")
        await talk(character, "what do i like")
        await talk(character, "hi it's me ana")
        await talk(character, "hello")
    assert line.said(4) == ["no i'm ben", "what do i like"]
    assert line.said(6) == ["my name is ana", "i like cats", "hi it's me ana", "hello"]
    assert line.sessions[1] == line.sessions[2] == line.sessions[6]
    assert len(set(line.sessions)) == 3
    assert "You are talking with Ben." in request_contents(line.requests[4])[-2]


async def test_what_was_learned_of_pauses_goes_with_the_person_and_over_a_restart(made: Made) -> None:
    line = Line(ANSWER)
    async with made(line) as character:
        await talk(character, "my name is ana")
        character.learn_pause(1.5)
        await talk(character, "no i'm ben")
        assert character.learned_pause == 1.0
        await talk(character, "hi it's me ana")
        assert character.learned_pause == 1.5
        character.start_guest_session()
        assert character.learned_pause == 1.0
        character.learn_pause(1.4)
    async with made(line) as character:
        assert character.learned_pause == 1.0
        await talk(character, "hi it's me ana")
        assert character.learned_pause == 1.5


async def test_nothing_of_a_guest_is_kept(made: Made, tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with made(line) as character:
        await talk(character, "my name is ana")
        character.start_guest_session()
        await talk(character, "i stole the cookies")
        await talk(character, "hello")
        await talk(character, "i'm ana")
    assert line.said(2) == ["i stole the cookies", "hello"]
    assert line.said(3) == ["my name is ana", "i'm ana"]
    assert len(set(line.sessions)) == 2
    file = (tmp_path / "companion.db").read_bytes()
    assert b"cookies" not in file
    assert b"my name is ana" in file


async def test_two_guests_have_nothing_in_common(made: Made) -> None:
    line = Line(ANSWER)
    async with made(line, memory={"person": "guest"}) as character:
        await talk(character, "one")
        character.start_guest_session()
        await talk(character, "two")
    assert line.said(1) == ["two"]
    assert line.sessions[0] != line.sessions[1]


async def test_what_matters_is_told_just_before_what_was_said_and_never_kept(made: Made) -> None:
    line = Line(ANSWER)
    async with made(line, character={"history": 4}, memory={"entries": 20}) as character:
        await talk(character, "my dog is called rex")
        for number in range(10):
            await talk(character, f"number {number}")
        character.working_memory.history.clear()
    async with made(line) as character:
        character.working_memory.history.clear()
        character.extra_context = "It rains."
        await talk(character, "what is my dog called")
        await talk(character, "well")
    asked = line.requests[-2]["messages"]
    assert [message["role"] for message in asked[-2:]] == ["system", "user"]
    assert "It rains." in asked[-2]["content"]
    assert sum(message["role"] == "system" for message in line.requests[-1]["messages"]) == 2


async def test_forgetting_in_another_process_is_noticed_before_the_next_request(made: Made, tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with made(line) as character:
        await talk(character, "i like pizza")
        elsewhere = await Store.open(tmp_path, local_now)
        await LongTermMemory(elsewhere, "Momo", local_now).forget(None)
        await elsewhere.close()
        await talk(character, "what do i like")
    assert line.said(1) == ["what do i like"]
    assert line.sessions[0] != line.sessions[1]


@pytest.mark.looptime
async def test_the_moment_is_told_just_before_the_last_words() -> None:
    line = Line(ANSWER)
    clock = Clock(language("en"), lambda: datetime(2026, 12, 24, 18, 5))
    character = on(line, contexts=[clock])
    await talk(character, "hello")
    await talk(character, "well")
    assert request_contents(line.requests[1])[-2] == "It is Thursday, 24 December 2026, 18:05."
    assert request_contents(line.requests[1]).count("It is Thursday, 24 December 2026, 18:05.") == 1
