"""What the model is told from memory: of the person who speaks, and of nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from companion.mind.character import ServiceCharacter
from tests.support.service_scene import ANSWER, Line, stored, talk


@asynccontextmanager
async def forgetful(line: Line, folder: Path) -> AsyncIterator[ServiceCharacter]:
    """A character whose talk is soon too long for the model, so that it has to look things up."""
    character = await stored(line, folder, character={"history": 4})
    try:
        yield character
    finally:
        await character.close()


async def chat(character: ServiceCharacter) -> None:
    """Say enough that is of no matter."""
    for number in range(10):
        await talk(character, f"number {number}")


def told(line: Line) -> str:
    """All that the model was told in the last request."""
    return "\n".join(message["content"] for message in line.requests[-1]["messages"])


@pytest.mark.parametrize("introduction", ["", "my name is ana"])
async def test_what_a_person_said_long_ago_is_told_when_they_ask_for_it(tmp_path: Path, introduction: str) -> None:
    line = Line(ANSWER)
    async with forgetful(line, tmp_path) as character:
        if introduction:
            await talk(character, introduction)
        await talk(character, "my dog is called rex")
        await chat(character)
    async with forgetful(line, tmp_path) as character:
        if introduction:
            await talk(character, introduction)
        await talk(character, "what is my dog called")
    assert "Their dog is called Rex." in told(line)


async def test_what_one_person_said_is_not_told_when_another_asks(tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with forgetful(line, tmp_path) as character:
        await talk(character, "my name is ana")
        await talk(character, "my dog is called rex")
        await chat(character)
    async with forgetful(line, tmp_path) as character:
        await talk(character, "i'm ben")
        await talk(character, "what is my dog called")
        assert "Rex" not in told(line)
        character.start_guest_session()
        await talk(character, "what is my dog called")
        assert "Rex" not in told(line)
