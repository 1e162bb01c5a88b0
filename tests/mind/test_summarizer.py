"""Summaries in the background: when they are made, what stops them, and the facts that they propose."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from companion.languages.language import language
from companion.mind.character import ServiceCharacter
from companion.mind.summary import summary_instruction
from tests.support.service_scene import (
    ANSWER,
    Line,
    Made,
    Stream,
    answer,
    error,
    event,
    persona,
    request_contents,
    talk,
    usage,
)

PROFILE_AND_STYLE = persona().system_message()


SUMMARY = (event("They like pizza."), event("", "stop"), usage(500, 8), b"data: [DONE]\n\n")


class Summarised(Line):
    """Answers requests for a summary with `answer`; `failures` of them are refused first, and each takes `wait_s`."""

    def __init__(self, failures: int = 0, wait_s: float = 0.0, answer: Sequence[bytes] = SUMMARY) -> None:
        super().__init__(ANSWER)
        self.answer = answer
        self.failures = failures
        self.wait_s = wait_s
        self.asked = asyncio.Event()
        self.summaries: list[Any] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if body["messages"][0]["content"] != summary_instruction(language("en")):
            return await super().handle_async_request(request)
        self.summaries.append(body)
        self.asked.set()
        if self.failures:
            self.failures -= 1
            return httpx.Response(400, stream=Stream([error("invalid_parameter_error")]))
        return httpx.Response(200, stream=Stream([self.wait_s, *self.answer]))


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet moment is short, so that no test waits for it."""
    monkeypatch.setattr("companion.mind.summarizer.QUIET_S", 0.0)


async def summary_of(character: ServiceCharacter) -> None:
    """Return when the summary is there."""
    async with asyncio.timeout(5):
        while not character.working_memory.summary:  # noqa: ASYNC110 - it is looked at from outside
            await asyncio.sleep(0)


@pytest.mark.usefixtures("no_waiting")
async def test_the_older_half_becomes_a_summary_and_the_prefix_changes_only_then(made: Made) -> None:
    line = Summarised()
    async with made(line, memory={"entries": 20}) as character:
        for number in range(10):
            await talk(character, f"number {number}")
        before = [request_contents(request)[0] for request in line.requests]
        await summary_of(character)
        await talk(character, "now")
        assert await answer(character, "and now")
    assert set(before) == {PROFILE_AND_STYLE}
    assert (
        request_contents(line.requests[10])[0]
        == f"{PROFILE_AND_STYLE}\n\nWhat you remember of earlier talks:\nThey like pizza."
    )
    assert line.said(10) == [*(f"number {number}" for number in range(5, 10)), "now"]
    assert "number 4" in line.summaries[0]["messages"][1]["content"]
    assert "number 5" not in line.summaries[0]["messages"][1]["content"]
    async with made(line) as character:
        assert character.working_memory.summary == "They like pizza."


@pytest.mark.usefixtures("no_waiting")
async def test_a_summary_that_fails_does_not_disturb_the_talk_and_is_tried_again(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("companion.mind.api.rate_limit.BackOff.wait_s", lambda *_: 0.0)
    line = Summarised(failures=2)
    async with made(line, memory={"entries": 20}) as character:
        for number in range(10):
            await talk(character, f"number {number}")
        await summary_of(character)
    assert len(line.summaries) == 3


@pytest.mark.usefixtures("no_waiting")
async def test_an_answer_stops_a_summary_that_is_under_way(made: Made) -> None:
    line = Summarised(wait_s=60.0)
    async with made(line, memory={"entries": 20}) as character:
        for number in range(10):
            await talk(character, f"number {number}")
        async with asyncio.timeout(5):
            await line.asked.wait()
            line.asked.clear()
            assert await talk(character, "now") == "Hi."
            # In the next quiet moment it is tried again.
            await line.asked.wait()
    assert len(line.summaries) >= 2
    assert character.working_memory.summary == ""


@pytest.mark.usefixtures("no_waiting")
async def test_the_summary_is_made_in_time_though_there_is_never_a_pause(made: Made) -> None:
    line = Summarised()
    async with made(line, memory={"entries": 20}) as character:
        async with aclosing(character.reply("a long story please")) as never_done:
            await anext(never_done)
            for number in range(10):
                character.remember(f"number {number}", "Hi.")
            await asyncio.sleep(0.05)
            assert line.summaries == []
            for number in range(10, 13):
                character.remember(f"number {number}", "Hi.")
            await summary_of(character)
        assert character.working_memory.history.message_count < 20


@pytest.mark.usefixtures("no_waiting")
async def test_an_answer_does_not_stop_a_summary_that_is_late(made: Made) -> None:
    line = Summarised(wait_s=0.1)
    async with made(line, memory={"entries": 20}) as character:
        for number in range(13):
            character.remember(f"number {number}", "Hi.")
        async with asyncio.timeout(5):
            await line.asked.wait()
            await talk(character, "now")
        await summary_of(character)
    assert len(line.summaries) == 1


@pytest.mark.usefixtures("no_waiting")
async def test_facts_that_the_summary_proposes_are_known_and_leave_its_text(made: Made) -> None:
    lines = ("They have a pet.\n", "FACT has | dog | Rex\nFACT likes", " | - | your voice\nFACT lives | - | Lisbon")
    line = Summarised(answer=(*map(event, lines), event("", "stop"), b"data: [DONE]\n\n"))
    async with made(line, memory={"entries": 20}) as character:
        for number in range(10):
            await talk(character, f"number {number}")
        await summary_of(character)
        assert character.working_memory.summary == "They have a pet."
        assert await character.facts() == ("Their dog is called Rex.", "They live in Lisbon.")
        await talk(character, "what is my dog called")
    assert "Their dog is called Rex." in request_contents(line.requests[-1])[-2]
