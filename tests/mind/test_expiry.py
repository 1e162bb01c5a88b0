"""How long words are kept: older ones are summed up or erased, so that the unit's folder holds no byte of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from companion.config.policy import MemoryRules
from companion.languages.language import language
from companion.mind.discretion import Discretion
from companion.mind.expiry import Expiry
from companion.mind.memory.guard_records import GuardRecords
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import FILE, Store
from companion.mind.summarizer import Summarizer
from companion.mind.summary import summary_instruction
from tests.support.service_scene import ANSWER, Line, Stream, error, event, persona, stored, usage

DAY = timedelta(days=1)
BEGIN = datetime(2026, 1, 1, 12)
NAME = persona().name


class Clock:
    def __init__(self) -> None:
        self.at = BEGIN

    def __call__(self) -> datetime:
        return self.at


class Summaries(Line):
    """Answers requests for a summary; refuses them while `fails`."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__(ANSWER)
        self.fails = fails
        self.asked: list[Any] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if body["messages"][0]["content"] != summary_instruction(language("en")):
            return await super().handle_async_request(request)
        self.asked.append(body["messages"][1]["content"])
        if self.fails:
            return httpx.Response(400, stream=Stream([error("invalid_parameter_error")]))
        told: Sequence[bytes] = (event("They spoke of animals."), event("", "stop"), usage(9, 9), b"data: [DONE]\n\n")
        return httpx.Response(200, stream=Stream(told))


def rules(older: str = "summarise", days: int | None = 90) -> Discretion:
    return Discretion(MemoryRules.model_validate({"days": days, "older": older}))


def held(folder: Path, *words: str) -> list[str]:
    """Which of these words any file of the folder holds, in any spelling that is stored."""
    found = b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()).lower()
    return [word for word in words if word.encode() in found]


async def filled(folder: Path, now: Clock) -> None:
    """Ana told of a walrus on the first day and of a giraffe on the hundredth; so did nobody of a narwhal to Pip."""
    store = await Store.open(folder, now)
    mine, other = LongTermMemory(store, NAME, now), LongTermMemory(store, "Pip", now)
    mine.keep("Ana", "i saw a walrus and i like marzipan", "A whiskered one?")
    other.keep("", "i saw a narwhal", "Ooh.")
    records = GuardRecords(store, now, NAME, keep_words=True)
    records.add_blocked("violence", "person", "Ana", "cudgels")
    await store.flush()
    await store.copy_if_due()
    now.at = BEGIN + 100 * DAY
    mine.keep("Ana", "i saw a giraffe", "How tall!")
    await store.close()
    # What a damaged file left behind, and a copy that was begun.
    for name in (f"{FILE}.damaged-20260101-120000", f"{FILE}.copy.new"):
        (folder / name).write_bytes(b"a walrus and a narwhal")


async def expired(folder: Path, line: Line, now: Clock, discretion: Discretion) -> None:
    character = await stored(line, folder, discretion=discretion, now=now)
    assert character.expiry is not None
    await character.expiry.expire()
    await character.close()


async def test_erased_means_that_no_byte_is_left_in_the_folder(tmp_path: Path) -> None:
    now = Clock()
    await filled(tmp_path, now)
    assert held(tmp_path, "walrus", "marzipan", "narwhal", "cudgels", "whiskered") != []
    await expired(tmp_path, Summaries(), now, rules("erase"))
    assert held(tmp_path, "walrus", "marzipan", "narwhal", "cudgels", "whiskered", "giraffe", "ana") == [
        "giraffe",
        "ana",
    ]


async def test_a_summary_takes_the_place_of_what_is_older_and_the_rest_waits_for_one(
    tmp_path: Path,
) -> None:
    now, line = Clock(), Summaries()
    await filled(tmp_path, now)
    await expired(tmp_path, line, now, rules())
    assert len(line.asked) == 1
    assert "walrus" in line.asked[0]
    assert "giraffe" not in line.asked[0]
    assert held(tmp_path, "walrus", "spoke of animals", "giraffe") == ["spoke of animals", "giraffe"]
    # Another character's words wait for that one, and not for ever.
    assert held(tmp_path, "narwhal") == ["narwhal"]
    now.at = BEGIN + 181 * DAY
    await expired(tmp_path, line, now, rules())
    assert held(tmp_path, "narwhal") == []


