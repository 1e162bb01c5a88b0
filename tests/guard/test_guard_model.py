"""The second model, asked over real HTTP: what it says, and what happens where it stalls, lies or is down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from companion.config.device import GuardSettings
from companion.config.policy import Category, load_policy
from companion.errors import ConfigError
from companion.guard_model import GuardModel
from companion.guardian import Guardian
from tests.support.doubles import ScriptedCharacter
from tests.support.scene import PERSONA, WAKE, said, scene


@asynccontextmanager
async def server(answer: bytes | None, asked: list[dict[str, object]]) -> AsyncIterator[str]:
    """Answers each request with these bytes after the head, or never where they are None. Gives the base URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        asked.append({"head": head, **json.loads(await reader.readexactly(length))})
        if answer is not None:
            writer.write(b"HTTP/1.1 " + answer)
            await writer.drain()
            writer.close()
        else:
            await reader.read()
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}/v1"
    finally:
        running.close()


def answering(content: object) -> bytes:
    body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
    return b"200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


async def verdict(
    answer: bytes, model: str = "Qwen3Guard-Gen-0.6B", policy: str = "child"
) -> tuple[Category | None, int]:
    asked: list[dict[str, object]] = []
    async with server(answer, asked) as url:
        judge = GuardModel(GuardSettings(base_url=url, model=model), load_policy(policy))
        try:
            found = await judge.category("He said so.")
        finally:
            await judge.close()
        assert asked[0]["model"] == model
        assert "He said so." in str(asked[0]["messages"])
        return found, judge.failures


@pytest.mark.parametrize(
    ("content", "policy", "wanted"),
    [
        ("Safety: Safe\nCategories: None\nRefusal: No", "child", None),
        ("Safety: Unsafe\nCategories: Violent", "child", "violence"),
        ("Safety: Unsafe\nCategories: Violent", "adult", None),
        ("Safety: Unsafe\nCategories: Suicide & Self-Harm\nRefusal: No", "adult", "self_harm"),
        ("Safety: Controversial\nCategories: Sexual Content or Sexual Acts", "child", "sex"),
        ("Safety: Controversial\nCategories: Sexual Content or Sexual Acts", "adult", None),
        ("Safety: Unsafe\nCategories: Politically Sensitive Topics", "child", None),
    ],
)
async def test_qwens_guard_models(content: str, policy: str, wanted: str | None) -> None:
    assert await verdict(answering(content), policy=policy) == (wanted, 0)


@pytest.mark.parametrize(
    ("content", "wanted"), [("safe", None), ("Violence.", "violence"), (" dangerous acts\n", "dangerous_acts")]
)
async def test_any_other_model_gets_a_short_question(content: str, wanted: str | None) -> None:
    assert await verdict(answering(content), model="llama-3") == (wanted, 0)


@pytest.mark.parametrize(
    "answer",
    [
        answering("I think that is fine!"),
        answering(None),
        answering(["Safety: Unsafe"]),
        answering("x" * 70_000),
        b"200 OK\r\ncontent-length: 5\r\n\r\n{]{]{",
        b"200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"200 OK\r\ncontent-length: 500\r\n\r\nshort",
        b"500 Oh\r\ncontent-length: 0\r\n\r\n",
        b"302 Found\r\nlocation: http://example.com/\r\ncontent-length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_a_server_that_lies_or_fails_knows_nothing_and_is_counted(answer: bytes) -> None:
    assert await verdict(answer) == (None, 1)


async def test_a_server_that_is_down_knows_nothing() -> None:
    async with server(b"", []) as url:
        pass
    judge = GuardModel(GuardSettings(base_url=url), load_policy("child"))
    assert await judge.category("Hello.") is None
    assert judge.failures == 1
    await judge.close()


def test_a_key_never_goes_over_the_network_in_the_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPANION_GUARD_KEY", "sk-0123456789abcdef0123")
    with pytest.raises(ConfigError, match="unencrypted"):
        GuardModel(GuardSettings(base_url="http://192.0.2.1/v1"), load_policy("child"))


class Second:
    """Stands for a model: objects to what has this word in it, after so many seconds."""

    within_s = 0.3

    def __init__(self, word: str, takes_s: float) -> None:
        self.word, self.takes_s = word, takes_s

    async def category(self, sentence: str) -> Category | None:
        await asyncio.sleep(self.takes_s)
        return "violence" if self.word in sentence else None


@pytest.mark.looptime
@pytest.mark.parametrize(("takes_s", "stopped"), [(0.0, True), (0.25, True), (5.0, False)])
async def test_its_verdict_counts_where_it_comes_in_time(takes_s: float, stopped: bool) -> None:
    blocked: list[str] = []
    guardian = Guardian(load_policy("child"), PERSONA, lambda _category, text, _whose: blocked.append(text))
    character = ScriptedCharacter(["One thing first. ", "Then the xyzzy. ", "And more. ", "And more."])
    async with scene(character, guardian=guardian, second_judge=Second("xyzzy", takes_s)) as s:
        s.listener.put(WAKE, said("hello"))
        await s.until("follow_up")
        heard = s.turns[-1].heard_text
        assert ("xyzzy" not in heard) == stopped
        assert ("And more." not in heard) == stopped
        assert blocked == (["Then the xyzzy."] if stopped else [])
        assert any(line in heard for line in PERSONA.lines.blocked) == stopped
        assert s.character.remembered == [("hello", heard)]
