"""The whole mind against the emulator, over real HTTP: both routes, the service's memory, summaries, a long talk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from companion.config.persona import Persona, load_persona
from companion.emulator import EmulatorServer
from companion.mind.assembly import build
from companion.mind.character import ServiceCharacter
from tests.support.paths import CONFIGS
from tests.support.service_scene import answer, device, talk, whole

PERSONAS = CONFIGS / "personas"
TEDDY = load_persona(PERSONAS / "teddy.toml")
PRODIGY = load_persona(PERSONAS / "go_prodigy.toml")

Made = Callable[..., AbstractAsyncContextManager[ServiceCharacter]]


@pytest.fixture(scope="module")
def routes() -> Iterator[dict[str, str]]:
    """The addresses of the stand-in's two routes."""
    emulator = EmulatorServer(first_token_s=0, piece_s=0)
    yield {"openai": emulator.start(), "dashscope": emulator.dashscope_url}
    emulator.stop()


@pytest.fixture
def made(routes: dict[str, str], tmp_path: Path) -> Made:
    """`made(who, route, **tables)`: a character on this route, with its summaries made meanwhile."""

    @asynccontextmanager
    async def make(who: Persona = TEDDY, route: str = "openai", **tables: Any) -> AsyncIterator[ServiceCharacter]:
        settings = {"protocol": route, "answer_within_s": 10, **tables.pop("character", {})}
        # Each test has sessions of its own with the stand-in.
        unit = device(tmp_path, identity=tmp_path.name[:100], character=settings, **tables)
        character = await build(unit, who, routes[route], None)
        async with asyncio.TaskGroup() as group:
            background = group.create_task(character.run())
            try:
                yield character
            finally:
                background.cancel()
                await character.close()

    return make


@pytest.mark.parametrize("route", ["openai", "dashscope"])
async def test_both_routes_can_do_everything(made: Made, route: str) -> None:
    async with made(route=route) as character:
        assert await talk(character, "tell me a story")
        assert await whole(character.rephrase())
        assert await whole(character.continue_speaking())
        character.replies.candidates = 3
        assert await answer(character, "sing a song")
        assert character.last_report is not None
        assert len(character.last_report.candidates) == 3
        assert character.last_report.cost.prompt > 100
        assert not character.last_report.cost.estimated
        assert character.spending.today_micro > 0


@pytest.mark.parametrize("route", ["openai", "dashscope"])
async def test_the_services_memory_remembers_what_was_heard(made: Made, route: str) -> None:
    async with made(PRODIGY, route, memory={"mode": "service"}) as character:
        for number in range(4):
            assert await talk(character, f"你好{number}")
        assert character.last_report is not None
        # The stand-in counts what its memory adds to the one message that was sent.
        first = character.last_report.cost.prompt
        assert await talk(character, "再见")
        assert character.last_report.cost.prompt > first


@pytest.mark.usefixtures("no_waiting")
async def test_what_was_told_is_known_after_a_summary_and_a_restart(made: Made) -> None:
    async with made(memory={"entries": 20}) as character:
        await talk(character, "my dog is called rex")
        for number in range(12):
            await talk(character, f"let us count to {number}")
        async with asyncio.timeout(10):
            while not character.working_memory.summary:  # noqa: ASYNC110 - it is looked at from outside
                await asyncio.sleep(0)
        assert "rex" not in " ".join(one.said for one in character.working_memory.history.exchanges)
    async with made(memory={"entries": 20}) as character:
        assert character.working_memory.summary
        assert "rex" in (await answer(character, "what is my dog called")).casefold()


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet moment is short, so that no test waits for it."""
    monkeypatch.setattr("companion.mind.summarizer.QUIET_S", 0.0)


async def test_most_of_a_long_talk_is_found_in_the_cache(made: Made) -> None:
    prompt = cached = 0
    async with made(memory={"mode": "off"}) as character:
        for number in range(70):
            await talk(character, f"let us count to {number}")
            assert character.last_report is not None
            prompt += character.last_report.cost.prompt
            cached += character.last_report.cost.cached
    assert cached / prompt >= 0.9


async def test_a_group_talks(made: Made) -> None:
    async with made(load_persona(PERSONAS / "duo.toml")) as character:
        assert await talk(character, "hello")
        heard = [exchange.speaker for exchange in character.working_memory.history.exchanges]
    assert heard == ["Momo", "Kiki"]