async def test_where_no_summary_can_be_made_the_words_wait_and_are_erased_at_twice_the_age(tmp_path: Path) -> None:
    now, line = Clock(), Summaries(fails=True)
    await filled(tmp_path, now)
    await expired(tmp_path, line, now, rules())
    assert held(tmp_path, "walrus") == ["walrus"]
    now.at = BEGIN + 181 * DAY
    await expired(tmp_path, line, now, rules())
    assert held(tmp_path, "walrus", "giraffe") == ["giraffe"]


async def test_a_talk_goes_on_from_the_summary(tmp_path: Path) -> None:
    now, line = Clock(), Summaries()
    await filled(tmp_path, now)
    character = await stored(line, tmp_path, discretion=rules(), now=now)
    await character.switch_person("Ana")
    assert character.expiry is not None
    await character.expiry.expire()
    async for _ in character.reply("hello"):
        pass
    sent = json.dumps(line.requests[-1])
    assert ("spoke of animals" in sent, "walrus" in sent, "giraffe" in sent) == (True, False, True)
    await character.close()


async def test_a_clock_that_was_wrong_costs_nothing_and_keeps_nothing_for_ever(tmp_path: Path) -> None:
    now = Clock()
    store = await Store.open(tmp_path, now)
    memory = LongTermMemory(store, NAME, now)
    memory.keep("", "i saw a walrus", "Oh.")
    now.at = datetime(1970, 1, 1)
    memory.keep("", "i saw a giraffe", "Oh.")
    now.at = datetime(2099, 1, 1)
    memory.keep("", "i saw a narwhal", "Oh.")
    await store.close()
    now.at = BEGIN + DAY
    await expired(tmp_path, Summaries(), now, rules("erase"))
    assert held(tmp_path, "walrus", "giraffe", "narwhal") == ["walrus", "giraffe", "narwhal"]
    now.at = BEGIN + 92 * DAY
    await expired(tmp_path, Summaries(), now, rules("erase"))
    assert held(tmp_path, "walrus", "giraffe", "narwhal") == []


async def test_facts_that_may_not_be_kept_go_whatever_their_age(tmp_path: Path) -> None:
    now = Clock()
    store = await Store.open(tmp_path, now)
    LongTermMemory(store, NAME, now).keep("", "i like marzipan", "Oh.")
    await store.close()
    refuses = Discretion(rules().rules, may_keep=lambda text: "marzipan" not in text.casefold())
    character = await stored(Summaries(), tmp_path, discretion=refuses, now=now)
    assert await character.facts() != ()
    assert character.expiry is not None
    await character.expiry.expire()
    assert await character.facts() == ()
    await character.close()


@pytest.mark.looptime
async def test_it_is_done_once_a_day_in_a_quiet_moment(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()

    def now() -> datetime:
        return BEGIN + timedelta(seconds=loop.time() - began)

    store = await Store.open(tmp_path, now)
    LongTermMemory(store, NAME, now).keep("", "i saw a walrus", "Oh.")
    await store.flush()

    class NoSummaries(Summarizer):
        def __init__(self) -> None:
            self.longest = 100

    async with asyncio.TaskGroup() as group:
        running = group.create_task(Expiry(store, NAME, rules("erase", days=2), NoSummaries(), now).run())
        for hour in range(73):
            if hour == 46:
                assert held(tmp_path, "walrus") == ["walrus"]
            await asyncio.sleep(3600)
            # The thread of the store works in real time.
            await store.flush()
        running.cancel()
    assert held(tmp_path, "walrus") == []
    await store.close()
