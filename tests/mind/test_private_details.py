"""Private details are neither stored nor sent where the policy says so, by any of the ways in which words go."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from companion.floor import Floor
from companion.languages.language import language
from companion.mind import summarizer
from companion.mind.summary import summary_instruction
from tests.support.service_scene import (
    ANSWER,
    Line,
    Stream,
    discretion_of,
    event,
    persona,
    stored,
    talk,
    usage,
)

SAID = (
    "my name is anna maria quartermain",
    "i live at twelve wobblethorpe street",
    "my school is saint zebedee primary",
    "my number is zero one seven six five five four three two one",
    "i live in berlin and my dog is called rex",
)
SECRETS = ("quartermain", "wobblethorpe", "zebedee", "seven six five")


def written(folder: Path) -> str:
    return "".join(file.read_bytes().decode("latin-1") for file in folder.iterdir() if file.is_file()).casefold()


def sent(line: Line) -> str:
    return json.dumps(line.requests).casefold()


async def test_they_are_neither_sent_nor_stored_and_the_first_name_and_the_rest_are(tmp_path: Path) -> None:
    line = Line(ANSWER)
    character = await stored(line, tmp_path, discretion=discretion_of(persona(), recognise="trust"))
    for said in SAID:
        await talk(character, said)
    assert character.person == "Anna"
    facts = await character.facts()
    await character.close()
    assert [secret for secret in SECRETS if secret in sent(line) or secret in written(tmp_path)] == []
    assert any("Rex" in fact for fact in facts)
    with closing(sqlite3.connect(tmp_path / "companion.db")) as on:
        kept = [said for (said,) in on.execute("SELECT said FROM exchanges ORDER BY id")]
    assert kept[1:3] == ["i live at (an address)", "my school is (a school)"]


async def test_without_such_a_policy_all_is_kept_as_before(tmp_path: Path) -> None:
    line = Line(ANSWER)
    character = await stored(line, tmp_path, discretion=discretion_of(persona(), "adult"))
    for said in SAID:
        await talk(character, said)
    await character.close()
    assert [secret for secret in SECRETS if secret not in sent(line) or secret not in written(tmp_path)] == []


@pytest.mark.parametrize("said", SAID[1:4])
async def test_an_answer_that_is_made_ahead_asks_without_them_too(tmp_path: Path, said: str) -> None:
    line = Line(ANSWER)
    character = await stored(line, tmp_path, discretion=discretion_of(persona()))
    assert character.may_think_ahead(said)
    async for _ in character.reply(said, floor=Floor()):
        pass
    await character.close()
    assert not any(secret in sent(line) for secret in SECRETS)


class Summarised(Line):
    """Answers a request for a summary with an address, and with facts of which two must not be kept."""

    def __init__(self) -> None:
        super().__init__(ANSWER)
        self.made = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body: Any = json.loads(request.content)
        if body["messages"][0]["content"] != summary_instruction(language("en")):
            return await super().handle_async_request(request)
        self.made.set()
        told = (
            "They live at 12 Wobblethorpe Street and like zeppelins.\nFACT likes | zeppelins | -\n"
            "FACT likes | strangle people | -\nFACT works | - | 12 Wobblethorpe Street\n"
        )
        return httpx.Response(200, stream=Stream([event(told), event("", "stop"), usage(9, 9), b"data: [DONE]\n\n"]))


async def test_a_summary_and_the_facts_that_it_proposes_are_held_against_the_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summarizer, "QUIET_S", 0.0)
    line = Summarised()
    character = await stored(
        line, tmp_path, discretion=discretion_of(persona()), memory={"entries": 20}, character={"history": 20}
    )
    async with asyncio.TaskGroup() as group:
        background = group.create_task(character.run())
        for number in range(12):
            await talk(character, f"i saw {number + 2} birds")
        await line.made.wait()
        async with asyncio.timeout(10):
            while not character.working_memory.summary:
                await character.facts()
        background.cancel()
    assert "zeppelins" in character.working_memory.summary
    facts = " ".join(await character.facts())
    assert "zeppelins" in facts
    assert "strangle" not in facts
    await character.close()
    assert "wobblethorpe" not in written(tmp_path)
