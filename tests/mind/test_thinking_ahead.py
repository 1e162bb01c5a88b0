"""Replies that are asked for before the person has finished: what they cost, and that they change nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from companion.errors import CharacterError, CharacterRefused
from companion.floor import Floor
from companion.mind.api.rate_limit import RateLimiter
from companion.mind.budget import DailyUsage, Ledger
from companion.mind.character import ServiceCharacter
from companion.mind.memory.store import Store
from tests.support.service_scene import ANSWER, Line, Made, answer, error, event, on, persona, talk, usage, whole

LONG = (event("Once upon a time "), 60.0)
CACHED = (event("Hi."), event("", "stop"), usage(100, 10, cached=90), b"data: [DONE]\n\n")


async def days_of(folder: Path) -> list[DailyUsage]:
    store = await Store.open(folder, datetime.now)
    try:
        return list(await Ledger(store, datetime.now).days(1))
    finally:
        await store.close()


async def dropped(character: ServiceCharacter, said: str = "hello", after: int = 1) -> None:
    """Ask ahead, take so many pieces of the reply, and drop it."""
    floor = Floor()
    deltas = character.reply(said, "", floor)
    for _ in range(after):
        await anext(deltas)
    floor.withdraw()
    await deltas.aclose()


async def test_what_was_dropped_has_a_row_of_its_own(made: Made, tmp_path: Path) -> None:
    async with made(Line(LONG, ANSWER)) as character:
        await dropped(character)
        await talk(character, "hello there")
    rows = {row.dropped: row for row in await days_of(tmp_path)}
    assert rows[False].requests == rows[True].requests == 1
    assert rows[True].prompt > 0
    assert rows[True].cost_micro > 0


async def test_what_was_heard_after_all_is_an_ordinary_request(made: Made, tmp_path: Path) -> None:
    async with made(Line(ANSWER)) as character:
        floor = Floor()
        assert await whole(character.reply("hello", "", floor)) == "Hi."
        # Its end came before it was known whether anybody would hear it.
        assert character.spending.today_micro == 0
        floor.give()
        assert character.spending.today_micro > 0
    assert [row.dropped for row in await days_of(tmp_path)] == [False]


async def test_a_request_that_was_sent_costs_its_prompt_though_nothing_came_back(made: Made, tmp_path: Path) -> None:
    line = Line([60.0])
    async with made(line) as character:
        floor = Floor()
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(whole(character.reply("hello", "", floor)))
            async with asyncio.timeout(30):
                while not line.requests:  # noqa: ASYNC110 - the double gives no event for it
                    await asyncio.sleep(0)
            floor.withdraw()
            asking.cancel()
    [row] = await days_of(tmp_path)
    assert (row.dropped, row.completion) == (True, 0)
    assert row.prompt > 0


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("setting", "reports", "may"),
    [("always", ANSWER, True), ("never", ANSWER, False), ("cheap", ANSWER, False), ("cheap", CACHED, True)],
)
async def test_the_owner_decides_whether_it_thinks_ahead(setting: str, reports: tuple[bytes, ...], may: bool) -> None:
    character = on(Line(reports), think_ahead=setting)
    await talk(character, "hello")
    assert character.may_think_ahead("how are you") is may


async def test_near_the_limit_nothing_is_asked_for_that_may_not_be_heard(made: Made) -> None:
    line = Line([event("Hi."), event("", "stop"), usage(100_000, 1_000, cached=90_000), b"data: [DONE]\n\n"])
    async with made(line, character={"think_ahead": "cheap"}, spending={"daily": 0.05}) as character:
        for may in (True, True, False):
            await talk(character, "hello")
            assert character.may_think_ahead("how are you") is may


@pytest.mark.looptime
@pytest.mark.parametrize("said", ["I'm Ana", "my name is Zoe"])
async def test_who_speaks_is_not_changed_by_half_a_sentence(said: str) -> None:
    character = on(Line(ANSWER))
    await talk(character, "hello")
    assert not character.may_think_ahead(said)
    assert character.may_think_ahead("how are you")


@pytest.mark.looptime
async def test_the_request_that_is_heard_never_waits_for_one_that_was_dropped() -> None:
    line = Line(LONG, ANSWER)
    character = on(line, requests_per_second=2)
    assert character.may_think_ahead("turn")
    await dropped(character, "turn")
    # One is left for this second, and that is kept for what will be heard.
    assert not character.may_think_ahead("turn on")
    await talk(character, "turn on the light")
    assert line.times[1] - line.times[0] < 0.1
    await asyncio.sleep(1.1)
    assert character.may_think_ahead("thank you")


def test_the_room_that_a_rate_leaves() -> None:
    limiter = RateLimiter(3)
    assert limiter.has_room(0.0, 3)
    assert not limiter.has_room(0.0, 4)
    limiter.reserve(0.0)
    limiter.reserve(0.5)
    assert limiter.has_room(0.9, 1)
    assert not limiter.has_room(0.9, 2)
    assert limiter.has_room(1.2, 2)
    assert limiter.has_room(9.0, 3)


@pytest.mark.looptime
async def test_what_moderation_refuses_of_half_a_sentence_costs_nothing_of_the_talk() -> None:
    refused = [error("data_inspection_failed")]
    line = Line([*ANSWER], refused, refused, [*ANSWER])
    character = on(line)
    await talk(character, "odd")
    for said in ("how do I kill", "how do I kill a"):
        with pytest.raises(CharacterError) as caught:
            await answer_ahead(character, said)
        assert not isinstance(caught.value, CharacterRefused)
    await answer(character, "how do I kill a dragon")
    assert line.said() == ["odd", "how do I kill a dragon"]


async def answer_ahead(character: ServiceCharacter, said: str) -> str:
    return await whole(character.reply(said, "", Floor()))


async def test_what_the_service_keeps_by_itself_is_not_asked_for_ahead(made: Made) -> None:
    """It would keep half a sentence as said."""
    async with made(Line(ANSWER), persona(language="zh"), memory={"mode": "service"}) as character:
        assert not character.may_think_ahead("你好")
    async with made(Line(ANSWER), persona(language="zh")) as character:
        assert character.may_think_ahead("你好")
